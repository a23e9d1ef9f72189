package org.bloomery.javaengine.layer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.bloomery.engine.backend.Batch;
import org.bloomery.javaengine.cache.CacheShape;
import org.bloomery.javaengine.cache.KvCache;
import org.bloomery.javaengine.kernel.AttentionKernel;
import org.bloomery.javaengine.kernel.ElementwiseKernel;
import org.bloomery.javaengine.kernel.Kernels;
import org.bloomery.javaengine.tensor.WorkerPool;
import org.bloomery.javaengine.tensor.Workspace;
import org.jspecify.annotations.Nullable;

/**
 * One forward pass: the tokens it runs, the cache they read and grow, and the buffers they flow through. Made once for
 * the largest batch and started anew for each; used by one thread, which shares the work with the pool's.
 */
public final class Pass {

    /**
     * Elements of a token in each buffer.
     *
     * @param embedding residual stream
     * @param query all query heads
     * @param keyValue all key heads, as many as value heads
     * @param feedForward inner width of the feed-forward network
     */
    public record Widths(int embedding, int query, int keyValue, int feedForward) {

        private long total() {
            return 4L * embedding + 2L * query + 2L * keyValue + 2L * feedForward;
        }
    }

    /** Consecutive positions of one sequence in the batch: {@code order[from]} to {@code order[to - 1]}. */
    record Run(int sequence, int from, int to) {}

    final AttentionKernel attention;
    final ElementwiseKernel elementwise;
    final KvCache cache;
    final Workspace workspace;
    final Widths widths;

    /** Residual stream, (rows, embedding). */
    final float[] x;

    /** Input of a block's stage after its norm, (rows, embedding). */
    final float[] normed;

    /** Output of a block's stage before it joins the residual stream, (rows, embedding). */
    final float[] out;

    final float[] query;
    final float[] key;
    final float[] value;

    /** What attention gathered, (rows, query). */
    final float[] attended;

    final float[] gate;
    final float[] up;

    /** Rows brought together for one expert, (rows, embedding). */
    final float[] gathered;

    final int[] tokens;
    final int[] positions;
    final int[] sequences;

    /** Row numbers, those of one sequence side by side in rising order of position. */
    final int[] order;

    private final int[] wanted;
    private final @Nullable AttentionTile[] attentionTiles;
    private int size;
    private int wantedCount;
    private int rows;
    private List<Run> runs = List.of();
    private volatile boolean interrupted;

    public Pass(int maxTokens, Widths widths, Kernels kernels, KvCache cache, Workspace workspace) {
        this.attention = kernels.attention();
        this.elementwise = kernels.elementwise();
        this.cache = cache;
        this.workspace = workspace;
        this.widths = widths;
        x = new float[Math.multiplyExact(maxTokens, widths.embedding)];
        normed = new float[x.length];
        out = new float[x.length];
        gathered = new float[x.length];
        query = new float[Math.multiplyExact(maxTokens, widths.query)];
        attended = new float[query.length];
        key = new float[Math.multiplyExact(maxTokens, widths.keyValue)];
        value = new float[key.length];
        gate = new float[Math.multiplyExact(maxTokens, widths.feedForward)];
        up = new float[gate.length];
        tokens = new int[maxTokens];
        positions = new int[maxTokens];
        sequences = new int[maxTokens];
        order = new int[maxTokens];
        wanted = new int[maxTokens];
        attentionTiles = new AttentionTile[workspace.pool().threads()];
    }

    /** Bytes of the buffers. */
    public static long bytes(int maxTokens, Widths widths) {
        return Math.multiplyExact(widths.total() * Float.BYTES + 5L * Integer.BYTES, (long) maxTokens);
    }

    /** Bytes that each thread takes for itself from the first pass on. */
    public static long bytesPerThread(CacheShape shape) {
        return AttentionTile.bytes(Attention.TILE_ROWS, shape.headDim());
    }

    /** Makes the running pass end before its next layer; safe from any thread. */
    public void interrupt() {
        interrupted = true;
    }

    void endIfInterrupted() {
        if (interrupted) {
            throw new CancellationException("The forward pass was interrupted");
        }
    }

    /** Takes the tokens of a batch no larger than the pass was made for. */
    public void start(Batch batch) {
        interrupted = false;
        size = batch.size();
        rows = size;
        wantedCount = 0;
        int sequenceCount = 0;
        for (int i = 0; i < size; i++) {
            tokens[i] = batch.token(i);
            positions[i] = batch.position(i);
            sequences[i] = batch.sequence(i);
            sequenceCount = Math.max(sequenceCount, sequences[i] + 1);
            if (batch.wantsLogits(i)) {
                wanted[wantedCount++] = i;
            }
        }
        groupBySequence(sequenceCount);
    }

    /** Tokens of the batch. */
    public int size() {
        return size;
    }

    /** Rows of the residual stream: all tokens, or after {@link #keepWanted} those whose logits are wanted. */
    public int rows() {
        return rows;
    }

    List<Run> runs() {
        return runs;
    }

    /** A thread's buffers for tiles of up to so many rows, made when it first needs them. */
    AttentionTile attentionTile(int thread, int rows, int dim) {
        AttentionTile tile = attentionTiles[thread];
        if (tile == null || !tile.fits(rows, dim)) {
            tile = new AttentionTile(this, rows, dim);
            attentionTiles[thread] = tile;
        }
        return tile;
    }

    WorkerPool pool() {
        return workspace.pool();
    }

    /** Drops the rows of the residual stream that nothing will be asked of. */
    void keepWanted() {
        int width = widths.embedding;
        for (int i = 0; i < wantedCount; i++) {
            System.arraycopy(x, wanted[i] * width, x, i * width, width);
        }
        rows = wantedCount;
    }

    private void groupBySequence(int sequenceCount) {
        int[] next = new int[sequenceCount + 1];
        for (int i = 0; i < size; i++) {
            next[sequences[i] + 1]++;
        }
        for (int s = 0; s < sequenceCount; s++) {
            next[s + 1] += next[s];
        }
        int[] first = Arrays.copyOf(next, sequenceCount + 1);
        for (int i = 0; i < size; i++) {
            order[next[sequences[i]]++] = i;
        }
        List<Run> found = new ArrayList<>();
        for (int s = 0; s < sequenceCount; s++) {
            if (first[s + 1] > first[s]) {
                found.add(new Run(s, first[s], first[s + 1]));
            }
        }
        runs = found;
    }
}
