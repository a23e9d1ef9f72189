package org.bloomery.engine;

/** A well-formed model that no backend here can run: an unknown architecture, tensor type, tokenizer or template. */
public final class UnsupportedModelException extends EngineException {

    public UnsupportedModelException(String message) {
        super(message);
    }

    public UnsupportedModelException(String message, Throwable cause) {
        super(message, cause);
    }
}
