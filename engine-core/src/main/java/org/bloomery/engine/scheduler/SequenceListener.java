package org.bloomery.engine.scheduler;

import java.util.List;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.sampling.Sampler;

/**
 * Hears what becomes of a sequence. All calls come from the worker, one after the other; exactly one of
 * {@link #finished} and {@link #failed} comes last. What a call throws ends its own sequence only.
 */
public interface SequenceListener {

    /** Where a sequence's time and cached tokens are told before its first token. */
    default void started(int cachedTokens) {}

    /**
     * A token of the answer; tokens that end the answer are not told.
     *
     * @param scores the token's log probability and its best alternatives where asked for, else empty
     * @return false to end the sequence with {@link FinishReason#STOP}
     */
    boolean token(int token, List<Sampler.Scored> scores);

    /** The end. */
    void finished(FinishReason reason);

    /** The sequence cannot go on. */
    void failed(RuntimeException error);
}
