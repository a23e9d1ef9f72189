package org.bloomery.engine.chat;

import org.bloomery.engine.InvalidOptionException;
import org.jspecify.annotations.Nullable;

/**
 * Whether a model calls tools.
 *
 * @param mode what it may or must do
 * @param tool the only tool it may call, for {@link Mode#NAMED}; null for the other modes
 */
public record ToolChoice(Mode mode, @Nullable String tool) {

    /** What the model may or must do. */
    public enum Mode {
        /** Text, calls or both, as the model likes. */
        AUTO,
        /** No calls: the tools are not offered. */
        NONE,
        /** At least one call of any offered tool. */
        REQUIRED,
        /** At least one call, of one tool. */
        NAMED
    }

    public static final ToolChoice AUTO = new ToolChoice(Mode.AUTO, null);
    public static final ToolChoice NONE = new ToolChoice(Mode.NONE, null);
    public static final ToolChoice REQUIRED = new ToolChoice(Mode.REQUIRED, null);

    public ToolChoice {
        if ((mode == Mode.NAMED) != (tool != null)) {
            throw new InvalidOptionException("Option 'tool-choice' is " + mode + (tool == null ? " without" : " with")
                    + " a tool's name; name a tool for NAMED, and for no other.");
        }
    }

    /** The choice that a word names: {@code auto}, {@code none}, {@code required}, or else the name of a tool. */
    public static ToolChoice of(String word) {
        return switch (word) {
            case "auto" -> AUTO;
            case "none" -> NONE;
            case "required" -> REQUIRED;
            default -> named(word);
        };
    }

    /** At least one call of this tool. */
    public static ToolChoice named(String tool) {
        return new ToolChoice(Mode.NAMED, tool);
    }

    /** Whether an answer without a call is not allowed. */
    boolean demandsCall() {
        return mode == Mode.REQUIRED || mode == Mode.NAMED;
    }
}
