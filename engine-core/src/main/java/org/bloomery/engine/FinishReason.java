package org.bloomery.engine;

/** Why a generation ended. */
public enum FinishReason {
    /** The model ended its turn, or a stop string came. */
    STOP,
    /** {@code max-tokens} were generated. */
    LENGTH,
    /** The answer asks for tool calls. */
    TOOL_CALLS,
    /** The caller cancelled, or its sink refused more. */
    CANCELLED,
    /** The deadline passed. */
    DEADLINE,
    /** The engine was closed while the answer was being written. */
    SHUTDOWN,
    /** A guard of the application blocked the rest; the engine itself never says so. */
    GUARD
}
