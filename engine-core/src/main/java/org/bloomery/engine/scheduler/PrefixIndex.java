package org.bloomery.engine.scheduler;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Knows which tokens of which tenant each slot of the cache holds, and finds the slot that shares the longest beginning
 * with a prompt of the same tenant: what another's prompts begin with cannot be told from how fast one's own are answered.
 * Linear in slots × prompt, which is nothing beside one step of a model. Owned by the worker.
 */
final class PrefixIndex {

    private final int[][] held;
    private final int[] lengths;
    private final @Nullable String[] tenants;
    private final boolean[] busy;
    private final long[] lastUse;
    private long clock;

    PrefixIndex(int slots) {
        held = new int[slots][];
        Arrays.fill(held, new int[0]);
        lengths = new int[slots];
        tenants = new @Nullable String[slots];
        busy = new boolean[slots];
        lastUse = new long[slots];
    }

    /**
     * Where a prompt is to go.
     *
     * @param slot the free slot to use
     * @param source the slot whose beginning it shares, the same as {@code slot} where it continues in place
     * @param shared tokens it shares, 0 to the prompt's length − 1
     */
    record Placement(int slot, int source, int shared) {}

    /** Whether a slot is free. */
    boolean hasFree() {
        for (boolean b : busy) {
            if (!b) {
                return true;
            }
        }
        return false;
    }

    /** Chooses a free slot for the prompt; there must be one. The last prompt token is never taken from the cache. */
    Placement place(String tenant, int[] prompt, int promptLength, boolean reuse) {
        int source = -1;
        int shared = 0;
        for (int slot = 0; reuse && slot < held.length; slot++) {
            if (!Objects.equals(tenants[slot], tenant)) {
                continue;
            }
            int common = commonPrefix(slot, prompt, promptLength - 1);
            if (common > shared || (common == shared && common > 0 && !busy[slot] && busy[source])) {
                source = slot;
                shared = common;
            }
        }
        int oldest = oldestFree();
        if (shared == 0) {
            return new Placement(oldest, oldest, 0);
        }
        // Continue in place unless that would throw away most of another conversation while an older slot is there.
        boolean inPlace = !busy[source] && (source == oldest || 2L * shared >= lengths[source]);
        return new Placement(inPlace ? source : oldest, source, shared);
    }

    private int oldestFree() {
        int oldest = -1;
        for (int slot = 0; slot < held.length; slot++) {
            if (!busy[slot] && (oldest < 0 || lastUse[slot] < lastUse[oldest])) {
                oldest = slot;
            }
        }
        return oldest;
    }

    private int commonPrefix(int slot, int[] prompt, int limit) {
        int end = Math.min(limit, lengths[slot]);
        int mismatch = Arrays.mismatch(held[slot], 0, end, prompt, 0, end);
        return mismatch < 0 ? end : mismatch;
    }

    /** A tenant's sequence works in the slot; its first {@code length} tokens are in the cache. */
    void occupy(int slot, String tenant, int[] tokens, int length) {
        busy[slot] = true;
        tenants[slot] = tenant;
        update(slot, tokens, length);
    }

    /** The cache of the slot holds these tokens now. The array is shared with the sequence, which only appends. */
    void update(int slot, int[] tokens, int length) {
        held[slot] = tokens;
        lengths[slot] = length;
    }

    /** The slot is free; what it holds stays for later prompts. */
    void release(int slot) {
        busy[slot] = false;
        lastUse[slot] = ++clock;
    }

    /** Tokens held by slots in which a sequence works, or by the other ones. */
    long heldTokens(boolean working) {
        long sum = 0;
        for (int slot = 0; slot < lengths.length; slot++) {
            sum += busy[slot] == working ? lengths[slot] : 0;
        }
        return sum;
    }

    /** The slot's cache is empty. */
    void forget(int slot) {
        held[slot] = new int[0];
        lengths[slot] = 0;
        tenants[slot] = null;
        lastUse[slot] = 0;
    }
}
