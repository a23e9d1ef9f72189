package org.bloomery.javaengine.layer;

import java.util.Arrays;
import org.bloomery.javaengine.cache.KvCache;
import org.bloomery.javaengine.kernel.AttentionKernel;
import org.bloomery.javaengine.kernel.ElementwiseKernel;
import org.bloomery.javaengine.kernel.Exponential;

/**
 * The arithmetic of one tile of attention, with the buffers of one thread. Query rows stand token by token, the heads of
 * a group side by side. Results are kept unnormalised, each row with its maximum score and the sum of its weights, so
 * that tiles over parts of one past can be joined.
 */
final class AttentionTile {

    private static final int BLOCK = KvCache.BLOCK;

    private final AttentionKernel kernel;
    private final ElementwiseKernel elementwise;
    private final KvCache cache;
    private final int dim;
    private final KvCache.BlockBuffer block;
    private final float[] queries;
    private final float[] scores;

    /** Sums of values, (rows, headDim). */
    final float[] sums;

    /** Greatest score of each row so far. */
    final float[] greatest;

    /** Sum of the weights of each row so far. */
    final float[] total;

    AttentionTile(Pass pass, int rows, int dim) {
        kernel = pass.attention;
        elementwise = pass.elementwise;
        cache = pass.cache;
        this.dim = dim;
        block = cache.buffer();
        queries = new float[rows * dim];
        scores = new float[rows * BLOCK];
        sums = new float[rows * dim];
        greatest = new float[rows];
        total = new float[rows];
    }

    /** Bytes of the buffers. */
    static long bytes(int rows, int dim) {
        return (2L * rows * dim + (long) rows * BLOCK + 2L * rows) * Float.BYTES + 6L * BLOCK * dim;
    }

    /** Whether it can be used for tiles of up to so many rows. */
    boolean fits(int rows, int dim) {
        return dim == this.dim && rows <= total.length;
    }

    /** Starts a tile of so many rows. */
    void start(int rows) {
        Arrays.fill(sums, 0, rows * dim, 0);
        Arrays.fill(greatest, 0, rows, Float.NEGATIVE_INFINITY);
        Arrays.fill(total, 0, rows, 0);
    }

    /** Takes a row's query head, times {@code scale}. */
    void query(int row, float[] query, int offset, float scale) {
        for (int d = 0; d < dim; d++) {
            queries[row * dim + d] = query[offset + d] * scale;
        }
    }

    /**
     * Goes over one block of the past.
     *
     * @param visible positions of the block that the rows of each token see, rising; 0 for none
     * @param group rows of a token
     */
    void visit(int sequence, int number, int layer, int head, int[] visible, int tokens, int group) {
        int rows = tokens * group;
        int count = visible[tokens - 1];

        // scores
        cache.loadKeys(sequence, number, layer, head, block);
        Arrays.fill(scores, 0, rows * BLOCK, 0);
        kernel.multiplyAdd(queries, dim, block.floats(), scores, rows, dim, BLOCK);

        // scores to weights
        for (int row = 0; row < rows; row++) {
            weigh(row, visible[row / group], count);
        }

        // values
        cache.loadValues(sequence, number, layer, head, count, block);
        kernel.multiplyAdd(scores, BLOCK, block.floats(), sums, rows, count, dim);
    }

    /** Turns a row's scores into weights relative to its new greatest score, and what it had so far along with it. */
    private void weigh(int row, int visible, int count) {
        int offset = row * BLOCK;
        if (visible > 0) {
            float most = Math.max(greatest[row], elementwise.greatest(scores, offset, visible));
            float weightSum = elementwise.exponentials(scores, offset, visible, most);
            if (most != greatest[row]) {
                scale(row, Exponential.of(greatest[row] - most));
                greatest[row] = most;
            }
            total[row] += weightSum;
        }
        Arrays.fill(scores, offset + visible, offset + count, 0);
    }

    private void scale(int row, float factor) {
        total[row] *= factor;
        for (int d = 0; d < dim; d++) {
            sums[row * dim + d] *= factor;
        }
    }
}
