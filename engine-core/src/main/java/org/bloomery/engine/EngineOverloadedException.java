package org.bloomery.engine;

/** The engine's queue is full; the caller may try again later. */
public final class EngineOverloadedException extends EngineException {

    public EngineOverloadedException(String message) {
        super(message);
    }

    public EngineOverloadedException(String message, Throwable cause) {
        super(message, cause);
    }
}
