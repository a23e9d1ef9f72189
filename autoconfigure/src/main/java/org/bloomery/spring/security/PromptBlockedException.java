package org.bloomery.spring.security;

import java.time.Duration;
import org.bloomery.engine.EngineException;

/** A guard refused a prompt. The message names the guard and its reason, never text of the prompt. */
public final class PromptBlockedException extends EngineException {

    private final String guard;
    private final String reason;

    public PromptBlockedException(String guard, String reason) {
        this(
                "The prompt was blocked by the guard '" + guard + "' (" + reason + "); change what it says.",
                guard,
                reason);
    }

    private PromptBlockedException(String message, String guard, String reason) {
        super(message);
        this.guard = guard;
        this.reason = reason;
    }

    /** Of a guard that did not judge a prompt in time. */
    static PromptBlockedException late(String guard, Duration limit) {
        return new PromptBlockedException(
                "The prompt was blocked because the guard '" + guard + "' did not judge it within " + limit.toMillis()
                        + " ms (" + GuardLimit.LATE + "); ask again later.",
                guard,
                GuardLimit.LATE);
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
