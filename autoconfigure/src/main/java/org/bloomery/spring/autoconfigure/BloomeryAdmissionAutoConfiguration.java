package org.bloomery.spring.autoconfigure;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.observation.ObservationRegistry;
import org.bloomery.engine.Engine;
import org.bloomery.spring.admission.AdmissionInterceptor;
import org.bloomery.spring.security.TenantResolver;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Shares the engine among tenants, within what {@code bloomery.admission.*} lets each of them use. */
@AutoConfiguration(after = {BloomeryChatAutoConfiguration.class, BloomerySecurityAutoConfiguration.class})
@ConditionalOnBean({Engine.class, TenantResolver.class})
public final class BloomeryAdmissionAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    AdmissionInterceptor bloomeryAdmissionInterceptor(
            TenantResolver tenants,
            BloomeryAdmissionProperties properties,
            Engine engine,
            ObjectProvider<ObservationRegistry> observations) {
        return new AdmissionInterceptor(
                tenants,
                properties.limits(),
                properties.tenantLimits(),
                engine::countTokens,
                Engine.DEFAULT_MAX_TOKENS,
                observations.getIfUnique(() -> ObservationRegistry.NOOP));
    }

    /** What the interceptor refuses never comes to the engine, which counts everything else. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(MeterRegistry.class)
    @ConditionalOnBooleanProperty(prefix = BloomeryMetricsProperties.PREFIX, name = "enabled", matchIfMissing = true)
    static class Metrics {

        @Bean
        MeterBinder bloomeryAdmissionMetrics(AdmissionInterceptor admission) {
            return registry -> {
                FunctionCounter.builder("bloomery.admission.refused", admission, a -> a.refusedForBudget())
                        .description("Requests beyond what their tenants may use")
                        .baseUnit("requests")
                        .tag("reason", "tenant-budget")
                        .register(registry);
                FunctionCounter.builder("bloomery.admission.refused", admission, a -> a.refusedForPrompt())
                        .description("Requests beyond what their tenants may use")
                        .baseUnit("requests")
                        .tag("reason", "prompt-tokens")
                        .register(registry);
            };
        }
    }
}
