package org.bloomery.spring.admission;

import java.time.Duration;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.EngineOverloadedException.Reason;

/**
 * What one tenant has under way and what is left of its tokens: a bucket that holds a minute's and fills steadily. A request
 * takes what it may need at most and gives back what it did not; where it needed more, the bucket owes it. Guarded by
 * {@link Tenants}.
 */
final class TenantUsage {

    private static final double NANOS_PER_MINUTE = 60e9;

    private final TenantLimits limits;
    private double tokens;
    private long filled;
    private int running;

    TenantUsage(TenantLimits limits, long now) {
        this.limits = limits;
        this.tokens = limits.tokensPerMinute();
        this.filled = now;
    }

    /** @throws EngineOverloadedException if as many requests are under way as may be */
    void enter() {
        if (limits.concurrentRequests() > 0 && running >= limits.concurrentRequests()) {
            throw new EngineOverloadedException(
                    "The tenant has " + running + " requests under way and may have " + limits.concurrentRequests()
                            + "; wait for one to end, or raise concurrent-requests.",
                    Reason.TENANT_BUDGET,
                    Duration.ZERO);
        }
        running++;
    }

    void leave() {
        running--;
    }

    /**
     * Takes tokens for a request: as many as it may need, or a minute's where that is less.
     *
     * @return the tokens taken
     * @throws EngineOverloadedException if they are not there
     */
    long take(long wanted, long now) {
        if (limits.tokensPerMinute() == 0) {
            return 0;
        }
        fill(now);
        long taken = Math.min(wanted, limits.tokensPerMinute());
        if (tokens < taken) {
            double missing = taken - tokens;
            throw new EngineOverloadedException(
                    "The request may need " + taken + " tokens and the tenant has " + (long) Math.max(0, tokens)
                            + " left of its " + limits.tokensPerMinute()
                            + " a minute; try again later, lower max-tokens, or raise tokens-per-minute.",
                    Reason.TENANT_BUDGET,
                    Duration.ofNanos((long) (missing * NANOS_PER_MINUTE / limits.tokensPerMinute())));
        }
        tokens -= taken;
        return taken;
    }

    /** The request that took these tokens needed that many. */
    void settle(long taken, long needed, long now) {
        if (limits.tokensPerMinute() > 0) {
            fill(now);
            tokens = Math.min((double) limits.tokensPerMinute(), tokens + taken - needed);
        }
    }

    private void fill(long now) {
        double gained = (now - filled) * (limits.tokensPerMinute() / NANOS_PER_MINUTE);
        tokens = Math.min((double) limits.tokensPerMinute(), tokens + Math.max(0, gained));
        filled = now;
    }

    boolean idle() {
        return running == 0;
    }

    /** Whether it would be the same if it were forgotten. */
    boolean unused(long now) {
        fill(now);
        return idle() && tokens >= limits.tokensPerMinute();
    }
}
