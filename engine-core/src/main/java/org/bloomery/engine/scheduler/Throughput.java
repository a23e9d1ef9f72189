package org.bloomery.engine.scheduler;

import java.time.Duration;

/**
 * How fast the engine is lately, for estimates of how long work will take. Tokens of prompts and of answers count alike, so
 * it is as good as the mix of the last hundred steps is like the next. Guarded by the scheduler's lock.
 */
final class Throughput {

    /** What a step counts for after the next one. */
    private static final double KEPT = 0.99;

    /** Steps from which on an estimate is one. */
    private static final int ENOUGH_STEPS = 10;

    private double tokens;
    private double nanos;
    private int steps;
    private double answerTokens = -1;

    /** A step of this many tokens was done. */
    void stepped(int stepTokens, long stepNanos) {
        tokens = tokens * KEPT + stepTokens;
        nanos = nanos * KEPT + stepNanos;
        steps = Math.min(steps + 1, ENOUGH_STEPS);
    }

    /** An answer of this many tokens was written. */
    void answered(int written) {
        answerTokens = answerTokens < 0 ? written : 0.9 * answerTokens + 0.1 * written;
    }

    /** Tokens that a sequence is expected to take: its prompt and an answer as long as others, at most what it may. */
    long expected(int promptTokens, int maxTokens) {
        return promptTokens + (answerTokens < 0 ? 0 : (long) Math.min(maxTokens, answerTokens));
    }

    /** Time that this much work takes, zero where nothing is known yet. */
    Duration time(long work) {
        return steps < ENOUGH_STEPS || tokens <= 0 ? Duration.ZERO : Duration.ofNanos((long) (work * nanos / tokens));
    }
}
