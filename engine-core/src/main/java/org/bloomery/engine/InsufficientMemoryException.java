package org.bloomery.engine;

/** The model's memory plan does not fit; the message holds the plan. */
public final class InsufficientMemoryException extends EngineException {

    public InsufficientMemoryException(String message) {
        super(message);
    }

    public InsufficientMemoryException(String message, Throwable cause) {
        super(message, cause);
    }
}
