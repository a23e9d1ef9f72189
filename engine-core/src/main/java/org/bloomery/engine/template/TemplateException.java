package org.bloomery.engine.template;

import org.bloomery.engine.EngineException;

/** A chat template does not parse, exceeds a limit, or refuses its input (raise_exception). */
public final class TemplateException extends EngineException {

    private final boolean refusal;

    public TemplateException(String message) {
        this(message, false);
    }

    public TemplateException(String message, Throwable cause) {
        super(message, cause);
        this.refusal = false;
    }

    TemplateException(String message, boolean refusal) {
        super(message);
        this.refusal = refusal;
    }

    /** Whether the template itself refused the conversation by calling raise_exception. */
    public boolean refusal() {
        return refusal;
    }
}
