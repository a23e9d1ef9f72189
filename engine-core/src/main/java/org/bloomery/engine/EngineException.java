package org.bloomery.engine;

import org.jspecify.annotations.Nullable;

/**
 * Root of everything the engine throws on purpose. The message is one sentence: what failed, on which thing, what was
 * found, what was expected and what to do. It never holds prompt text.
 */
public class EngineException extends RuntimeException {

    public EngineException(String message) {
        super(message);
    }

    public EngineException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
