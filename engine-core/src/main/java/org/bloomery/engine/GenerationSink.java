package org.bloomery.engine;

/**
 * Takes an answer as it is written. Called by the engine's worker, one call after the other, so a call must return at
 * once: hand over to a queue, never block. What a sink throws ends its own generation only.
 */
public interface GenerationSink {

    /** A sink that waits for the completion only. */
    GenerationSink NONE = new GenerationSink() {};

    /** The request leaves the queue, and its prompt is read. */
    default void onStarted() {}

    /** The first token has come; its text may follow later, or never. */
    default void onFirstToken() {}

    /**
     * More of the answer: whole characters, no markup of tool calls or reasoning.
     *
     * @return false to stop the generation, which then ends with {@link FinishReason#CANCELLED}
     */
    default boolean onText(String delta) {
        return true;
    }

    /**
     * More of the model's thinking.
     *
     * @return false to stop the generation
     */
    default boolean onReasoning(String delta) {
        return true;
    }

    /** The end, exactly once, unless {@link #onError} is called. Tool calls are in the completion, whole. */
    default void onComplete(Completion completion) {}

    /** The request failed, exactly once, unless {@link #onComplete} is called. */
    default void onError(RuntimeException error) {}
}
