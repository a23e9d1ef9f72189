package org.bloomery.spring.autoconfigure;

import io.micrometer.core.instrument.MeterRegistry;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.bloomery.engine.Engine;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.bloomery.spring.overflow.OverflowInterceptor;
import org.bloomery.spring.overflow.OverflowListener;
import org.bloomery.spring.overflow.OverflowMetrics;
import org.bloomery.spring.overflow.OverflowPolicy;
import org.bloomery.spring.security.PrincipalResolver;
import org.bloomery.spring.security.TenantResolver;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Has the chat model that {@code bloomery.overflow.model} names answer what the engine does not. Whoever injects a chat
 * model still gets Bloomery's, which is the primary one of the two.
 */
@AutoConfiguration(
        after = {BloomeryChatAutoConfiguration.class, BloomerySecurityAutoConfiguration.class},
        afterName = "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration")
@ConditionalOnProperty(prefix = BloomeryOverflowProperties.PREFIX, name = "model")
@ConditionalOnBean(Engine.class)
@EnableConfigurationProperties(BloomeryOverflowProperties.class)
public final class BloomeryOverflowAutoConfiguration {

    private static final Log log = LogFactory.getLog(BloomeryOverflowAutoConfiguration.class);

    @Bean
    static BeanFactoryPostProcessor bloomeryPrimaryChatModel() {
        return BloomeryOverflowAutoConfiguration::makePrimary;
    }

    private static void makePrimary(ConfigurableListableBeanFactory beans) {
        List<BeanDefinition> models = Arrays.stream(beans.getBeanNamesForType(ChatModel.class, true, false))
                .filter(beans::containsBeanDefinition)
                .map(beans::getBeanDefinition)
                .toList();
        if (models.stream().noneMatch(BeanDefinition::isPrimary)) {
            for (String name : beans.getBeanNamesForType(BloomeryChatModel.class, true, false)) {
                beans.getBeanDefinition(name).setPrimary(true);
            }
        }
    }

    @Bean
    @ConditionalOnMissingBean
    OverflowInterceptor bloomeryOverflowInterceptor(
            BloomeryOverflowProperties properties,
            ListableBeanFactory beans,
            PrincipalResolver principals,
            TenantResolver tenants,
            ObjectProvider<OverflowListener> listeners) {
        return new OverflowInterceptor(
                target(String.valueOf(properties.model()), beans),
                properties.when(),
                policy(properties.policy(), beans),
                principals,
                tenants,
                listeners.orderedStream().toList());
    }

    private static OverflowInterceptor.Target target(String name, ListableBeanFactory beans) {
        List<String> others = Arrays.stream(beans.getBeanNamesForType(ChatModel.class, true, false))
                .filter(each -> !beans.isTypeMatch(each, BloomeryChatModel.class))
                .toList();
        if (!others.contains(name)) {
            throw unknown("model", name, "a ChatModel", others);
        }
        return new OverflowInterceptor.Target(name, beans.getBean(name, ChatModel.class));
    }

    private static OverflowPolicy policy(String name, ListableBeanFactory beans) {
        if (name.equals("none")) {
            log.info("No request overflows, since '" + BloomeryOverflowProperties.PREFIX + ".policy' is 'none'.");
            return OverflowPolicy.NONE;
        }
        if (name.equals("all")) {
            return OverflowPolicy.ALL;
        }
        List<String> policies = List.of(beans.getBeanNamesForType(OverflowPolicy.class));
        if (!policies.contains(name)) {
            throw unknown("policy", name, "an OverflowPolicy, and neither 'none' nor 'all'", policies);
        }
        return beans.getBean(name, OverflowPolicy.class);
    }

    private static InvalidOptionException unknown(String property, String name, String kind, List<String> known) {
        return new InvalidOptionException("Property '" + BloomeryOverflowProperties.PREFIX + "." + property + "' is '"
                + name + "', which is no bean that is " + kind + "; "
                + (known.isEmpty() ? "there is none, so define one." : "there is " + String.join(", ", known) + "."));
    }

    /** What became of requests that overflowed, as a meter. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(MeterRegistry.class)
    @ConditionalOnBean(MeterRegistry.class)
    static class Metrics {

        @Bean
        @ConditionalOnMissingBean
        OverflowMetrics bloomeryOverflowMetrics(MeterRegistry registry) {
            return new OverflowMetrics(registry);
        }
    }
}
