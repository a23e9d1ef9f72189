package org.bloomery.engine.template;

import org.bloomery.engine.EngineException;

/** A chat template does not parse, exceeds a limit, or refuses its input (raise_exception). */
public final class TemplateException extends EngineException {

    public TemplateException(String message) {
        super(message);
    }

    public TemplateException(String message, Throwable cause) {
        super(message, cause);
    }
}
