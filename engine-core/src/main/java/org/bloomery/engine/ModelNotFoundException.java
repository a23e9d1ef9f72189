package org.bloomery.engine;

/** The model file named in the options is not there or cannot be read. */
public final class ModelNotFoundException extends EngineException {

    public ModelNotFoundException(String message) {
        super(message);
    }

    public ModelNotFoundException(String message, Throwable cause) {
        super(message, cause);
    }
}
