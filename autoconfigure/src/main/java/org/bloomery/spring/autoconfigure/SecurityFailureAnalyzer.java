package org.bloomery.spring.autoconfigure;

import org.bloomery.engine.EngineException;
import org.bloomery.engine.audit.AuditException;
import org.bloomery.spring.security.ModelRefusedException;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/** Tells what to do where a model may not be loaded or no record can be kept. */
@Order(Ordered.HIGHEST_PRECEDENCE + 50)
final class SecurityFailureAnalyzer extends AbstractFailureAnalyzer<EngineException> {

    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, EngineException cause) {
        String action = switch (cause) {
            case AuditException audit ->
                "Set 'bloomery.audit.file' to a file that this process may write and no other process writes.";
            case ModelRefusedException refused ->
                switch (refused.check()) {
                    case INTEGRITY ->
                        "Use the model that 'bloomery.security.model-sha256' or 'bloomery.security.model-signature' is"
                                + " about. Change these only where you know why they differ.";
                    case ADMISSION -> "Use another model, or allow this one under 'bloomery.security'.";
                    case CHAT_TEMPLATE ->
                        "Use a chat template that 'bloomery.security.chat-template' allows, or change that.";
                };
            default -> null;
        };
        return action == null ? null : new FailureAnalysis(String.valueOf(cause.getMessage()), action, cause);
    }
}
