package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import org.bloomery.javaengine.quant.QuantType;

/** Reads {@link org.bloomery.javaengine.quant.Q4_0}. */
final class Q4_0Rows implements VectorRows {

    private static final int BLOCK = 32;
    private static final int HALF = 16;
    private static final int BYTES = 18;

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float scale = QuantType.half(source, block);
            for (int j = 0; j < HALF; j += Lanes.COUNT) {
                IntVector pairs = Lanes.bytes(source, block + 2 + j);
                IntVector first = pairs.and(0xF).sub(8);
                IntVector second = pairs.lanewise(LSHR, 4).and(0xF).sub(8);
                Lanes.toFloats(first).mul(scale).intoArray(out, outOffset + i + j);
                Lanes.toFloats(second).mul(scale).intoArray(out, outOffset + i + j + HALF);
            }
        }
    }

    @Override
    public float dot(MemorySegment source, long offset, int columns, float[] x, int xOffset) {
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        int blocks = columns / BLOCK;
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * BYTES;
            FloatVector scale = FloatVector.broadcast(Lanes.FLOATS, QuantType.half(source, block));
            FloatVector products = FloatVector.zero(Lanes.FLOATS);
            for (int j = 0; j < HALF; j += Lanes.COUNT) {
                int at = xOffset + b * BLOCK + j;
                IntVector pairs = Lanes.bytes(source, block + 2 + j);
                IntVector first = pairs.and(0xF).sub(8);
                IntVector second = pairs.lanewise(LSHR, 4).and(0xF).sub(8);
                products = Lanes.toFloats(first).fma(Lanes.floats(x, at), products);
                products = Lanes.toFloats(second).fma(Lanes.floats(x, at + HALF), products);
            }
            sum = products.fma(scale, sum);
        }
        return sum.reduceLanes(ADD);
    }
}
