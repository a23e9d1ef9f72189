package org.bloomery.engine.scheduler;

import org.bloomery.engine.CacheUse;
import org.bloomery.engine.EngineState;

/**
 * The scheduler's figures at one moment.
 *
 * @param state whether sequences can run
 * @param active sequences in slots
 * @param queued sequences waiting
 * @param completed sequences that ended with a whole answer
 * @param cutOff sequences that their deadline or the scheduler's end cut off
 * @param failed sequences that ended with an error
 * @param refused sequences refused at submission
 * @param cancelled sequences their callers cancelled
 * @param promptTokens prompt tokens of the sequences that were started
 * @param cachedTokens those of them that were in the cache already
 * @param completionTokens tokens generated
 * @param prefixHits sequences whose prompt began with what the cache held
 * @param prefillBacklog prompt tokens of queued and running sequences that are still to be read
 * @param cache tokens in the cache
 * @param steps forward passes done
 * @param medianStepNanos median time of the latest steps, 0 before the first
 * @param sinceProgressNanos time since the last step while there is something to do, else 0
 */
public record SchedulerStats(
        EngineState state,
        int active,
        int queued,
        long completed,
        long cutOff,
        long failed,
        long refused,
        long cancelled,
        long promptTokens,
        long cachedTokens,
        long completionTokens,
        long prefixHits,
        long prefillBacklog,
        CacheUse cache,
        long steps,
        long medianStepNanos,
        long sinceProgressNanos) {}
