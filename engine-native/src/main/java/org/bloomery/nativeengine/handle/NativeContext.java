package org.bloomery.nativeengine.handle;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.bloomery.engine.EngineException;
import org.bloomery.nativeengine.binding.ContextParams;
import org.bloomery.nativeengine.binding.Llama;
import org.bloomery.nativeengine.binding.NativeBatch;
import org.bloomery.nativeengine.binding.Upcalls;

/**
 * A cache of running sequences and the buffers to compute with. Used by one thread at a time but for {@link #interrupt}.
 * Numbers have been checked by the caller.
 */
public final class NativeContext implements AutoCloseable {

    private final Llama llama;
    private final NativeRuntime runtime;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment pointer;
    private final MemorySegment memory;
    private final NativeBatch batch;
    private final int vocabSize;
    private volatile boolean interrupted;

    /**
     * What a context is made for.
     *
     * @param positions positions the cache holds, of all sequences together
     * @param batchTokens most tokens of a batch
     * @param sequences most sequences, 1 to 256
     * @param outputs most tokens of a batch whose logits are wanted
     * @param flashAttention one of {@link Llama}'s
     * @param cacheType one of {@link Llama}'s
     */
    public record Shape(
            int positions,
            int batchTokens,
            int sequences,
            int outputs,
            int threads,
            int flashAttention,
            int cacheType) {}

    /** @throws EngineException with what llama.cpp says, if there is too little memory or the shape does not fit the model */
    public NativeContext(NativeModel model, Shape shape) {
        runtime = model.runtime();
        llama = runtime.llama();
        vocabSize = model.vocabSize();
        batch = new NativeBatch(shape.batchTokens, arena);
        runtime.log().forgetErrors();
        pointer = llama.openContext(
                model.pointer(),
                new ContextParams(
                        shape.positions,
                        shape.batchTokens,
                        shape.sequences,
                        shape.outputs,
                        shape.threads,
                        shape.flashAttention,
                        shape.cacheType,
                        Upcalls.abort(() -> interrupted, arena)));
        if (Llama.isNull(pointer)) {
            arena.close();
            throw new EngineException("llama.cpp could not make a context of " + shape.positions + " positions: "
                    + reasons(runtime)
                    + "; lower context-length, max-sequences or gpu-layers, or set flash-attention to auto.");
        }
        memory = llama.memory(pointer);
    }

    static String reasons(NativeRuntime runtime) {
        List<String> errors = runtime.log().errors();
        return errors.isEmpty() ? "it gave no reason" : String.join(" ", errors);
    }

    /** The batch to fill for {@link #decode}. */
    public NativeBatch batch() {
        return batch;
    }

    /**
     * Runs the batch.
     *
     * @throws CancellationException if it was interrupted; the cache may hold some of it
     * @throws EngineException if it fails; the cache may hold some of it
     */
    public void decode() {
        int code = llama.decode(pointer, batch);
        switch (code) {
            case 0 -> {}
            case 1 ->
                throw new EngineException("llama.cpp found no room in its cache for " + batch.size()
                        + " tokens; lower max-sequences or raise context-length.");
            case 2 -> throw new CancellationException("The forward pass was interrupted");
            default ->
                throw new EngineException("llama.cpp failed with code " + code + " on a batch of " + batch.size()
                        + " tokens: " + reasons(runtime) + "; a device may have run out of memory.");
        }
    }

    /** Logits of token {@code index} of the last batch, valid until the next. */
    public MemorySegment logits(int index) {
        MemorySegment row = llama.logits(pointer, index, vocabSize);
        if (Llama.isNull(row)) {
            throw new EngineException("llama.cpp has no logits of token " + index + " of its batch.");
        }
        return row;
    }

    /** Forgets positions {@code from} to the end; false where the model's kind of cache cannot. */
    public boolean removeFrom(int sequence, int from) {
        return llama.removeFrom(memory, sequence, from);
    }

    /** Makes an empty sequence hold the positions of another below {@code end}; -1 for all. */
    public void copy(int source, int target, int end) {
        llama.copy(memory, source, target, end);
    }

    /** Ends the running batch soon, and every one until {@link #resume}; safe from any thread. */
    public void interrupt() {
        interrupted = true;
    }

    /** Takes an interruption back. */
    public void resume() {
        interrupted = false;
    }

    @Override
    public void close() {
        llama.freeContext(pointer);
        arena.close();
    }
}
