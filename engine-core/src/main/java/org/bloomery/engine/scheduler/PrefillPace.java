package org.bloomery.engine.scheduler;

/** How much of its prompts a step may read, from how long such steps took. Owned by the worker. */
final class PrefillPace {

    /** A prefill chunk while nobody else is waiting for a step: cancellation is noticed between chunks. */
    private static final int CHUNK_ALONE = 64;

    private static final int CHUNK_LEAST = 16;

    /** How long one step may take while others are writing their answers. */
    private static final long STEP_TARGET_NANOS = 200_000_000;

    private final int batchTokens;
    private double nanosPerToken;

    PrefillPace(int batchTokens) {
        this.batchTokens = batchTokens;
    }

    /** Most prompt tokens of the next step. */
    int budget(boolean othersWrite) {
        if (nanosPerToken == 0) {
            return CHUNK_ALONE;
        }
        long fits = (long) (STEP_TARGET_NANOS / nanosPerToken);
        return Math.clamp(fits, Math.min(othersWrite ? CHUNK_LEAST : CHUNK_ALONE, batchTokens), batchTokens);
    }

    /**
     * Learns from a step that was done.
     *
     * @param chunks tokens of each sequence
     * @param size tokens of the whole step
     */
    void remember(long nanos, int[] chunks, int size) {
        int largest = 0;
        for (int chunk : chunks) {
            largest = Math.max(largest, chunk);
        }
        if (largest >= CHUNK_LEAST) {
            double measured = (double) nanos / size;
            nanosPerToken = nanosPerToken == 0 ? measured : 0.8 * nanosPerToken + 0.2 * measured;
        }
    }
}
