package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.nio.file.Path;
import java.util.Map;
import org.bloomery.engine.Caller.Priority;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.spring.admission.TenantLimits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Configuration;

class BloomeryAdmissionAutoConfigurationTest {

    private static final EngineOptions OPTIONS =
            EngineOptions.builder(Path.of("model.gguf")).build();

    private final ApplicationContextRunner context =
            new ApplicationContextRunner().withUserConfiguration(PropertiesOnly.class);

    @Configuration(proxyBeanMethods = false)
    @EnableConfigurationProperties(BloomeryAdmissionProperties.class)
    static class PropertiesOnly {}

    @Test
    void nothingIsLimitedUnlessItIsSet() {
        context.run(started -> {
            BloomeryAdmissionProperties properties = started.getBean(BloomeryAdmissionProperties.class);
            assertThat(properties.limits()).isEqualTo(TenantLimits.NONE);
            assertThat(properties.tenantLimits()).isEmpty();
            assertThat(properties.limit(OPTIONS)).isEqualTo(OPTIONS);
        });
    }

    @Test
    void aTenantHasItsOwnLimitsAndTheUsualOnesBeside() {
        context.withPropertyValues(
                        "bloomery.admission.queue-tokens=5000",
                        "bloomery.admission.tokens-per-minute=1000",
                        "bloomery.admission.concurrent-requests=4",
                        "bloomery.admission.max-prompt-tokens=300",
                        "bloomery.admission.priority=low",
                        "bloomery.admission.tenants.acme.tokens-per-minute=0",
                        "bloomery.admission.tenants.acme.priority=high",
                        "bloomery.admission.tenants[ada@example.com].max-prompt-tokens=9")
                .run(started -> {
                    BloomeryAdmissionProperties properties = started.getBean(BloomeryAdmissionProperties.class);
                    assertThat(properties.limits()).isEqualTo(new TenantLimits(1000, 4, 300, Priority.LOW));
                    assertThat(properties.tenantLimits())
                            .isEqualTo(Map.of(
                                    "acme", new TenantLimits(0, 4, 300, Priority.HIGH),
                                    "ada@example.com", new TenantLimits(1000, 4, 9, Priority.LOW)));
                    assertThat(properties.limit(OPTIONS).queueTokens()).isEqualTo(5000);
                });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "queue-tokens",
                "tokens-per-minute",
                "concurrent-requests",
                "max-prompt-tokens",
                "tenants.a.max-prompt-tokens"
            })
    void aBadPropertyIsNamedInFull(String name) {
        String key = "bloomery.admission." + name;
        context.withPropertyValues(key + "=-1").run(started -> {
            BloomeryAdmissionProperties properties = started.getBean(BloomeryAdmissionProperties.class);
            assertThat(catchThrowable(() -> {
                        properties.limit(OPTIONS);
                        properties.limits();
                        properties.tenantLimits();
                    }))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageStartingWith("Property '" + key + "' is -1");
        });
    }
}
