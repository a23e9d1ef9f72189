package org.bloomery.javaengine.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.Activations;
import org.bloomery.javaengine.kernel.Interleaving;
import org.bloomery.javaengine.kernel.Kernels;
import org.bloomery.javaengine.kernel.MatrixKernel;
import org.jspecify.annotations.Nullable;

/**
 * A matrix of weights, (rows, columns), in the blocks of its file, and the kernel bound to it. Shared by threads; the
 * bytes belong to the model file and must outlive it, or to memory that {@link Repacking} has copied them to, which
 * changes no result. A tensor of more than two dimensions is one matrix whose rows are all of its rows; {@link #rowRange}
 * gives one expert of it.
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

    /** Where the rows of a tensor are, the kernel that reads them there, and how many of them stand together. */
    private record Layout(MatrixKernel kernel, MemorySegment data, int groupRows) {}

    /** What all views of a tensor share. */
    private static final class Tensor {
        private volatile Layout layout;
        private boolean multiplied;
        /** Whether a view begins or ends amid a group of rows that would be interleaved. */
        private boolean divided;

        Tensor(Layout layout) {
            this.layout = layout;
        }
    }

    private final Tensor tensor;
    private final TensorType type;
    private final int firstRow;
    private final int rows;
    private final int columns;

    private WeightMatrix(Tensor tensor, TensorType type, int firstRow, int rows, int columns) {
        this.tensor = tensor;
        this.type = type;
        this.firstRow = firstRow;
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
        Layout layout = new Layout(kernels.matrix(info.type()), data, 1);
        return new WeightMatrix(new Tensor(layout), info.type(), 0, (int) info.rows(), (int) info.columns());
    }

    /** Says that there will be products with this matrix, and not only rows looked up, while the model is built. */
    public void expectProducts() {
        tensor.multiplied = true;
    }

    /** The layout that products of a whole tensor would rather read; empty if the one they have is as good. */
    private Optional<Interleaving> interleaving() {
        Optional<Interleaving> found = tensor.layout.kernel.interleaving(columns);
        return found.filter(each -> tensor.multiplied && !tensor.divided && rows >= each.rows());
    }

    /** Bytes of the copy that {@link #repack} makes of a whole tensor, of which all views are there; 0 if it makes none. */
    long repackedSize() {
        return interleaving()
                .map(each -> each.byteSize(rows, type.byteSize(columns)))
                .orElse(0L);
    }

    /**
     * Copies the tensor and reads the copy from then on.
     *
     * @param memory {@link #repackedSize} bytes, all zero, which must outlive this matrix
     * @param stopped asked now and then whether to give up
     * @return what was read before, or null if it gave up
     */
    @Nullable
    MemorySegment repack(MemorySegment memory, BooleanSupplier stopped) {
        Interleaving interleaving = interleaving().orElseThrow();
        Layout before = tensor.layout;
        for (long row = 0; row < rows; row += interleaving.rows()) {
            if (stopped.getAsBoolean()) {
                return null;
            }
            int end = (int) Math.min(rows, row + interleaving.rows());
            interleaving.copy(before.data, (int) row, end, type.byteSize(columns), memory);
        }
        tensor.layout = new Layout(before.kernel.interleaved(), memory, interleaving.rows());
        return before.data;
    }

    private MatrixKernel kernel() {
        return tensor.layout.kernel;
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
            scratch = Math.max(scratch, matrix.kernel().scratchLength(columns, tokens));
            blocks = Math.addExact(blocks, matrix.blocks());
            work += (long) matrix.rows * columns * tokens;
        }
        Activations[] activations = new Activations[matrices.length];
        for (int i = 0; i < matrices.length; i++) {
            int same = firstOfSameForm(matrices, i);
            activations[i] = same < i
                    ? activations[same]
                    : workspace.prepare(matrices[i].kernel().form(), x, xOffset, tokens, columns);
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
        while (!matrices[first].kernel().form().equals(matrices[index].kernel().form())) {
            first++;
        }
        return first;
    }

    private int blocks() {
        return (rows - 1) / ROW_BLOCK + 1;
    }

    private void multiplyBlocks(int from, int to, Activations x, float[] out, int outOffset, float[] scratch) {
        int end = (int) Math.min(rows, (long) to * ROW_BLOCK);
        Layout layout = tensor.layout;
        MemorySegment data = layout.data.asSlice(firstRow * type.byteSize(columns));
        layout.kernel.multiply(data, from * ROW_BLOCK, end, x, out, outOffset, rows, scratch);
    }

    /** Writes the float values of one row, as for a token's embedding. */
    public void dequantizeRow(int row, float[] out, int offset) {
        if (row < 0 || row >= rows) {
            throw new IndexOutOfBoundsException("Row " + row + " of a matrix with " + rows + " rows");
        }
        Layout layout = tensor.layout;
        layout.kernel.dequantizeRow(layout.data, firstRow + row, columns, out, offset);
    }

    /**
     * A view of {@code count} rows: one expert of a stack of matrices, or one part of a fused matrix. Taken while the model
     * is built.
     *
     * @throws IllegalStateException if the tensor has been repacked in groups that the view would divide
     */
    public WeightMatrix rowRange(int from, int count) {
        if (from < 0 || count < 1 || count > rows - from) {
            throw new IndexOutOfBoundsException(
                    "Rows " + from + " to " + ((long) from + count) + " of a matrix with " + rows + " rows");
        }
        int first = firstRow + from;
        if (first % tensor.layout.groupRows != 0) {
            throw new IllegalStateException("Rows from " + first + " on cannot be read alone, since "
                    + tensor.layout.groupRows + " rows stand together; take views before a matrix is repacked");
        }
        kernel().interleaving(columns)
                .ifPresent(each -> tensor.divided |= first % each.rows() != 0 || count % each.rows() != 0);
        return new WeightMatrix(tensor, type, first, count, columns);
    }
}
