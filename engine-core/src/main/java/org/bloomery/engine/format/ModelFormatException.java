package org.bloomery.engine.format;

import org.bloomery.engine.EngineException;

/** The file is no model file, or one that breaks a rule of its format or a limit of the reader. */
public final class ModelFormatException extends EngineException {

    public ModelFormatException(String message) {
        super(message);
    }

    public ModelFormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
