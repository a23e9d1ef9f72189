package org.bloomery.spring.security;

import org.bloomery.engine.chat.ChatMessage;

/**
 * Judges the texts of a prompt before the engine sees them. Every bean of this type is asked, in Spring's order, each with
 * what the ones before it left of a text; one that throws, or takes longer than {@code bloomery.guards.timeout} for a text,
 * blocks. Safe for use by many threads.
 *
 * <p>It is asked on a thread of ours that has the caller's context as far as Micrometer's context propagation knows it:
 * Spring Security's authentication, the observation. A guard that is late is interrupted.
 */
@FunctionalInterface
public interface PromptGuard {

    /**
     * Judges one text: a message's content or reasoning, a tool's result, or one string in the arguments of an earlier tool
     * call.
     *
     * @param role whose turn it is in
     */
    Verdict check(ChatMessage.Role role, String text);

    /** A name for records; the class's own unless overridden. */
    default String name() {
        return getClass().getSimpleName();
    }
}
