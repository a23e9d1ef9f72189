package org.bloomery.spring.autoconfigure;

import io.micrometer.observation.ObservationRegistry;
import org.bloomery.spring.security.GuardInterceptor;
import org.bloomery.spring.security.InvisibleCharacterGuard;
import org.bloomery.spring.security.OutputGuard;
import org.bloomery.spring.security.PiiGuard;
import org.bloomery.spring.security.PiiRedactor;
import org.bloomery.spring.security.PromptGuard;
import org.bloomery.spring.security.SecretGuard;
import org.bloomery.spring.security.SystemPromptGuard;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.core.annotation.Order;

/** The guards that {@code bloomery.guards.*} switches on, beside whatever others there are. */
@AutoConfiguration(after = BloomeryChatAutoConfiguration.class)
@EnableConfigurationProperties(BloomeryGuardProperties.class)
public final class BloomeryGuardAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    GuardInterceptor bloomeryGuardInterceptor(
            ObjectProvider<PromptGuard> promptGuards,
            ObjectProvider<OutputGuard> outputGuards,
            BloomeryGuardProperties properties,
            ObjectProvider<ObservationRegistry> observations) {
        return new GuardInterceptor(
                promptGuards.orderedStream().toList(),
                outputGuards.orderedStream().toList(),
                properties.holdBack(),
                properties.timeout(),
                observations.getIfUnique(() -> ObservationRegistry.NOOP));
    }

    @Bean
    @Order(100)
    @ConditionalOnProperty(prefix = BloomeryGuardProperties.PREFIX, name = "invisible-characters")
    @ConditionalOnMissingBean
    InvisibleCharacterGuard bloomeryInvisibleCharacterGuard(BloomeryGuardProperties properties) {
        return new InvisibleCharacterGuard(properties.nfkc());
    }

    @Bean
    @Order(200)
    @ConditionalOnProperty(prefix = BloomeryGuardProperties.PREFIX, name = "secrets")
    @ConditionalOnMissingBean
    SecretGuard bloomerySecretGuard() {
        return new SecretGuard();
    }

    @Bean
    @ConditionalOnProperty(prefix = BloomeryGuardProperties.PREFIX, name = "pii")
    @ConditionalOnMissingBean
    PiiRedactor bloomeryPiiRedactor() {
        return new PiiRedactor();
    }

    @Bean
    @Order(300)
    @ConditionalOnProperty(prefix = BloomeryGuardProperties.PREFIX, name = "pii")
    @ConditionalOnMissingBean
    PiiGuard bloomeryPiiGuard(PiiRedactor redactor) {
        return new PiiGuard(redactor);
    }

    @Bean
    @Order(400)
    @ConditionalOnProperty(prefix = BloomeryGuardProperties.PREFIX, name = "system-prompt-leak")
    @ConditionalOnMissingBean
    SystemPromptGuard bloomerySystemPromptGuard() {
        return new SystemPromptGuard();
    }
}
