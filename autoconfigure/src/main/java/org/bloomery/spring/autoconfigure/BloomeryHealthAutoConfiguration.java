package org.bloomery.spring.autoconfigure;

import java.time.Duration;
import org.bloomery.engine.Engine;
import org.bloomery.spring.health.EngineHealthIndicator;
import org.bloomery.spring.health.EngineWatchdog;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.LivenessState;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** A watchdog over the engine, and its health where Boot's health is on the class path. */
@AutoConfiguration(after = BloomeryChatAutoConfiguration.class)
@ConditionalOnBean(Engine.class)
public final class BloomeryHealthAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    EngineWatchdog bloomeryEngineWatchdog(
            Engine engine,
            ObjectProvider<BloomeryEngineProperties> properties,
            ObjectProvider<EngineReadiness> readiness,
            ApplicationContext context) {
        Duration least = properties.stream()
                .findFirst()
                .map(BloomeryEngineProperties::stallTimeout)
                .orElse(BloomeryEngineProperties.STALL_TIMEOUT);
        EngineWatchdog watchdog = EngineWatchdog.of(engine, least);
        watchdog.onChange(state -> {
            readiness.ifAvailable(each -> each.accept(state));
            AvailabilityChangeEvent.publish(
                    context, state == EngineWatchdog.State.BROKEN ? LivenessState.BROKEN : LivenessState.CORRECT);
        });
        return watchdog;
    }

    @Bean
    @ConditionalOnMissingBean
    WatchdogLifecycle bloomeryWatchdogLifecycle(EngineWatchdog watchdog) {
        return new WatchdogLifecycle(watchdog);
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
    static class Indicator {

        @Bean
        @ConditionalOnEnabledHealthIndicator("bloomery")
        @ConditionalOnMissingBean(name = {"bloomeryHealthIndicator", "bloomeryHealthContributor"})
        EngineHealthIndicator bloomeryHealthIndicator(Engine engine, EngineWatchdog watchdog) {
            return new EngineHealthIndicator(engine, watchdog::state);
        }
    }
}
