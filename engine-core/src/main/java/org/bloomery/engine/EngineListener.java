package org.bloomery.engine;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Hears what an engine does, for metrics, traces and flight recordings. No text ever passes it, neither of prompts nor of
 * answers. Calls come from the engine's worker or from the thread that submits or loads, so they must return soon. While a
 * model takes another's place there are two workers. What a listener throws is logged and disturbs nobody.
 *
 * <p>Of each request a listener hears {@link #queued} first, unless it was refused before, and {@link #refused} or {@link
 * #ended} last; {@link #started} and {@link #firstToken} come between where it got that far.
 */
public interface EngineListener {

    /** What is asked of the engine. */
    enum Operation {
        CHAT,
        COMPLETION
    }

    /** Why a request was not taken. */
    enum Refusal {
        /** The queue is full, by requests or by tokens. */
        OVERLOADED,
        /** Its turn would come after its timeout. */
        DEADLINE,
        /** The engine is closed or closing. */
        CLOSED,
        /** There is no model: it is still being loaded, could not be, or was unloaded. */
        UNAVAILABLE,
        /** Another model has just taken its model's place: it is asked of that one, under another id. */
        REPLACED,
        /** The prompt and the tokens asked for do not fit the context. */
        CONTEXT_LENGTH,
        /** The constraint is broken, not supported or too large. */
        CONSTRAINT,
        /** The chat template refuses the conversation. */
        TEMPLATE,
        /** Anything else about the request. */
        INVALID
    }

    /**
     * A model that was loaded.
     *
     * @param model its name, {@link ModelInfo#name}
     * @param backend what runs it
     * @param fileBytes size of its file, or of all parts
     * @param loadTime how long opening it took
     */
    record Loaded(String model, String backend, long fileBytes, Duration loadTime) {}

    /**
     * A request whose prompt begins to be read.
     *
     * @param id {@link Generation#id}
     * @param queued time since its submission
     * @param promptTokens tokens of the prompt
     * @param cachedTokens those of them that are in the cache already
     */
    record Started(String id, Duration queued, int promptTokens, int cachedTokens) {}

    /**
     * A request that was taken and has ended.
     *
     * @param id {@link Generation#id}
     * @param operation what was asked
     * @param finishReason why it ended, or null where it failed
     * @param error class of what it failed with, or null where it did not
     * @param usage its tokens
     * @param timings where its time went; a phase that it did not reach takes none
     * @param grammar time that its constraint took for the masks of its tokens, zero without one
     */
    record Ended(
            String id,
            Operation operation,
            @Nullable FinishReason finishReason,
            @Nullable Class<? extends RuntimeException> error,
            Usage usage,
            Timings timings,
            Duration grammar) {}

    /**
     * A step of all running sequences that was done.
     *
     * @param duration of the forward pass and of choosing tokens after it
     * @param prefillTokens tokens of prompts in the batch
     * @param decodeTokens tokens of answers in the batch
     * @param sampledTokens tokens of answers that were chosen after it, those that end an answer included
     * @param sequences sequences with a token in the batch
     * @param active sequences in slots afterwards
     * @param waiting requests in the queue afterwards
     * @param prefillBacklog prompt tokens that are still to be read afterwards, of waiting requests too
     */
    record Step(
            Duration duration,
            int prefillTokens,
            int decodeTokens,
            int sampledTokens,
            int sequences,
            int active,
            int waiting,
            long prefillBacklog) {}

    /** A model begins to be loaded, one at a time; {@link #loaded} follows unless that fails. */
    default void loading() {}

    /** A model was loaded and answers from now on; what an earlier one has taken ends there. Told before the load returns. */
    default void loaded(Loaded model) {}

    /** A request is about to enter the queue; told on the thread that submits it. */
    default void queued(String id, Operation operation, int promptTokens) {}

    /**
     * A request was not taken; told on the thread that submits it.
     *
     * @param id of nothing else, also where no model was there to give one
     */
    default void refused(String id, Operation operation, Refusal reason) {}

    /** A request leaves the queue. One that starts over on a backend brought back is not told again. */
    default void started(Started request) {}

    /** The first token of an answer has come. */
    default void firstToken(String id) {}

    /** A request has ended; its caller does not know yet. */
    default void ended(Ended request) {}

    /** A step begins; {@link #stepped} follows unless it fails or is interrupted. */
    default void stepping() {}

    /** A step was done. */
    default void stepped(Step step) {}
}
