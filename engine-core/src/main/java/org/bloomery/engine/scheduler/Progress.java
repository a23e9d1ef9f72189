package org.bloomery.engine.scheduler;

import java.util.Arrays;
import org.bloomery.engine.CacheUse;

/** How far the worker has come, written by it and read by everybody. */
final class Progress {

    /** Enough to tell a usual step from a slow one, few enough to forget other loads soon. */
    private static final int RECENT = 64;

    private final long[] recent = new long[RECENT];
    private long steps;
    private volatile long last = System.nanoTime();
    private volatile Held held = new Held(0, new CacheUse(0, 0, 0));

    /**
     * What only the worker may look at, as it last saw it.
     *
     * @param unread prompt tokens of sequences in slots that are still to be read
     * @param cache tokens in the cache
     */
    record Held(long unread, CacheUse cache) {}

    /** The worker got on, or has had nothing to do until now. */
    void touch() {
        last = System.nanoTime();
    }

    synchronized void stepped(long nanos) {
        recent[(int) (steps++ % RECENT)] = nanos;
    }

    void hold(Held now) {
        held = now;
    }

    Held held() {
        return held;
    }

    /** Time since {@link #touch}. */
    long nanosSinceTouch() {
        return Math.max(0, System.nanoTime() - last);
    }

    synchronized long steps() {
        return steps;
    }

    /** The usual time of a step lately, 0 before the first. */
    synchronized long medianNanos() {
        int known = (int) Math.min(steps, RECENT);
        long[] sorted = Arrays.copyOf(recent, known);
        Arrays.sort(sorted);
        return known == 0 ? 0 : sorted[known / 2];
    }
}
