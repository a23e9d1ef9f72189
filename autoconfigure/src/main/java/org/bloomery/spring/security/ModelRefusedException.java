package org.bloomery.spring.security;

import org.bloomery.engine.EngineException;

/** A model may not be loaded. The message says why. */
public final class ModelRefusedException extends EngineException {

    /** What refused it. */
    public enum Check {
        /** Its file is not the one that it should be, or nothing says which one it should be. */
        INTEGRITY,
        /** It is of a kind, or in a place, that the configuration does not allow. */
        ADMISSION,
        /** Its chat template is not one that may be used. */
        CHAT_TEMPLATE
    }

    private final Check check;

    public ModelRefusedException(Check check, String message) {
        super(message);
        this.check = check;
    }

    public Check check() {
        return check;
    }
}
