package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import io.github.resilience4j.timelimiter.TimeLimiterRegistry;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Objects;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.spring.resilience.BulkheadInterceptor;
import org.bloomery.spring.resilience.CircuitBreakerInterceptor;
import org.bloomery.spring.resilience.RateLimiterInterceptor;
import org.bloomery.spring.resilience.TimeLimiterInterceptor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

class BloomeryResilienceAutoConfigurationTest {

    private static final String[] ALL = {
        "bloomery.resilience.circuit-breaker=llm-breaker",
        "bloomery.resilience.rate-limiter=llm-rate",
        "bloomery.resilience.time-limiter=llm-time",
        "bloomery.resilience.bulkhead=llm-room"
    };

    private final ApplicationContextRunner context = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    BloomeryChatAutoConfiguration.class,
                    BloomeryResilienceAutoConfiguration.class,
                    MetricsAutoConfiguration.class))
            .withPropertyValues(
                    "bloomery.chat.model=" + Objects.requireNonNull(System.getProperty("bloomery.demo.model")),
                    "bloomery.chat.temperature=0",
                    "bloomery.chat.max-tokens=8",
                    "bloomery.engine.context-length=256");

    private static BulkheadRegistry room(int calls, Duration wait) {
        return BulkheadRegistry.of(BulkheadConfig.custom()
                .maxConcurrentCalls(calls)
                .maxWaitDuration(wait)
                .build());
    }

    @Test
    void nothingIsOnByItself() {
        context.run(started -> assertThat(started)
                .doesNotHaveBean(CircuitBreakerInterceptor.class)
                .doesNotHaveBean(RateLimiterInterceptor.class)
                .doesNotHaveBean(TimeLimiterInterceptor.class)
                .doesNotHaveBean(BulkheadInterceptor.class));
    }

    @Test
    void eachPropertySwitchesOneOnWithItsMetersAndWithoutARegistryBean() {
        context.withBean(MeterRegistry.class, SimpleMeterRegistry::new)
                .withPropertyValues(ALL)
                .run(started -> {
                    assertThat(started)
                            .hasSingleBean(CircuitBreakerInterceptor.class)
                            .hasSingleBean(RateLimiterInterceptor.class)
                            .hasSingleBean(TimeLimiterInterceptor.class)
                            .hasSingleBean(BulkheadInterceptor.class)
                            .doesNotHaveBean(CircuitBreakerRegistry.class)
                            .doesNotHaveBean(RateLimiterRegistry.class)
                            .doesNotHaveBean(TimeLimiterRegistry.class)
                            .doesNotHaveBean(BulkheadRegistry.class);
                    assertThat(started.getBean(ChatModel.class).call("Hello")).isNotBlank();
                    MeterRegistry meters = started.getBean(MeterRegistry.class);
                    assertThat(meters.get("resilience4j.circuitbreaker.calls")
                                    .tags("name", "llm-breaker", "kind", "successful")
                                    .timer()
                                    .count())
                            .isEqualTo(1);
                    assertThat(meters.getMeters())
                            .extracting(Meter::getId)
                            .extracting(id -> id.getTag("name"))
                            .contains("llm-breaker", "llm-rate", "llm-time", "llm-room");
                });
    }

    @Test
    void theApplicationsRegistryIsUsedAndItsMetersAreItsOwn() {
        BulkheadRegistry registry = room(1, Duration.ZERO);
        context.withBean(BulkheadRegistry.class, () -> registry)
                .withBean(MeterRegistry.class, SimpleMeterRegistry::new)
                .withPropertyValues("bloomery.resilience.bulkhead=llm-room")
                .run(started -> {
                    assertThat(started).doesNotHaveBean("bloomeryBulkheadMetrics");
                    Bulkhead bulkhead = registry.bulkhead("llm-room");
                    bulkhead.acquirePermission();
                    ChatModel model = started.getBean(ChatModel.class);
                    assertThatThrownBy(() -> model.call("Hello"))
                            .isInstanceOf(EngineOverloadedException.class)
                            .hasMessageContaining("llm-room");
                    assertThatThrownBy(() -> model.stream(new Prompt("Hello")).blockLast())
                            .isInstanceOf(EngineOverloadedException.class)
                            .hasMessageContaining("llm-room");
                    bulkhead.onComplete();
                    assertThat(model.stream(new Prompt("Hello")).blockLast()).isNotNull();
                    assertThat(bulkhead.getMetrics().getAvailableConcurrentCalls())
                            .isEqualTo(1);
                });
    }

    @Test
    @Timeout(120)
    void aStreamWaitsForItsPermitWithoutHoldingUpAnEventLoop() {
        BulkheadRegistry registry = room(1, Duration.ofHours(1));
        context.withBean(BulkheadRegistry.class, () -> registry)
                .withPropertyValues("bloomery.resilience.bulkhead=llm-room")
                .run(started -> {
                    Bulkhead bulkhead = registry.bulkhead("llm-room");
                    bulkhead.acquirePermission();
                    var loop = Schedulers.newSingle("event-loop");
                    try {
                        var answer = started.getBean(ChatModel.class).stream(new Prompt("Hello"))
                                .subscribeOn(loop)
                                .collectList()
                                .toFuture();
                        // Runs behind the subscription, on the loop's only thread
                        Mono.fromRunnable(bulkhead::onComplete)
                                .subscribeOn(loop)
                                .block();
                        assertThat(answer.join()).isNotEmpty();
                    } finally {
                        loop.dispose();
                    }
                });
    }

    @Test
    void aNameWithoutItsLibraryStopsTheStart() {
        context.withClassLoader(new FilteredClassLoader("io.github.resilience4j.bulkhead"))
                .withPropertyValues("bloomery.resilience.bulkhead=llm-room")
                .run(started -> assertThat(started)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(InvalidOptionException.class)
                        .hasMessageContaining("bloomery.resilience.bulkhead")
                        .hasMessageContaining("add io.github.resilience4j:resilience4j-bulkhead"));
    }

    @Test
    void withoutResilience4jEverythingElseWorks() {
        context.withClassLoader(new FilteredClassLoader("io.github.resilience4j"))
                .run(started -> assertThat(started.getBean(ChatModel.class).call("Hello"))
                        .isNotBlank());
    }

    @Test
    void withoutMicrometersPartThereAreNoMeters() {
        context.withClassLoader(new FilteredClassLoader("io.github.resilience4j.micrometer"))
                .withPropertyValues(ALL)
                .run(started -> assertThat(started)
                        .hasSingleBean(BulkheadInterceptor.class)
                        .doesNotHaveBean("bloomeryBulkheadMetrics"));
    }

    @Test
    void withoutAnEngineThereIsNothing() {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(BloomeryResilienceAutoConfiguration.class))
                .withPropertyValues(ALL)
                .run(started -> assertThat(started).doesNotHaveBean(BulkheadInterceptor.class));
    }
}
