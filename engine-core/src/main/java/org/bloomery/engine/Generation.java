package org.bloomery.engine;

import java.util.concurrent.CompletionStage;

/** A request under way. */
public interface Generation {

    /** Unique among the requests of this engine. */
    String id();

    /** Asks the engine to stop before its next step; the generation then ends with {@link FinishReason#CANCELLED}. */
    void cancel();

    /** Completes with the answer, or exceptionally with what went wrong. */
    CompletionStage<Completion> result();

    /**
     * Waits for the answer. An interrupt cancels the generation and is kept in the thread's flag.
     *
     * @throws EngineException if the request failed
     */
    Completion await();
}
