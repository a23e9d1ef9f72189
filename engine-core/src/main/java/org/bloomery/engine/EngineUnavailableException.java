package org.bloomery.engine;

/** The engine has no model to answer with: it is still being loaded, or could not be. */
public final class EngineUnavailableException extends EngineException {

    public EngineUnavailableException(String message) {
        super(message);
    }

    public EngineUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
