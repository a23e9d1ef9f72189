package org.bloomery.spring.autoconfigure;

import io.micrometer.observation.ObservationRegistry;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.store.ModelReference;
import org.bloomery.engine.store.ResolvedModel;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.bloomery.spring.chat.GenerationInterceptor;
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

    private static final Log log = LogFactory.getLog(BloomeryChatAutoConfiguration.class);

    /** A bean of its own, so that a copy out of an archive is deleted after the engine is closed. */
    @Bean
    @ConditionalOnMissingBean({Engine.class, BloomeryChatModel.class})
    ResolvedModel bloomeryModelFile(BloomeryChatProperties chat, ResourceLoader resources) {
        chat.toOptions(); // Refuses a bad option before gigabytes are read for it.
        ClassLoader loader = resources.getClassLoader();
        return OptionNames.under(
                BloomeryChatProperties.PREFIX,
                () -> ModelReference.parse(String.valueOf(chat.model()))
                        .resolve(loader == null ? ClassLoader.getSystemClassLoader() : loader));
    }

    @Bean
    @ConditionalOnMissingBean({Engine.class, BloomeryChatModel.class})
    Engine bloomeryEngine(
            ResolvedModel file,
            BloomeryChatProperties chat,
            BloomeryEngineProperties properties,
            BloomeryAdmissionProperties admission,
            ObjectProvider<ModelChecks> checks) {
        EngineOptions options = admission.limit(properties.toOptions(file.path()));
        checks.ifAvailable(all -> all.check(file.path(), options.chatTemplate()));
        log.info("Loading " + chat.model());
        Engine engine = OptionNames.under(
                BloomeryEngineProperties.PREFIX,
                () -> Engine.open(options, new LoadProgressLog(log, String.valueOf(chat.model()), System::nanoTime)));
        log.info(String.join(System.lineSeparator() + "  ", engine.report()));
        return engine;
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
        EngineReadiness readiness = new EngineReadiness(context, availability);
        engine.onStateChange(readiness::accept);
        return readiness;
    }

    @Bean
    @ConditionalOnMissingBean
    BloomeryChatModel bloomeryChatModel(
            Engine engine,
            BloomeryChatProperties properties,
            ObjectProvider<ObservationRegistry> observationRegistry,
            ObjectProvider<ChatModelObservationConvention> observationConvention,
            ObjectProvider<GenerationInterceptor> interceptors) {
        return BloomeryChatModel.builder(engine)
                .options(properties.toOptions())
                .observationRegistry(observationRegistry.getIfUnique(() -> ObservationRegistry.NOOP))
                .observationConvention(observationConvention.getIfAvailable())
                .interceptors(interceptors.orderedStream().toList())
                .build();
    }
}
