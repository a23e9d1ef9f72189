package org.bloomery.javaengine.kernel;

import java.lang.foreign.MemorySegment;
import org.bloomery.javaengine.quant.QuantType;

/** Dequantises a row, then takes its dot product with each token. */
record ScalarMatrixKernel(QuantType type) implements MatrixKernel {

    @Override
    public int scratchLength(int columns, int tokens) {
        return columns;
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
        for (int row = from; row < to; row++) {
            dequantizeRow(weights, row, columns, scratch, 0);
            for (int token = 0; token < x.tokens(); token++) {
                out[outOffset + token * rows + row] =
                        dot(scratch, 0, x.values(), x.offset() + token * columns, columns);
            }
        }
    }

    @Override
    public void dequantizeRow(MemorySegment weights, int row, int columns, float[] out, int outOffset) {
        type.dequantize(weights, row * type.type().byteSize(columns), columns, out, outOffset);
    }

    /** Four sums side by side, since one alone waits for each addition before it starts the next. */
    private static float dot(float[] a, int aOffset, float[] b, int bOffset, int length) {
        float sum0 = 0;
        float sum1 = 0;
        float sum2 = 0;
        float sum3 = 0;
        int i = 0;
        for (; i + 3 < length; i += 4) {
            sum0 += a[aOffset + i] * b[bOffset + i];
            sum1 += a[aOffset + i + 1] * b[bOffset + i + 1];
            sum2 += a[aOffset + i + 2] * b[bOffset + i + 2];
            sum3 += a[aOffset + i + 3] * b[bOffset + i + 3];
        }
        for (; i < length; i++) {
            sum0 += a[aOffset + i] * b[bOffset + i];
        }
        return (sum0 + sum1) + (sum2 + sum3);
    }
}
