package org.bloomery.spring.security;

import org.bloomery.engine.GenerationRequest;

/**
 * Judges an answer before anybody sees it. Every bean of this type is asked, in Spring's order; one that throws, or takes
 * longer than {@code bloomery.guards.timeout} for a window, blocks. The caller's context is there, as for a
 * {@link PromptGuard}, for {@link #begin} only; a check has the observation.
 */
@FunctionalInterface
public interface OutputGuard {

    /** What judges the answer to this request, which is as the engine gets it. */
    Check begin(GenerationRequest request);

    /** A name for records; the class's own unless overridden. */
    default String name() {
        return getClass().getSimpleName();
    }

    /** Judges one answer, whose pieces come one after the other, though not always on the same thread. */
    @FunctionalInterface
    interface Check {

        /**
         * Judges a window: all that is held back of the answer, which a later window repeats as far as it was not let go. A
         * replacement that reaches the window's end is not made yet, unless it is the last window.
         *
         * @param last whether nothing follows it
         */
        Verdict check(String window, boolean last);
    }
}
