package org.bloomery.spring.autoconfigure;

import org.bloomery.engine.EngineException;
import org.bloomery.engine.InsufficientMemoryException;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.ModelNotFoundException;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.format.ModelFormatException;
import org.bloomery.engine.template.TemplateException;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;

/** Tells why the engine did not start, and what to do about it. */
@Order(Ordered.HIGHEST_PRECEDENCE + 100)
final class EngineFailureAnalyzer extends AbstractFailureAnalyzer<EngineException> {

    private static final String MODEL = BloomeryChatProperties.PREFIX + ".model";

    private final Environment environment;

    EngineFailureAnalyzer(Environment environment) {
        this.environment = environment;
    }

    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, EngineException cause) {
        String model = environment.getProperty(MODEL);
        String description = String.valueOf(cause.getMessage());
        if (model != null && !(cause instanceof InvalidOptionException)) {
            description = "The model of '" + MODEL + "' (" + model + ") cannot be used." + System.lineSeparator()
                    + System.lineSeparator() + description;
        }
        String action = switch (cause) {
            case ModelNotFoundException missing ->
                "Set '" + MODEL + "' to a GGUF file that this process can read: a path, a file: URI or a"
                        + " classpath: resource.";
            case ModelFormatException malformed ->
                "Check that the file is a GGUF model and complete: compare its size and SHA-256 with what its"
                        + " publisher names, and download it again if they differ.";
            case UnsupportedModelException unsupported ->
                "Use a model of an architecture and a type that this version supports, or a newer version of"
                        + " Bloomery.";
            case InsufficientMemoryException tooBig ->
                "Give the process more memory, lower 'bloomery.engine.context-length' or"
                        + " 'bloomery.engine.max-sequences', or use a smaller or more strongly quantised model.";
            case InvalidOptionException badOption -> "Change the property to a value that is allowed.";
            case TemplateException template ->
                "Set 'bloomery.engine.chat-template' to a template that this version understands.";
            default -> null;
        };
        return new FailureAnalysis(description, action, cause);
    }
}
