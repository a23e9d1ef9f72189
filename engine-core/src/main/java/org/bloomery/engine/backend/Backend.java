package org.bloomery.engine.backend;

/**
 * A loaded model that turns batches of token ids into logits. Used by one thread at a time, the scheduler's worker;
 * it may compute on threads of its own. Ids, positions and sequence numbers are validated by the caller; a backend
 * checks them again before they reach native code.
 */
public interface Backend extends AutoCloseable {

    /** What was loaded and how, for reports. */
    BackendInfo info();

    /**
     * Runs the batch and appends it to the cache. Afterwards sequence {@code s} holds all its positions fed so far.
     * A token attends to the tokens of its own sequence at its own and earlier positions only.
     *
     * @return the logits of the tokens that asked for them, in the batch's order; valid until the next call
     */
    Logits forward(Batch batch);

    /** Forgets positions {@code from} (inclusive) to the end of a sequence. */
    void truncate(int sequence, int from);

    /** Makes {@code target}, which must be empty, hold the first {@code length} positions of {@code source}. */
    void copyPrefix(int source, int target, int length);

    /** Frees everything. Not called while {@link #forward} runs. */
    @Override
    void close();
}
