package org.bloomery.spring.autoconfigure;

import io.micrometer.observation.ObservationRegistry;
import org.bloomery.engine.Engine;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.RequestRecorder;
import org.bloomery.spring.security.ModelChecks;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.ai.model.SpringAIModelProperties;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.availability.ApplicationAvailabilityAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.availability.ApplicationAvailability;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.core.io.ResourceLoader;

/**
 * A chat model over the file that {@code bloomery.chat.model} names. The model is loaded before a web server opens its
 * port, and freed after its requests have drained.
 */
@AutoConfiguration(
        after = ApplicationAvailabilityAutoConfiguration.class,
        beforeName = "org.springframework.ai.model.chat.client.autoconfigure.ChatClientAutoConfiguration")
@ConditionalOnProperty(
        name = SpringAIModelProperties.CHAT_MODEL,
        havingValue = BloomeryChatModel.PROVIDER,
        matchIfMissing = true)
@ConditionalOnProperty(prefix = BloomeryChatProperties.PREFIX, name = "model")
@EnableConfigurationProperties({
    BloomeryChatProperties.class,
    BloomeryEngineProperties.class,
    BloomeryAdmissionProperties.class
})
public final class BloomeryChatAutoConfiguration {

    /** A bean of its own, so that a copy out of an archive is deleted after the engine is closed. */
    @Bean
    @ConditionalOnMissingBean({Engine.class, BloomeryChatModel.class})
    EngineOpening bloomeryEngineOpening(
            BloomeryChatProperties chat,
            BloomeryEngineProperties engine,
            BloomeryAdmissionProperties admission,
            ResourceLoader resources,
            ObjectProvider<ModelChecks> checks) {
        return new EngineOpening(chat, engine, admission, resources, checks);
    }

    @Bean
    @ConditionalOnMissingBean({Engine.class, BloomeryChatModel.class})
    Engine bloomeryEngine(EngineOpening opening) {
        return opening.open();
    }

    @Bean
    @ConditionalOnBean(Engine.class)
    @ConditionalOnMissingBean
    EngineLifecycle bloomeryEngineLifecycle(Engine engine, BloomeryEngineProperties properties) {
        return new EngineLifecycle(engine::drain, engine::close, properties.shutdownTimeout());
    }

    @Bean
    @ConditionalOnBean({Engine.class, ApplicationAvailability.class})
    @ConditionalOnMissingBean
    EngineReadiness bloomeryEngineReadiness(
            Engine engine, ConfigurableApplicationContext context, ApplicationAvailability availability) {
        EngineReadiness readiness = new EngineReadiness(context, availability, engine::state);
        engine.onStateChange(readiness::accept);
        return readiness;
    }

    @Bean
    @ConditionalOnBean(Engine.class)
    @ConditionalOnMissingBean
    ToolBeansCheck bloomeryToolBeansCheck(Engine engine, ApplicationContext context) {
        return new ToolBeansCheck(engine::checkTool, engine::whenLoaded, context);
    }

    @Bean
    @ConditionalOnMissingBean
    BloomeryChatModel bloomeryChatModel(
            Engine engine,
            BloomeryChatProperties properties,
            ObjectProvider<ObservationRegistry> observationRegistry,
            ObjectProvider<ChatModelObservationConvention> observationConvention,
            ObjectProvider<GenerationInterceptor> interceptors,
            ObjectProvider<RequestRecorder> recorder) {
        return BloomeryChatModel.builder(engine)
                .options(properties.toOptions())
                .observationRegistry(observationRegistry.getIfUnique(() -> ObservationRegistry.NOOP))
                .observationConvention(observationConvention.getIfAvailable())
                .interceptors(interceptors.orderedStream().toList())
                .recorder(recorder.getIfAvailable(() -> RequestRecorder.NONE))
                .build();
    }
}
