package org.bloomery.spring.security;

import org.bloomery.engine.EngineException;

/** A guard refused a prompt. The message names the guard and its reason, never text of the prompt. */
public final class PromptBlockedException extends EngineException {

    private final String guard;
    private final String reason;

    public PromptBlockedException(String guard, String reason) {
        super("The prompt was blocked by the guard '" + guard + "' (" + reason + "); change what it says.");
        this.guard = guard;
        this.reason = reason;
    }

    /** The guard's name. */
    public String guard() {
        return guard;
    }

    /** A code. */
    public String reason() {
        return reason;
    }
}
