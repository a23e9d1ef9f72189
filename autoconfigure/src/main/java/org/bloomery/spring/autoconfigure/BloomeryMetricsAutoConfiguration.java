package org.bloomery.spring.autoconfigure;

import io.micrometer.core.instrument.MeterRegistry;
import org.bloomery.engine.Engine;
import org.bloomery.spring.metrics.EngineMetrics;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/** Meters of the engine, which Boot binds to the application's registries. */
@AutoConfiguration(
        after = BloomeryChatAutoConfiguration.class,
        afterName = "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration")
@ConditionalOnClass(MeterRegistry.class)
@ConditionalOnBean({Engine.class, MeterRegistry.class})
@ConditionalOnBooleanProperty(prefix = BloomeryMetricsProperties.PREFIX, name = "enabled", matchIfMissing = true)
@EnableConfigurationProperties(BloomeryMetricsProperties.class)
public final class BloomeryMetricsAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    EngineMetrics bloomeryEngineMetrics(Engine engine) {
        return new EngineMetrics(engine);
    }
}
