package org.bloomery.javaengine;

import java.util.Set;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendInfo;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.BatchRules;
import org.bloomery.engine.backend.Logits;
import org.bloomery.engine.backend.MemoryPlan;
import org.bloomery.engine.backend.ThreadPlan;
import org.bloomery.javaengine.arch.Architectures;
import org.bloomery.javaengine.cache.KvCache;
import org.bloomery.javaengine.kernel.ActivationForm;
import org.bloomery.javaengine.kernel.Kernels;
import org.bloomery.javaengine.layer.LogitRows;
import org.bloomery.javaengine.layer.Pass;
import org.bloomery.javaengine.tensor.Repacking;
import org.bloomery.javaengine.tensor.WorkerPool;
import org.bloomery.javaengine.tensor.Workspace;
import org.jspecify.annotations.Nullable;

/**
 * A loaded model with its cache and compute threads. Its buffers are made once, for the largest batch; a batch that asks
 * for the logits of more tokens than there are sequences makes room for them when it comes.
 */
final class JavaBackend implements Backend {

    private final Architectures.Model model;
    private final BackendInfo info;
    private final WorkerPool pool;
    private final KvCache cache;
    private final Pass pass;
    private final LogitRows logits;
    private final @Nullable Repacking repacking;
    private boolean closed;

    /** Takes over pool, cache and repacking: closes them when it is closed. */
    JavaBackend(
            Architectures.Model model,
            BackendOptions options,
            Kernels kernels,
            ThreadPlan threads,
            MemoryPlan plan,
            WorkerPool pool,
            KvCache cache,
            @Nullable Repacking repacking) {
        this.model = model;
        this.repacking = repacking;
        this.pool = pool;
        this.cache = cache;
        info = new BackendInfo(
                "java",
                kernels.name(),
                kernels.reason(),
                threads.threads(),
                threads.reason(),
                "the CPU",
                model.vocabSize(),
                options.contextLength(),
                options.maxSequences(),
                options.maxBatchTokens(),
                plan);
        pass = new Pass(options.maxBatchTokens(), model.widths(), kernels, cache, new Workspace(pool));
        logits = new LogitRows(model.vocabSize());
    }

    /**
     * Bytes of Java heap that such a backend takes: buffers, packed activations, logits of every sequence.
     *
     * @param forms how the kernels of the model's matrices read activations
     */
    static long workspaceBytes(
            Architectures.Model model, BackendOptions options, Set<ActivationForm> forms, int threads) {
        Pass.Widths widths = model.widths();
        int tokens = options.maxBatchTokens();
        int widest = Math.max(Math.max(widths.embedding(), widths.query()), widths.feedForward());
        return Pass.bytes(tokens, widths)
                + forms.stream().mapToLong(form -> form.length(widest, tokens)).sum() * Float.BYTES
                + LogitRows.bytes(Math.min(options.maxSequences(), tokens), model.vocabSize())
                + threads * Pass.bytesPerThread(model.cacheShape());
    }

    @Override
    public BackendInfo info() {
        return info;
    }

    @Override
    public synchronized Logits forward(Batch batch) {
        requireOpen();
        int[] before = lengths();
        int[] lengths = BatchRules.lengthsAfter(batch, info, before);
        boolean done = false;
        try {
            for (int sequence = 0; sequence < lengths.length; sequence++) {
                cache.extend(sequence, lengths[sequence]);
            }
            pass.start(batch);
            model.decoder().forward(pass, logits);
            done = true;
            // not before, so that the first answer waits for nothing
            if (repacking != null) {
                repacking.start();
            }
            return logits;
        } finally {
            if (!done) {
                for (int sequence = 0; sequence < before.length; sequence++) {
                    cache.truncate(sequence, before[sequence]);
                }
            }
        }
    }

    @Override
    public synchronized void truncate(int sequence, int from) {
        requireOpen();
        BatchRules.checkTruncate(sequence, from, info);
        cache.truncate(sequence, from);
    }

    @Override
    public synchronized void copyPrefix(int source, int target, int length) {
        requireOpen();
        BatchRules.checkCopy(source, target, length, info, lengths());
        cache.copyPrefix(source, target, length);
    }

    @Override
    public void interrupt() {
        pass.interrupt();
    }

    @Override
    public void close() {
        pass.interrupt();
        synchronized (this) {
            if (!closed) {
                closed = true;
                pool.close();
                cache.close();
                if (repacking != null) {
                    repacking.close();
                }
            }
        }
    }

    private int[] lengths() {
        int[] lengths = new int[info.maxSequences()];
        for (int sequence = 0; sequence < lengths.length; sequence++) {
            lengths[sequence] = cache.length(sequence);
        }
        return lengths;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("The backend is closed");
        }
    }
}
