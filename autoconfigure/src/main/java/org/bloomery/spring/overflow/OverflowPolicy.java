package org.bloomery.spring.overflow;

import org.springframework.ai.chat.prompt.Prompt;

/** Decides which requests may leave the process. Safe for use by many threads; called with the caller's context. */
@FunctionalInterface
public interface OverflowPolicy {

    /** Nothing leaves. */
    OverflowPolicy NONE = (prompt, caller) -> false;

    /** Everything may leave. */
    OverflowPolicy ALL = (prompt, caller) -> true;

    /**
     * Whether this prompt may be sent to the overflow's model. A policy that throws has said no.
     *
     * @param prompt what would be sent, as the guards have left it
     */
    boolean mayLeave(Prompt prompt, Caller caller);

    /**
     * Who asks.
     *
     * @param principal the name of whoever asks
     * @param tenant on whose behalf
     */
    record Caller(String principal, String tenant) {}
}
