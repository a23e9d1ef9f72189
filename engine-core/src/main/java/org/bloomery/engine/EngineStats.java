package org.bloomery.engine;

import java.time.Duration;
import org.bloomery.engine.backend.BackendInfo;

/**
 * The engine's figures at one moment.
 *
 * @param state whether the engine can answer
 * @param model what was loaded
 * @param backend what runs it
 * @param backendReason why that backend was chosen, and why each other one was not
 * @param activeSequences requests being prefilled or decoded
 * @param queuedRequests requests waiting
 * @param completedRequests requests that ended with a whole answer since the model was loaded
 * @param cutOffRequests requests whose answer a deadline or the engine's end cut off, possibly before its first token
 * @param failedRequests requests that ended with an error
 * @param refusedRequests requests refused before admission
 * @param cancelledRequests requests cancelled by their callers
 * @param promptTokens prompt tokens of all requests
 * @param cachedTokens those of them that were in the cache already
 * @param completionTokens tokens generated
 * @param prefixHits requests whose prompt began with what the cache held
 * @param prefillBacklog prompt tokens of queued and running requests that are still to be read
 * @param cache tokens in the cache
 * @param loadTime how long opening the model took
 * @param steps forward passes done
 * @param medianStep median time of the latest steps, zero before the first
 * @param sinceProgress time since the last step while there is something to do and no backend is being brought back,
 *     else zero
 */
public record EngineStats(
        EngineState state,
        ModelInfo model,
        BackendInfo backend,
        String backendReason,
        int activeSequences,
        int queuedRequests,
        long completedRequests,
        long cutOffRequests,
        long failedRequests,
        long refusedRequests,
        long cancelledRequests,
        long promptTokens,
        long cachedTokens,
        long completionTokens,
        long prefixHits,
        long prefillBacklog,
        CacheUse cache,
        Duration loadTime,
        long steps,
        Duration medianStep,
        Duration sinceProgress) {}
