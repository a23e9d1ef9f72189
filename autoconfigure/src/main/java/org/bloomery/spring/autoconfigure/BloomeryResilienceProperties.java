package org.bloomery.spring.autoconfigure;

import org.bloomery.engine.InvalidOptionException;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.util.ClassUtils;

/**
 * Resilience4j around the engine. Each property is the name of an instance, which resilience4j.* configures.
 *
 * @param circuitBreaker Name of the circuit breaker that keeps requests from an engine that fails. Unless set, none.
 * @param rateLimiter Name of the rate limiter that says how many requests may come in a period. Unless set, none.
 * @param timeLimiter Name of the time limiter that ends an answer that takes too long. Unless set, none.
 * @param bulkhead Name of the bulkhead that says how many requests may be in the engine at once. Unless set, none.
 */
@ConfigurationProperties(BloomeryResilienceProperties.PREFIX)
public record BloomeryResilienceProperties(
        @Nullable String circuitBreaker,
        @Nullable String rateLimiter,
        @Nullable String timeLimiter,
        @Nullable String bulkhead) {

    static final String PREFIX = "bloomery.resilience";

    /** @throws InvalidOptionException naming the library that a property needs and the class path has not */
    void check(ClassLoader loader) {
        needs(circuitBreaker, "circuit-breaker", "circuitbreaker.CircuitBreaker", loader);
        needs(rateLimiter, "rate-limiter", "ratelimiter.RateLimiter", loader);
        needs(timeLimiter, "time-limiter", "timelimiter.TimeLimiter", loader);
        needs(bulkhead, "bulkhead", "bulkhead.Bulkhead", loader);
    }

    private static void needs(@Nullable String name, String property, String type, ClassLoader loader) {
        if (name != null && !ClassUtils.isPresent("io.github.resilience4j." + type, loader)) {
            throw new InvalidOptionException("Property '" + PREFIX + "." + property + "' is '" + name
                    + "', but its library is not on the class path; add io.github.resilience4j:resilience4j-"
                    + type.substring(0, type.indexOf('.')) + ".");
        }
    }
}
