package org.bloomery.engine;

import java.time.Duration;

/**
 * There is no room for the request now; the caller may try again after {@link #retryAfter}. Over HTTP {@link
 * Reason#TENANT_BUDGET} is status 429 and every other reason 503, with the header {@code Retry-After}.
 */
public final class EngineOverloadedException extends EngineException {

    private static final Duration SOONEST = Duration.ofSeconds(1);
    private static final Duration LATEST = Duration.ofHours(1);

    private final Reason reason;
    private final Duration retryAfter;

    /** What there is no room in. */
    public enum Reason {
        /** As many requests wait as may. */
        QUEUE_FULL,
        /** The prompts of the requests that wait have as many tokens as they may. */
        QUEUE_TOKENS,
        /** The request would wait longer than it may take. */
        DEADLINE,
        /** The caller's own tokens or concurrent requests are used up; other callers are served. */
        TENANT_BUDGET
    }

    /** The queue is full, and nothing is known of how long it will be. */
    public EngineOverloadedException(String message) {
        this(message, Reason.QUEUE_FULL, SOONEST);
    }

    /** Refused by something that stands before the engine. */
    public EngineOverloadedException(String message, Throwable cause) {
        super(message, cause);
        this.reason = Reason.QUEUE_FULL;
        this.retryAfter = SOONEST;
    }

    /** @param retryAfter estimate of when there is room; kept between one second and one hour */
    public EngineOverloadedException(String message, Reason reason, Duration retryAfter) {
        super(message);
        this.reason = reason;
        this.retryAfter =
                retryAfter.compareTo(SOONEST) < 0 ? SOONEST : retryAfter.compareTo(LATEST) > 0 ? LATEST : retryAfter;
    }

    /** What there is no room in. */
    public Reason reason() {
        return reason;
    }

    /** When to try again, one second to one hour: an estimate from what waits and how fast the engine is now. */
    public Duration retryAfter() {
        return retryAfter;
    }
}
