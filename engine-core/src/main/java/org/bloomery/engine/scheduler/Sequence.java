package org.bloomery.engine.scheduler;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.bloomery.engine.Caller;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.sampling.Sampler;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way through the scheduler: its tokens, its sampler, its deadline. Everything but {@link #cancel}
 * belongs to the worker once it is submitted.
 */
public final class Sequence {

    private final Caller caller;
    private final int promptLength;
    private final int maxTokens;
    private final long deadlineNanos;
    private final int logProbabilities;
    private final Sampler sampler;
    private final SequenceListener listener;
    private final AtomicReference<@Nullable FinishReason> stop = new AtomicReference<>();

    private int[] tokens;
    private int length;
    private int cached;
    private volatile int slot = -1;
    private int generated;
    private int accounted;
    private boolean restarted;
    private final ArrayDeque<Integer> forced = new ArrayDeque<>();

    /** A sequence of nobody known. */
    public Sequence(
            int[] prompt,
            int maxTokens,
            long deadlineNanos,
            int logProbabilities,
            Sampler sampler,
            SequenceListener listener) {
        this(Caller.ANONYMOUS, prompt, maxTokens, deadlineNanos, logProbabilities, sampler, listener);
    }

    /**
     * A sequence to be submitted.
     *
     * @param caller whose it is
     * @param prompt token ids, at least one
     * @param maxTokens most tokens to generate, at least 1
     * @param deadlineNanos value of {@link System#nanoTime} at which it ends wherever it is
     * @param logProbabilities alternatives to report for each token, or -1 to report nothing
     */
    public Sequence(
            Caller caller,
            int[] prompt,
            int maxTokens,
            long deadlineNanos,
            int logProbabilities,
            Sampler sampler,
            SequenceListener listener) {
        if (prompt.length == 0) {
            throw new IllegalArgumentException("A sequence needs at least one prompt token.");
        }
        this.caller = caller;
        this.tokens = prompt.clone();
        this.promptLength = prompt.length;
        this.length = prompt.length;
        this.maxTokens = maxTokens;
        this.deadlineNanos = deadlineNanos;
        this.logProbabilities = logProbabilities;
        this.sampler = sampler;
        this.listener = listener;
    }

    /** Ends the sequence before the worker's next step. Any thread may call it, at any time, more than once. */
    public void cancel() {
        stop.compareAndSet(null, FinishReason.CANCELLED);
    }

    /** Ends the sequence for another reason, unless it was told to end already. */
    void stop(FinishReason reason) {
        stop.compareAndSet(null, reason);
    }

    /** Why the sequence is to end before its next step, or null where it goes on. */
    @Nullable
    FinishReason stopReason(long nowNanos) {
        FinishReason reason = stop.get();
        if (reason == null && nowNanos - deadlineNanos >= 0) {
            return FinishReason.DEADLINE;
        }
        return reason;
    }

    Caller caller() {
        return caller;
    }

    int maxTokens() {
        return maxTokens;
    }

    /** Time until its deadline, negative where it is over. */
    long nanosLeft(long nowNanos) {
        return deadlineNanos - nowNanos;
    }

    int slot() {
        return slot;
    }

    /** Takes a place in the cache whose first {@code cachedTokens} tokens are this sequence's. */
    void occupy(int newSlot, int cachedTokens) {
        this.slot = newSlot;
        this.cached = cachedTokens;
    }

    /**
     * Starts over after its cache was lost, where it can: once, and only while it has not answered anything. Twice would
     * let a request that kills its backend kill every one that follows.
     */
    boolean restart() {
        if (restarted || generated > 0) {
            return false;
        }
        restarted = true;
        leave();
        cached = 0;
        return true;
    }

    /** Whether it has been started over. */
    boolean restarted() {
        return restarted;
    }

    /** Gives up its place in the cache. */
    void leave() {
        slot = -1;
    }

    /** Whether it has a place in the cache; any thread may ask. */
    boolean isRunning() {
        return slot >= 0;
    }

    /** All tokens, the first {@link #length} of them valid. */
    int[] tokens() {
        return tokens;
    }

    int length() {
        return length;
    }

    int promptLength() {
        return promptLength;
    }

    /** Tokens that the cache holds. */
    int cached() {
        return cached;
    }

    /** Tokens that the cache does not hold: one while the answer is being written, more while the prompt is read. */
    int pending() {
        return length - cached;
    }

    boolean prefilling() {
        return cached < promptLength;
    }

    /** The cache holds {@code count} more tokens. */
    void fed(int count) {
        cached += count;
    }

    int logProbabilities() {
        return logProbabilities;
    }

    /**
     * Has these tokens come next, whatever the model would like; where its constraint does not allow the first of them yet,
     * as soon as it does. For whoever submits it, and then for its listener.
     */
    public void force(int[] next) {
        for (int token : next) {
            forced.add(token);
        }
    }

    int sample(float[] logits, int vocabSize) {
        generated++;
        Integer next = forced.peek();
        if (next != null && sampler.take(next)) {
            return forced.remove();
        }
        return sampler.sample(logits, vocabSize, tokens, length);
    }

    /** Whether its constraint lets nothing follow. */
    boolean complete() {
        return sampler.complete();
    }

    /** Tokens generated so far, the one that ended the answer included. For the worker and its listener. */
    public int generated() {
        return generated;
    }

    /** Tokens generated since this was last asked. */
    int unaccounted() {
        int tokens = generated - accounted;
        accounted = generated;
        return tokens;
    }

    /** Time that its constraint has taken so far. For the worker and its listener. */
    public long grammarNanos() {
        return sampler.grammarNanos();
    }

    void append(int token) {
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.min(promptLength + maxTokens, Math.max(16, length * 2)));
        }
        tokens[length++] = token;
    }

    boolean full() {
        return length - promptLength >= maxTokens;
    }

    SequenceListener listener() {
        return listener;
    }
}
