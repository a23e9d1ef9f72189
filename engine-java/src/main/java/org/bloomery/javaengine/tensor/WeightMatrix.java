package org.bloomery.javaengine.tensor;

import java.lang.foreign.MemorySegment;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.Activations;
import org.bloomery.javaengine.kernel.Kernels;
import org.bloomery.javaengine.kernel.MatrixKernel;

/**
 * A matrix of weights, (rows, columns), in the blocks of its file, and the kernel bound to it. Immutable and shared; the
 * bytes belong to the model file and must outlive it. A tensor of more than two dimensions is one matrix whose rows are
 * all of its rows; {@link #rowRange} gives one expert of it.
 */
public final class WeightMatrix {

    /**
     * Rows that one thread takes at a time: few enough to balance the threads on a small matrix, enough to be worth the
     * call.
     */
    private static final int ROW_BLOCK = 48;

    /** Tokens up to which a product is bound by reading weights, and most blocks that a thread then takes at a time. */
    private static final int FEW_TOKENS = 8;

    private static final int MOST_BLOCKS = 8;

    /** Pieces for each thread, so that one that is held up costs the others little. */
    private static final int PIECES = 8;

    /** Multiply-adds below which waking other threads costs more than it saves. */
    private static final long SMALL = 1 << 15;

    private final MatrixKernel kernel;
    private final TensorType type;
    private final MemorySegment data;
    private final int rows;
    private final int columns;

    private WeightMatrix(MatrixKernel kernel, TensorType type, MemorySegment data, int rows, int columns) {
        this.kernel = kernel;
        this.type = type;
        this.data = data;
        this.rows = rows;
        this.columns = columns;
    }

    /**
     * Binds a tensor to the kernel for its type.
     *
     * @param data the tensor's bytes, {@link TensorInfo#byteSize()} of them
     * @throws UnsupportedModelException if no kernel reads the tensor's type, or a dimension is beyond 2^31
     */
    public static WeightMatrix of(TensorInfo info, MemorySegment data, Kernels kernels) {
        if (info.rows() > Integer.MAX_VALUE || info.columns() > Integer.MAX_VALUE) {
            throw new UnsupportedModelException("Tensor '" + info.name() + "' has " + info.rows() + " rows of "
                    + info.columns() + " elements; the Java backend computes with at most 2147483647 of each.");
        }
        return new WeightMatrix(
                kernels.matrix(info.type()), info.type(), data, (int) info.rows(), (int) info.columns());
    }

    /** Length of a result. */
    public int rows() {
        return rows;
    }

    /** Length of an activation. */
    public int columns() {
        return columns;
    }

    /** Bytes that one pass over the weights reads. */
    public long byteSize() {
        return rows * type.byteSize(columns);
    }

    /** {@code out(tokens, rows) = x(tokens, columns) · Wᵀ}, both row-major from index 0. */
    public void multiply(float[] x, int tokens, float[] out, Workspace workspace) {
        multiply(x, 0, tokens, out, 0, workspace);
    }

    /** As {@link #multiply(float[], int, float[], Workspace)}, from these indexes of {@code x} and {@code out}. */
    public void multiply(float[] x, int xOffset, int tokens, float[] out, int outOffset, Workspace workspace) {
        multiplyAll(new WeightMatrix[] {this}, x, xOffset, tokens, new float[][] {out}, outOffset, workspace);
    }

    /**
     * Several products with the same activations, in one round of the threads: {@code out[i](tokens, rows of i) =
     * x(tokens, columns) · W[i]ᵀ}. All matrices have the same number of columns.
     */
    public static void multiplyAll(
            WeightMatrix[] matrices, float[] x, int xOffset, int tokens, float[][] out, Workspace workspace) {
        multiplyAll(matrices, x, xOffset, tokens, out, 0, workspace);
    }

    private static void multiplyAll(
            WeightMatrix[] matrices,
            float[] x,
            int xOffset,
            int tokens,
            float[][] out,
            int outOffset,
            Workspace workspace) {
        if (tokens == 0) {
            return;
        }
        int columns = matrices[0].columns;
        int scratch = 0;
        int blocks = 0;
        long work = 0;
        for (int i = 0; i < matrices.length; i++) {
            WeightMatrix matrix = matrices[i];
            if (matrix.columns != columns) {
                throw new IllegalArgumentException(
                        "Matrices of one product have " + columns + " and " + matrix.columns + " columns");
            }
            if (tokens < 0
                    || (long) xOffset + (long) tokens * columns > x.length
                    || (long) outOffset + (long) tokens * matrix.rows > out[i].length) {
                throw new IllegalArgumentException("A product of " + tokens + " tokens by (" + matrix.rows + ", "
                        + columns + ") does not fit arrays of " + x.length + " and " + out[i].length);
            }
            scratch = Math.max(scratch, matrix.kernel.scratchLength(columns, tokens));
            blocks = Math.addExact(blocks, matrix.blocks());
            work += (long) matrix.rows * columns * tokens;
        }
        Activations[] activations = new Activations[matrices.length];
        for (int i = 0; i < matrices.length; i++) {
            int same = firstOfSameForm(matrices, i);
            activations[i] = same < i
                    ? activations[same]
                    : workspace.prepare(matrices[i].kernel.form(), x, xOffset, tokens, columns);
        }
        workspace.reserve(scratch);
        // Long pieces of memory are read faster, since what comes next can be fetched ahead.
        int grain = tokens > FEW_TOKENS
                ? 1
                : Math.clamp(blocks / (PIECES * workspace.pool().threads()), 1, MOST_BLOCKS);
        workspace.pool().forRange(blocks, work <= SMALL ? Integer.MAX_VALUE : grain, (from, to, worker) -> {
            int first = 0;
            for (int i = 0; i < matrices.length; i++) {
                int begin = Math.max(from - first, 0);
                int end = Math.min(to - first, matrices[i].blocks());
                if (begin < end) {
                    matrices[i].multiplyBlocks(
                            begin, end, activations[i], out[i], outOffset, workspace.scratch(worker));
                }
                first += matrices[i].blocks();
            }
        });
    }

    private static int firstOfSameForm(WeightMatrix[] matrices, int index) {
        int first = 0;
        while (!matrices[first].kernel.form().equals(matrices[index].kernel.form())) {
            first++;
        }
        return first;
    }

    private int blocks() {
        return (rows - 1) / ROW_BLOCK + 1;
    }

    private void multiplyBlocks(int from, int to, Activations x, float[] out, int outOffset, float[] scratch) {
        int end = (int) Math.min(rows, (long) to * ROW_BLOCK);
        kernel.multiply(data, from * ROW_BLOCK, end, x, out, outOffset, rows, scratch);
    }

    /** Writes the float values of one row, as for a token's embedding. */
    public void dequantizeRow(int row, float[] out, int offset) {
        if (row < 0 || row >= rows) {
            throw new IndexOutOfBoundsException("Row " + row + " of a matrix with " + rows + " rows");
        }
        kernel.dequantizeRow(data, row, columns, out, offset);
    }

    /** A view of {@code count} rows: one expert of a stack of matrices, or one part of a fused matrix. */
    public WeightMatrix rowRange(int from, int count) {
        if (from < 0 || count < 1 || count > rows - from) {
            throw new IndexOutOfBoundsException(
                    "Rows " + from + " to " + ((long) from + count) + " of a matrix with " + rows + " rows");
        }
        long rowBytes = type.byteSize(columns);
        return new WeightMatrix(kernel, type, data.asSlice(from * rowBytes, count * rowBytes), count, columns);
    }
}
