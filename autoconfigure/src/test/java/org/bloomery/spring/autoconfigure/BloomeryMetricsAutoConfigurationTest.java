package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Objects;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.bloomery.spring.metrics.EngineMetrics;
import org.junit.jupiter.api.Test;
import org.springframework.ai.model.tool.autoconfigure.ToolCallingAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

class BloomeryMetricsAutoConfigurationTest {

    private final ApplicationContextRunner context = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    BloomeryChatAutoConfiguration.class,
                    BloomeryMetricsAutoConfiguration.class,
                    ToolCallingAutoConfiguration.class,
                    MetricsAutoConfiguration.class))
            .withPropertyValues(
                    "bloomery.chat.model=" + Objects.requireNonNull(System.getProperty("bloomery.demo.model")),
                    "bloomery.chat.temperature=0",
                    "bloomery.chat.max-tokens=20",
                    "bloomery.engine.context-length=256");

    @Test
    void anAnswerIsMeasuredOnceInTheApplicationsRegistry() {
        context.withBean(MeterRegistry.class, SimpleMeterRegistry::new).run(started -> {
            started.getBean(BloomeryChatModel.class).call("Hello");
            assertThat(started.getBean(MeterRegistry.class)
                            .get("gen_ai.server.request.duration")
                            .timer()
                            .count())
                    .isEqualTo(1);
        });
    }

    @Test
    void withoutARegistryOrMicrometerThereAreNoMetrics() {
        context.run(started ->
                assertThat(started).hasSingleBean(BloomeryChatModel.class).doesNotHaveBean(EngineMetrics.class));
        context.withClassLoader(new FilteredClassLoader(MeterRegistry.class))
                .run(started -> assertThat(started)
                        .hasSingleBean(BloomeryChatModel.class)
                        .doesNotHaveBean("bloomeryEngineMetrics"));
    }

    @Test
    void aPropertySwitchesThemOff() {
        context.withBean(MeterRegistry.class, SimpleMeterRegistry::new)
                .withPropertyValues("bloomery.metrics.enabled=false")
                .run(started -> assertThat(started)
                        .hasSingleBean(BloomeryChatModel.class)
                        .doesNotHaveBean(EngineMetrics.class));
    }
}
