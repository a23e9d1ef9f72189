package org.bloomery.engine.scheduler;

import org.bloomery.engine.EngineState;

/**
 * The scheduler's figures at one moment.
 *
 * @param state whether sequences can run
 * @param active sequences in slots
 * @param queued sequences waiting
 * @param completed sequences that ended with an answer
 * @param failed sequences that ended with an error
 * @param refused sequences refused at submission
 * @param cancelled sequences their callers cancelled
 * @param promptTokens prompt tokens of the sequences that were started
 * @param cachedTokens those of them that were in the cache already
 * @param completionTokens tokens generated
 */
public record SchedulerStats(
        EngineState state,
        int active,
        int queued,
        long completed,
        long failed,
        long refused,
        long cancelled,
        long promptTokens,
        long cachedTokens,
        long completionTokens) {}
