package org.bloomery.engine;

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
 * @param completedRequests requests that ended with an answer since the engine was opened
 * @param failedRequests requests that ended with an error
 * @param refusedRequests requests refused before admission
 * @param cancelledRequests requests cancelled by their callers
 * @param promptTokens prompt tokens of all requests
 * @param cachedTokens those of them that were in the cache already
 * @param completionTokens tokens generated
 */
public record EngineStats(
        EngineState state,
        ModelInfo model,
        BackendInfo backend,
        String backendReason,
        int activeSequences,
        int queuedRequests,
        long completedRequests,
        long failedRequests,
        long refusedRequests,
        long cancelledRequests,
        long promptTokens,
        long cachedTokens,
        long completionTokens) {}
