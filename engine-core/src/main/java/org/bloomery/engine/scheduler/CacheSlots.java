package org.bloomery.engine.scheduler;

import org.bloomery.engine.CacheUse;
import org.bloomery.engine.backend.Backend;

/**
 * The backend's cache: a slot for each running sequence, and what ended ones have left in theirs for later prompts. Owned by
 * the worker.
 */
final class CacheSlots {

    private final Backend backend;
    private final boolean reuse;
    private final int slots;
    private final long tokens;
    private final PrefixIndex prefixes;

    /** @param reuse whether a prompt may continue from what an earlier sequence of its tenant left */
    CacheSlots(Backend backend, boolean reuse) {
        this.backend = backend;
        this.reuse = reuse;
        this.slots = backend.info().maxSequences();
        this.tokens = (long) slots * backend.info().contextLength();
        this.prefixes = new PrefixIndex(slots);
    }

    /**
     * Gives a sequence a slot, of which there must be a free one. It has it even where the backend throws.
     *
     * @return tokens of its prompt that need not be computed again
     */
    int occupy(Sequence sequence) {
        String tenant = sequence.caller().tenant();
        PrefixIndex.Placement place = prefixes.place(tenant, sequence.tokens(), sequence.promptLength(), reuse);
        sequence.occupy(place.slot(), place.shared());
        prefixes.occupy(place.slot(), tenant, sequence.tokens(), 0);
        if (place.source() == place.slot()) {
            backend.truncate(place.slot(), place.shared());
        } else {
            backend.truncate(place.slot(), 0);
            backend.copyPrefix(place.source(), place.slot(), place.shared());
        }
        prefixes.update(place.slot(), sequence.tokens(), place.shared());
        return place.shared();
    }

    /** The cache holds what the sequence was fed. */
    void update(Sequence sequence) {
        prefixes.update(sequence.slot(), sequence.tokens(), sequence.cached());
    }

    /**
     * Takes a sequence out of its slot.
     *
     * @param keep whether what the slot holds can be trusted, so that it may stay for later prompts
     */
    void release(Sequence sequence, boolean keep) {
        int slot = sequence.slot();
        sequence.leave();
        if (keep && reuse) {
            prefixes.update(slot, sequence.tokens(), sequence.cached());
        } else {
            prefixes.forget(slot);
        }
        prefixes.release(slot);
    }

    /** Has a sequence start over, where it may, and takes it out of its slot. */
    boolean restart(Sequence sequence) {
        int slot = sequence.slot();
        boolean again = slot < 0 || sequence.restart();
        if (again && slot >= 0) {
            prefixes.release(slot);
        }
        return again;
    }

    /** Everything in the cache is lost. */
    void forget() {
        for (int slot = 0; slot < slots; slot++) {
            prefixes.forget(slot);
        }
    }

    /** Tokens in the cache. */
    CacheUse use() {
        long held = prefixes.heldTokens(true);
        long reusable = prefixes.heldTokens(false);
        return new CacheUse(held, reusable, tokens - held - reusable);
    }
}
