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

    /** From the first prefill chunk to the first token. */
    public Duration prefill() {
        return timeToFirstToken.minus(queued);
    }

    /** From the first token to the end. */
    public Duration decode() {
        return total.minus(timeToFirstToken);
    }

    /** Tokens a second after the first, or 0 where there are fewer than two. */
    public double decodeTokensPerSecond(int completionTokens) {
        double seconds = decode().toNanos() / 1e9;
        return completionTokens < 2 || seconds <= 0 ? 0 : (completionTokens - 1) / seconds;
    }
}
