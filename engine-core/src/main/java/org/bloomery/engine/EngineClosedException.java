package org.bloomery.engine;

/** The engine is closed, or closed while the request was in it. */
public final class EngineClosedException extends EngineException {

    public EngineClosedException(String message) {
        super(message);
    }

    public EngineClosedException(String message, Throwable cause) {
        super(message, cause);
    }
}
