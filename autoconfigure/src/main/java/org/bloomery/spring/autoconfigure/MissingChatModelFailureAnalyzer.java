package org.bloomery.spring.autoconfigure;

import org.bloomery.spring.chat.BloomeryChatModel;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.model.SpringAIModelProperties;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.beans.factory.NoUniqueBeanDefinitionException;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.analyzer.AbstractInjectionFailureAnalyzer;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;

/** Tells what to set where something needs a chat model and there is none. */
@Order(Ordered.HIGHEST_PRECEDENCE + 100)
final class MissingChatModelFailureAnalyzer extends AbstractInjectionFailureAnalyzer<NoSuchBeanDefinitionException> {

    private final Environment environment;

    MissingChatModelFailureAnalyzer(Environment environment) {
        this.environment = environment;
    }

    @Override
    protected @Nullable FailureAnalysis analyze(
            Throwable rootFailure, NoSuchBeanDefinitionException cause, @Nullable String injectionPoint) {
        Class<?> type = cause.getBeanType();
        if (type == null
                || cause instanceof NoUniqueBeanDefinitionException
                || !type.isAssignableFrom(BloomeryChatModel.class)
                || type == Object.class) {
            return null;
        }
        String where = injectionPoint == null ? "Something" : injectionPoint;
        String selected = environment.getProperty(SpringAIModelProperties.CHAT_MODEL);
        if (selected != null && !selected.equals(BloomeryChatModel.PROVIDER)) {
            return new FailureAnalysis(
                    where + " requires a bean of type '" + type.getName() + "', but '"
                            + SpringAIModelProperties.CHAT_MODEL + "' is '" + selected
                            + "', so Bloomery offers no chat model.",
                    "Set '" + SpringAIModelProperties.CHAT_MODEL + "' to '" + BloomeryChatModel.PROVIDER
                            + "', or add what provides '" + selected + "'.",
                    cause);
        }
        if (environment.getProperty("bloomery.chat.model") != null) {
            return null;
        }
        return new FailureAnalysis(
                where + " requires a bean of type '" + type.getName()
                        + "', but 'bloomery.chat.model' is not set, so Bloomery offers no chat model.",
                "Set 'bloomery.chat.model' to a GGUF file: a path, a file: URI or a classpath: resource.",
                cause);
    }
}
