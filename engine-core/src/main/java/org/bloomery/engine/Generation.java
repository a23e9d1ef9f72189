package org.bloomery.engine;

/** A request under way. Safe for use by many threads. */
public interface Generation {

    /** Unique among the requests of this engine. */
    String id();

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
