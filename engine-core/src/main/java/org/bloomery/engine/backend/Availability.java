package org.bloomery.engine.backend;

/** Whether something can be used, with the reason in one sentence: a value, not an exception. */
public sealed interface Availability {

    /** What was found, or why it is not available. */
    String reason();

    record Available(String reason) implements Availability {}

    record Unavailable(String reason) implements Availability {}
}
