package org.bloomery.engine.backend;

import java.util.function.Consumer;
import org.bloomery.engine.BackendLostException;

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
     * @throws java.util.concurrent.CancellationException if it was interrupted; the cache is as it was before
     * @throws BackendLostException if what computes has died and the cache with it; see {@link
     *     #recover}
     */
    Logits forward(Batch batch);

    /**
     * Makes a running {@link #forward} end soon with a {@link java.util.concurrent.CancellationException}. Does nothing
     * where none runs; safe from any thread.
     */
    void interrupt();

    /**
     * Gives up a running {@link #forward} that gets nowhere. A backend in another process is lost by it, and brought back by
     * {@link #recover}; one in this process can only be asked to stop. Safe from any thread.
     */
    default void abandon() {
        interrupt();
    }

    /**
     * Makes a backend that was lost work again, with an empty cache. Blocks as long as loading takes; called by one thread
     * at a time, never while {@link #forward} runs. A backend that lives in this process is never lost.
     *
     * @throws org.bloomery.engine.EngineException if it cannot be brought back
     */
    default void recover() {}

    /**
     * Tells a listener when what computes has died, also while nothing runs, before a call throws the same. It is called
     * on a thread of the backend's and must return soon.
     */
    default void onLoss(Consumer<BackendLostException> listener) {}

    /** Forgets positions {@code from} (inclusive) to the end of a sequence. */
    void truncate(int sequence, int from);

    /** Makes {@code target}, which must be empty, hold the first {@code length} positions of {@code source}. */
    void copyPrefix(int source, int target, int length);

    /**
     * Frees everything. Safe from any thread and more than once: a running {@link #forward} is interrupted and waited
     * for, and later calls throw {@link IllegalStateException}.
     */
    @Override
    void close();
}
