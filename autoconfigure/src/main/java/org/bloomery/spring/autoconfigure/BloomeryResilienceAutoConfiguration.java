package org.bloomery.spring.autoconfigure;

import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.micrometer.tagged.TaggedBulkheadMetrics;
import io.github.resilience4j.micrometer.tagged.TaggedCircuitBreakerMetrics;
import io.github.resilience4j.micrometer.tagged.TaggedRateLimiterMetrics;
import io.github.resilience4j.micrometer.tagged.TaggedTimeLimiterMetrics;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import io.github.resilience4j.timelimiter.TimeLimiterConfig;
import io.github.resilience4j.timelimiter.TimeLimiterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.Objects;
import org.bloomery.engine.Engine;
import org.bloomery.spring.resilience.BulkheadInterceptor;
import org.bloomery.spring.resilience.CircuitBreakerInterceptor;
import org.bloomery.spring.resilience.RateLimiterInterceptor;
import org.bloomery.spring.resilience.TimeLimiterInterceptor;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.ResourceLoader;

/**
 * Puts the instances of Resilience4j that {@code bloomery.resilience.*} names around the engine. Where Resilience4j's own
 * starter is there they are the application's, with its configuration and meters.
 */
@AutoConfiguration(
        after = BloomeryChatAutoConfiguration.class,
        afterName = {
            "io.github.resilience4j.springboot.circuitbreaker.autoconfigure.CircuitBreakerAutoConfiguration",
            "io.github.resilience4j.springboot.ratelimiter.autoconfigure.RateLimiterAutoConfiguration",
            "io.github.resilience4j.springboot.timelimiter.autoconfigure.TimeLimiterAutoConfiguration",
            "io.github.resilience4j.springboot.bulkhead.autoconfigure.BulkheadAutoConfiguration"
        })
@ConditionalOnBean(Engine.class)
@EnableConfigurationProperties(BloomeryResilienceProperties.class)
public final class BloomeryResilienceAutoConfiguration {

    /** Resilience4j's own is one second, which few answers take. */
    private static final Duration DEFAULT_LIMIT = Duration.ofMinutes(1);

    BloomeryResilienceAutoConfiguration(BloomeryResilienceProperties properties, ResourceLoader resources) {
        ClassLoader loader = resources.getClassLoader();
        properties.check(loader == null ? ClassLoader.getSystemClassLoader() : loader);
    }

    /** Circuit breakers: the application's own where it has a registry, else one of ours. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(CircuitBreakerRegistry.class)
    @ConditionalOnProperty(prefix = BloomeryResilienceProperties.PREFIX, name = "circuit-breaker")
    static class CircuitBreakers {

        // Not a bean: the application's registry would back off
        private final CircuitBreakerRegistry own = CircuitBreakerRegistry.ofDefaults();

        @Bean
        @ConditionalOnMissingBean
        CircuitBreakerInterceptor bloomeryCircuitBreaker(
                BloomeryResilienceProperties properties, ObjectProvider<CircuitBreakerRegistry> registry) {
            return new CircuitBreakerInterceptor(registry.getIfAvailable(() -> own)
                    .circuitBreaker(Objects.requireNonNull(properties.circuitBreaker())));
        }

        /** Meters of ours; those of the application's registry are its own. */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnClass({MeterBinder.class, TaggedCircuitBreakerMetrics.class})
        @ConditionalOnMissingBean(CircuitBreakerRegistry.class)
        static class Metrics {

            @Bean
            MeterBinder bloomeryCircuitBreakerMetrics(CircuitBreakers own) {
                return TaggedCircuitBreakerMetrics.ofCircuitBreakerRegistry(own.own);
            }
        }
    }

    /** Rate limiters: the application's own where it has a registry, else one of ours. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(RateLimiterRegistry.class)
    @ConditionalOnProperty(prefix = BloomeryResilienceProperties.PREFIX, name = "rate-limiter")
    static class RateLimiters {

        // Not a bean: the application's registry would back off
        private final RateLimiterRegistry own = RateLimiterRegistry.ofDefaults();

        @Bean
        @ConditionalOnMissingBean
        RateLimiterInterceptor bloomeryRateLimiter(
                BloomeryResilienceProperties properties, ObjectProvider<RateLimiterRegistry> registry) {
            return new RateLimiterInterceptor(
                    registry.getIfAvailable(() -> own).rateLimiter(Objects.requireNonNull(properties.rateLimiter())));
        }

        /** Meters of ours; those of the application's registry are its own. */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnClass({MeterBinder.class, TaggedRateLimiterMetrics.class})
        @ConditionalOnMissingBean(RateLimiterRegistry.class)
        static class Metrics {

            @Bean
            MeterBinder bloomeryRateLimiterMetrics(RateLimiters own) {
                return TaggedRateLimiterMetrics.ofRateLimiterRegistry(own.own);
            }
        }
    }

    /** Time limiters: the application's own where it has a registry, else one of ours. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(TimeLimiterRegistry.class)
    @ConditionalOnProperty(prefix = BloomeryResilienceProperties.PREFIX, name = "time-limiter")
    static class TimeLimiters {

        // Not a bean: the application's registry would back off
        private final TimeLimiterRegistry own = TimeLimiterRegistry.of(
                TimeLimiterConfig.custom().timeoutDuration(DEFAULT_LIMIT).build());

        @Bean
        @ConditionalOnMissingBean
        TimeLimiterInterceptor bloomeryTimeLimiter(
                BloomeryResilienceProperties properties, ObjectProvider<TimeLimiterRegistry> registry) {
            return new TimeLimiterInterceptor(
                    registry.getIfAvailable(() -> own).timeLimiter(Objects.requireNonNull(properties.timeLimiter())));
        }

        /** Meters of ours; those of the application's registry are its own. */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnClass({MeterBinder.class, TaggedTimeLimiterMetrics.class})
        @ConditionalOnMissingBean(TimeLimiterRegistry.class)
        static class Metrics {

            @Bean
            MeterBinder bloomeryTimeLimiterMetrics(TimeLimiters own) {
                return TaggedTimeLimiterMetrics.ofTimeLimiterRegistry(own.own);
            }
        }
    }

    /** Bulkheads: the application's own where it has a registry, else one of ours. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(BulkheadRegistry.class)
    @ConditionalOnProperty(prefix = BloomeryResilienceProperties.PREFIX, name = "bulkhead")
    static class Bulkheads {

        // Not a bean: the application's registry would back off
        private final BulkheadRegistry own = BulkheadRegistry.ofDefaults();

        @Bean
        @ConditionalOnMissingBean
        BulkheadInterceptor bloomeryBulkhead(
                BloomeryResilienceProperties properties, ObjectProvider<BulkheadRegistry> registry) {
            return new BulkheadInterceptor(
                    registry.getIfAvailable(() -> own).bulkhead(Objects.requireNonNull(properties.bulkhead())));
        }

        /** Meters of ours; those of the application's registry are its own. */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnClass({MeterBinder.class, TaggedBulkheadMetrics.class})
        @ConditionalOnMissingBean(BulkheadRegistry.class)
        static class Metrics {

            @Bean
            MeterBinder bloomeryBulkheadMetrics(Bulkheads own) {
                return TaggedBulkheadMetrics.ofBulkheadRegistry(own.own);
            }
        }
    }
}
