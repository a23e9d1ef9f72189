package org.bloomery.spring.autoconfigure;

import io.micrometer.observation.ObservationRegistry;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineUnavailableException;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.spring.security.AuthorizationInterceptor;
import org.bloomery.spring.security.InferenceRequest;
import org.bloomery.spring.security.ModelAdmissionPolicy;
import org.bloomery.spring.security.ModelChecks;
import org.bloomery.spring.security.ModelVerifier;
import org.bloomery.spring.security.PrincipalResolver;
import org.bloomery.spring.security.SecurityContextCaller;
import org.bloomery.spring.security.TenantResolver;
import org.bloomery.spring.security.ToolCallInterceptor;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.authorization.AuthorizationManager;
import org.springframework.security.core.context.SecurityContextHolder;

/**
 * Says who asks, which is Spring Security's principal where it is on the class path, and whether they may; and which models
 * may be loaded.
 */
@AutoConfiguration(after = BloomeryChatAutoConfiguration.class)
@EnableConfigurationProperties(BloomerySecurityProperties.class)
public final class BloomerySecurityAutoConfiguration {

    /** With Spring Security. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(SecurityContextHolder.class)
    static class Secured {

        @Bean
        @ConditionalOnMissingBean
        TenantResolver bloomeryTenantResolver() {
            return SecurityContextCaller::name;
        }

        @Bean
        @ConditionalOnMissingBean
        PrincipalResolver bloomeryPrincipalResolver() {
            return SecurityContextCaller::name;
        }
    }

    /** Who may ask what: as far as there are managers that decide it. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(AuthorizationManager.class)
    @ConditionalOnBean(Engine.class) // Not on managers: one that is defined after this was looked at would not be asked
    static class Authorized {

        @Bean
        @ConditionalOnMissingBean
        AuthorizationInterceptor bloomeryAuthorizationInterceptor(
                ObjectProvider<AuthorizationManager<InferenceRequest>> managers,
                Engine engine,
                PrincipalResolver principals,
                ObjectProvider<ObservationRegistry> observations) {
            return new AuthorizationInterceptor(
                    managers.orderedStream().toList(),
                    () -> name(engine),
                    principals,
                    observations.getIfUnique(() -> ObservationRegistry.NOOP));
        }

        @Bean
        @ConditionalOnMissingBean
        ToolCallInterceptor bloomeryToolCallInterceptor(
                ObjectProvider<AuthorizationManager<ToolCall>> managers,
                ObjectProvider<ObservationRegistry> observations) {
            return new ToolCallInterceptor(
                    managers.orderedStream().toList(), observations.getIfUnique(() -> ObservationRegistry.NOOP));
        }
    }

    /** An engine without a model refuses by itself; who asks is looked at all the same. */
    private static String name(Engine engine) {
        try {
            return engine.model().name();
        } catch (EngineUnavailableException e) {
            return "unknown";
        }
    }

    /** What is asked before a model is loaded. */
    @Bean
    @ConditionalOnMissingBean
    ModelChecks bloomeryModelChecks(
            BloomerySecurityProperties properties,
            ObjectProvider<ModelVerifier> verifiers,
            ObjectProvider<ModelAdmissionPolicy> policies) {
        return properties.checks(
                verifiers.orderedStream().toList(), policies.orderedStream().toList());
    }

    /** Without. */
    @Bean
    @ConditionalOnMissingBean
    TenantResolver bloomeryAnonymousTenant() {
        return () -> TenantResolver.ANONYMOUS;
    }

    @Bean
    @ConditionalOnMissingBean
    PrincipalResolver bloomeryAnonymousPrincipal() {
        return () -> TenantResolver.ANONYMOUS;
    }
}
