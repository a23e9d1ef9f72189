package org.bloomery.engine;

import java.time.Duration;

/**
 * Where the time of one request went.
 *
 * @param queued from submission to the first prefill chunk
 * @param timeToFirstToken from submission to the first token
 * @param total from submission to the end
 */
public record Timings(Duration queued, Duration timeToFirstToken, Duration total) {

    /** Tokens a second after the first, or 0 where there are fewer than two. */
    public double decodeTokensPerSecond(int completionTokens) {
        double seconds = total.minus(timeToFirstToken).toNanos() / 1e9;
        return completionTokens < 2 || seconds <= 0 ? 0 : (completionTokens - 1) / seconds;
    }
}
