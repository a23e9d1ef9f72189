package org.bloomery.spring.autoconfigure;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The engine's metrics.
 *
 * @param enabled Whether the engine's figures are registered as Micrometer meters, where there is a meter registry.
 */
@ConfigurationProperties(BloomeryMetricsProperties.PREFIX)
public record BloomeryMetricsProperties(
        @DefaultValue("true") boolean enabled) {

    static final String PREFIX = "bloomery.metrics";
}
