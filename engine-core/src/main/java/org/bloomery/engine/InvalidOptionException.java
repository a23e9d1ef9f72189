package org.bloomery.engine;

/** An option is outside its range; the message names the option, the value and the range. */
public final class InvalidOptionException extends EngineException {

    public InvalidOptionException(String message) {
        super(message);
    }

    public InvalidOptionException(String message, Throwable cause) {
        super(message, cause);
    }
}
