package org.bloomery.engine.chat;

import org.bloomery.engine.InvalidOptionException;
import org.jspecify.annotations.Nullable;

/**
 * Whether and how long a model thinks before it answers.
 *
 * @param mode whether it does
 * @param budget most tokens of thinking, at least 1, after which it is made to answer; null for no limit
 */
public record Thinking(Mode mode, @Nullable Integer budget) {

    /** Whether a model thinks. */
    public enum Mode {
        /** As the model and its template like. */
        AUTO,
        /** It begins by thinking; a model whose template marks no thinking is refused. */
        ON,
        /** It answers at once. */
        OFF
    }

    public static final Thinking AUTO = new Thinking(Mode.AUTO, null);
    public static final Thinking ON = new Thinking(Mode.ON, null);
    public static final Thinking OFF = new Thinking(Mode.OFF, null);

    public Thinking {
        if (budget != null && budget < 1) {
            throw new InvalidOptionException("Option 'thinking-budget' is " + budget
                    + "; it must be at least 1. For no thinking set 'thinking' to off.");
        }
        if (budget != null && mode == Mode.OFF) {
            throw new InvalidOptionException(
                    "Option 'thinking-budget' is " + budget + ", but 'thinking' is off; leave one of them out.");
        }
    }

    /** Most tokens of thinking, or -1 for no limit. */
    int limit() {
        if (mode == Mode.OFF) {
            return 0;
        }
        return budget == null ? -1 : budget;
    }
}
