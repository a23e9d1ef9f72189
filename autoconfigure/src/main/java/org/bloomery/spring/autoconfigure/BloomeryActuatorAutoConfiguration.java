package org.bloomery.spring.autoconfigure;

import org.bloomery.engine.Engine;
import org.bloomery.spring.actuate.InferenceEndpoint;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** The actuator endpoint {@code inference}. */
@AutoConfiguration(after = BloomeryChatAutoConfiguration.class)
@ConditionalOnClass({Endpoint.class, ConditionalOnAvailableEndpoint.class})
@ConditionalOnBean({Engine.class, EngineOpening.class})
public final class BloomeryActuatorAutoConfiguration {

    @Bean
    @ConditionalOnAvailableEndpoint(InferenceEndpoint.class)
    @ConditionalOnMissingBean
    InferenceEndpoint bloomeryInferenceEndpoint(
            Engine engine, EngineOpening opening, BloomeryEngineProperties properties) {
        return new InferenceEndpoint(engine, opening::options, properties.shutdownTimeout(), opening::startupProbe);
    }
}
