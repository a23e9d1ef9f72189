package org.bloomery.javaengine.kernel.vector;

import java.lang.foreign.MemorySegment;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.ActivationForm;
import org.bloomery.javaengine.kernel.Activations;
import org.bloomery.javaengine.kernel.MatrixKernel;

/**
 * Products for one element type, by the number of tokens: one token reads weights once and straight into the sums, few
 * tokens take dot products with rows made floats, many tokens go through {@link Panels}.
 */
final class VectorMatrixKernel implements MatrixKernel {

    /** Rows whose floats one call holds at a time; a multiple of {@link Panels#ROWS}. */
    private static final int STRIP = 48;

    /** Columns made floats at a time for {@link Panels}, so that a strip and a panel stay in the second-level cache. */
    private static final int COLUMNS = 512;

    private static final int FOUR = 4;

    private final TensorType type;
    private final RowCalls rows;

    VectorMatrixKernel(TensorType type, VectorRows rows) {
        this.type = type;
        this.rows = new RowCalls(rows);
    }

    @Override
    public ActivationForm form() {
        return PanelActivations.FORM;
    }

    @Override
    public int scratchLength(int columns, int tokens) {
        return tokens < Panels.FEWEST_TOKENS
                ? Math.addExact(Math.multiplyExact(FOUR, columns), FOUR * FOUR)
                : Math.addExact(STRIP * COLUMNS, Math.multiplyExact(STRIP, Panels.padded(tokens)));
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
        if (x.tokens() < Panels.FEWEST_TOKENS) {
            for (int row = from; row < to; row += FOUR) {
                multiplyFour(weights, row, Math.min(FOUR, to - row), x, out, outOffset + row, rows, scratch);
            }
        } else {
            for (int row = from; row < to; row += STRIP) {
                multiplyStrip(weights, row, Math.min(STRIP, to - row), x, out, outOffset + row, rows, scratch);
            }
        }
    }

    private void multiplyFour(
            MemorySegment weights,
            int row,
            int count,
            Activations x,
            float[] out,
            int outOffset,
            int outStride,
            float[] scratch) {
        int columns = x.columns();
        long rowBytes = type.byteSize(columns);
        int sums = FOUR * columns;
        if (x.tokens() == 1) {
            for (int r = 0; r < count; r++) {
                out[outOffset + r] = rows.dot(weights, (row + r) * rowBytes, columns, x.values(), x.offset());
            }
            return;
        }
        for (int r = 0; r < count; r++) {
            rows.dequantize(weights, (row + r) * rowBytes, columns, scratch, r * columns);
        }
        int token = 0;
        for (; token + FOUR <= x.tokens(); token += FOUR) {
            Dots.fourByFour(scratch, columns, x.values(), x.offset() + token * columns, scratch, sums);
            for (int t = 0; t < FOUR; t++) {
                System.arraycopy(scratch, sums + t * FOUR, out, outOffset + (token + t) * outStride, count);
            }
        }
        for (; token < x.tokens(); token++) {
            Dots.fourByOne(scratch, columns, x.values(), x.offset() + token * columns, scratch, sums);
            System.arraycopy(scratch, sums, out, outOffset + token * outStride, count);
        }
    }

    private void multiplyStrip(
            MemorySegment weights,
            int row,
            int count,
            Activations x,
            float[] out,
            int outOffset,
            int outStride,
            float[] scratch) {
        int columns = x.columns();
        long rowBytes = type.byteSize(columns);
        int paddedRows = (count + Panels.ROWS - 1) / Panels.ROWS * Panels.ROWS;
        int paddedTokens = Panels.padded(x.tokens());
        int sums = STRIP * COLUMNS;
        java.util.Arrays.fill(scratch, sums, sums + paddedRows * paddedTokens, 0f);
        for (int column = 0; column < columns; column += COLUMNS) {
            int part = Math.min(COLUMNS, columns - column);
            for (int r = 0; r < count; r++) {
                long offset = (row + r) * rowBytes + type.byteSize(column);
                rows.dequantize(weights, offset, part, scratch, r * part);
            }
            Panels.accumulate(scratch, paddedRows, column, part, x, scratch, sums);
        }
        for (int token = 0; token < x.tokens(); token++) {
            for (int r = 0; r < count; r++) {
                out[outOffset + token * outStride + r] = scratch[sums + r * paddedTokens + token];
            }
        }
    }

    @Override
    public void dequantizeRow(MemorySegment weights, int row, int columns, float[] out, int outOffset) {
        rows.dequantize(weights, row * type.byteSize(columns), columns, out, outOffset);
    }
}
