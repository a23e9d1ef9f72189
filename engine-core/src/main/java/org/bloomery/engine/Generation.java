package org.bloomery.engine;

import org.jspecify.annotations.Nullable;

/** A request under way. Safe for use by many threads. */
public interface Generation {

    /** Unique among the requests of this engine. */
    String id();

    /** The engine's model that took the request and answers it, or null where another's does. */
    default @Nullable AnsweringModel model() {
        return null;
    }

    /** Asks the engine to stop before its next step; the generation then ends with {@link FinishReason#CANCELLED}. */
    void cancel();

    /**
     * Waits for the answer. An interrupt cancels the generation, whose answer so far is then returned; the thread's
     * interrupt flag stays set.
     *
     * @throws EngineException if the request failed
     */
    Completion await();
}
