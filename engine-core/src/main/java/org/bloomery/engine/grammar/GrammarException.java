package org.bloomery.engine.grammar;

import org.bloomery.engine.EngineException;

/**
 * A constraint cannot be compiled, or cannot be followed: the message names the keyword or construct, where it stands,
 * and what to do.
 */
public final class GrammarException extends EngineException {

    public GrammarException(String message) {
        super(message);
    }
}
