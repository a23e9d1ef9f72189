package org.bloomery.engine.scheduler;

import java.time.Duration;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.EngineOverloadedException.Reason;
import org.jspecify.annotations.Nullable;

/**
 * Whether one more sequence may wait: there is room in the queue for it and for its prompt, and its turn is expected before
 * its time is over. What finds a free slot always may. Guarded by the scheduler's lock.
 */
final class Admission {

    private final WaitingRequests queue;
    private final Throughput throughput;
    private final int slots;
    private final int capacity;
    private final long tokens;

    /** Tokens of prompts in the queue that only wait for the worker to see them: there are slots for them. */
    private long promised;

    /**
     * @param capacity sequences that may wait
     * @param tokens tokens of their prompts, 0 for no limit
     */
    Admission(WaitingRequests queue, Throughput throughput, int slots, int capacity, long tokens) {
        this.queue = queue;
        this.throughput = throughput;
        this.slots = slots;
        this.capacity = capacity;
        this.tokens = tokens;
    }

    /** Why the sequence may not wait, or null where it may. */
    @Nullable
    EngineOverloadedException refusal(Sequence sequence, int activeCount, long now) {
        int waiting = waiting(activeCount);
        if (waiting < 0) {
            return null;
        }
        if (waiting >= capacity) {
            return refusal(
                    Reason.QUEUE_FULL,
                    throughput.time(queue.work()),
                    "The engine decodes " + slots + " sequences at once and its queue of " + capacity
                            + " is full; try again later, or raise queue-capacity or max-sequences.");
        }
        long held = queue.promptTokens() - (activeCount == slots ? 0 : promised);
        if (tokens > 0 && held + sequence.promptLength() > tokens) {
            return refusal(
                    Reason.QUEUE_TOKENS,
                    throughput.time(queue.work()),
                    "The prompts that wait have " + held + " tokens and this one has "
                            + sequence.promptLength() + ", together more than the " + tokens
                            + " that may wait; try again later, or raise queue-tokens.");
        }
        Duration wait = throughput.time(queue.workBefore(sequence, expected(sequence)));
        Duration left = Duration.ofNanos(sequence.nanosLeft(now));
        if (wait.isPositive() && wait.compareTo(left) > 0) {
            return refusal(
                    Reason.DEADLINE,
                    wait.minus(left),
                    "The request may take " + left.toMillis() + " ms more, but would wait about " + wait.toMillis()
                            + " ms for its turn; try again later, or with a longer timeout.");
        }
        return null;
    }

    private static EngineOverloadedException refusal(Reason reason, Duration retryAfter, String message) {
        return new EngineOverloadedException(message, reason, retryAfter);
    }

    /** Takes a sequence in that was not refused. */
    void add(Sequence sequence, int activeCount, long now) {
        if (activeCount == slots || queue.isEmpty()) {
            promised = 0;
        }
        if (waiting(activeCount) < 0) {
            promised += sequence.promptLength();
        }
        queue.add(sequence, expected(sequence), now);
    }

    /** Takes the sequence out whose turn it is. */
    Sequence take(long now) {
        Sequence next = queue.take(now);
        promised = Math.max(0, promised - next.promptLength());
        return next;
    }

    /** Sequences that wait beyond those that there are slots for; negative where there are slots left. */
    private int waiting(int activeCount) {
        return queue.size() - (slots - activeCount);
    }

    private long expected(Sequence sequence) {
        return throughput.expected(sequence.promptLength(), sequence.maxTokens());
    }
}
