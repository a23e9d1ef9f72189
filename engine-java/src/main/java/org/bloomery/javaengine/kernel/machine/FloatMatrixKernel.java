package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.MemorySegment;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.Activations;
import org.bloomery.javaengine.kernel.MatrixKernel;

/** Products of F32, F16 or BF16 rows; rows of a length that is no multiple of 32, which are rare, go another way. */
final class FloatMatrixKernel implements MatrixKernel {

    private final TensorType type;
    private final LoadedCode code;
    private final int groupRows;
    private final int most;
    private final boolean masks;
    private final MatrixKernel plain;

    /**
     * @param code {@link FloatCode} of so many bits, by number of tokens
     * @param plain the other way
     */
    FloatMatrixKernel(TensorType type, LoadedCode code, int bits, MatrixKernel plain) {
        this.type = type;
        this.code = code;
        this.plain = plain;
        groupRows = FloatCode.rows(bits);
        most = FloatCode.tokens(bits);
        masks = bits == 512;
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
        int groups = (to - from) / groupRows;
        int rest = from + groups * groupRows;
        // The weights of so few rows come from the second-level cache for all tokens but the first.
        for (int token = 0; token < x.tokens(); token += most) {
            int count = Math.min(most, x.tokens() - token);
            MemorySegment multiply = code.get(count);
            MemorySegment activations = values.asSlice(
                    (x.offset() + (long) token * columns) * Float.BYTES, (long) count * columns * Float.BYTES);
            long results = outOffset + (long) token * rows;
            if (groups > 0) {
                call(
                        multiply,
                        weights.asSlice(from * rowBytes, (rest - from) * rowBytes),
                        rowBytes,
                        activations,
                        target,
                        results + from,
                        rows,
                        columns,
                        groups,
                        (1L << groupRows) - 1);
            }
            if (rest < to) {
                RowGroup group = RowGroup.of(weights, rest, to, rowBytes, groupRows);
                if (masks) {
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
                } else {
                    float[] all = new float[most * groupRows];
                    MemorySegment aside = MemorySegment.ofArray(all);
                    call(multiply, group.weights(), rowBytes, activations, aside, 0, groupRows, columns, 1, 0);
                    for (int t = 0; t < count; t++) {
                        int source = t * groupRows + rest - group.firstRow();
                        System.arraycopy(all, source, out, outOffset + (token + t) * rows + rest, to - rest);
                    }
                }
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
