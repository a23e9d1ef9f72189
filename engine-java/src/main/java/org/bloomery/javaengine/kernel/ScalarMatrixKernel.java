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
                        ScalarAttentionKernel.dot(scratch, 0, x.values(), x.offset() + token * columns, columns);
            }
        }
    }

    @Override
    public void dequantizeRow(MemorySegment weights, int row, int columns, float[] out, int outOffset) {
        type.dequantize(weights, row * type.type().byteSize(columns), columns, out, outOffset);
    }
}
