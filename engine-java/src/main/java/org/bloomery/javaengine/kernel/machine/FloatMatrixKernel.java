package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.MemorySegment;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.Activations;
import org.bloomery.javaengine.kernel.MatrixKernel;

/** Products of F32, F16 or BF16 rows; rows of a length that is no multiple of 32, which are rare, go another way. */
final class FloatMatrixKernel implements MatrixKernel {

    private final TensorType type;
    private final LoadedCode code;
    private final MatrixKernel plain;

    /**
     * @param code {@link FloatCode} by number of tokens
     * @param plain the other way
     */
    FloatMatrixKernel(TensorType type, LoadedCode code, MatrixKernel plain) {
        this.type = type;
        this.code = code;
        this.plain = plain;
    }

    @Override
    public int scratchLength(int columns, int tokens) {
        return columns % FloatCode.COLUMNS == 0 ? 0 : plain.scratchLength(columns, tokens);
    }

    @Override
    public void multiply(
            MemorySegment weights,
            int from,
            int to,
            Activations x,
            float[] out,
            int outOffset,
            int rows,
            float[] scratch) {
        int columns = x.columns();
        if (columns % FloatCode.COLUMNS != 0) {
            plain.multiply(weights, from, to, x, out, outOffset, rows, scratch);
            return;
        }
        MemorySegment values = MemorySegment.ofArray(x.values());
        MemorySegment target = MemorySegment.ofArray(out);
        long rowBytes = type.byteSize(columns);
        int groups = (to - from) / FloatCode.ROWS;
        int rest = from + groups * FloatCode.ROWS;
        // The weights of so few rows come from the second-level cache for all tokens but the first.
        for (int token = 0; token < x.tokens(); token += FloatCode.TOKENS) {
            MemorySegment multiply = code.get(Math.min(FloatCode.TOKENS, x.tokens() - token));
            MemorySegment activations = values.asSlice((x.offset() + (long) token * columns) * Float.BYTES);
            long results = outOffset + (long) token * rows;
            if (groups > 0) {
                call(
                        multiply,
                        weights.asSlice(from * rowBytes),
                        rowBytes,
                        activations,
                        target,
                        results + from,
                        rows,
                        columns,
                        groups,
                        (1L << FloatCode.ROWS) - 1);
            }
            if (rest < to) {
                RowGroup group = RowGroup.of(weights, rest, to, rowBytes, FloatCode.ROWS);
                call(
                        multiply,
                        group.weights(),
                        rowBytes,
                        activations,
                        target,
                        results + group.firstRow(),
                        rows,
                        columns,
                        1,
                        group.mask());
            }
        }
    }

    private static void call(
            MemorySegment code,
            MemorySegment weights,
            long rowBytes,
            MemorySegment activations,
            MemorySegment out,
            long outOffset,
            int rows,
            int columns,
            int groups,
            long mask) {
        MachineCall.multiply(
                code,
                weights,
                rowBytes,
                activations,
                out.asSlice(outOffset * Float.BYTES),
                (long) rows * Float.BYTES,
                columns / FloatCode.COLUMNS,
                groups + (((long) columns * Float.BYTES) << 32),
                mask);
    }

    @Override
    public void dequantizeRow(MemorySegment weights, int row, int columns, float[] out, int outOffset) {
        plain.dequantizeRow(weights, row, columns, out, outOffset);
    }
}
