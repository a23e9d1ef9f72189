package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import org.bloomery.javaengine.quant.QuantType;

/** Reads {@link org.bloomery.javaengine.quant.Q5_0}. */
final class Q5_0Rows implements VectorRows {

    private static final int BLOCK = 32;
    private static final int HALF = 16;
    private static final int BYTES = 22;

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        IntVector index = IntVector.zero(Lanes.INTS).addIndex(1);
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float scale = QuantType.half(source, block);
            IntVector high = IntVector.broadcast(Lanes.INTS, source.get(QuantType.INT, block + 2));
            for (int j = 0; j < HALF; j += Lanes.COUNT) {
                IntVector pairs = Lanes.bytes(source, block + 6 + j);
                IntVector first = pairs.and(0xF)
                        .or(high.lanewise(LSHR, index.add(j)).and(1).lanewise(LSHL, 4))
                        .sub(16);
                IntVector second = pairs.lanewise(LSHR, 4)
                        .and(0xF)
                        .or(high.lanewise(LSHR, index.add(j + HALF)).and(1).lanewise(LSHL, 4))
                        .sub(16);
                Lanes.toFloats(first).mul(scale).intoArray(out, outOffset + i + j);
                Lanes.toFloats(second).mul(scale).intoArray(out, outOffset + i + j + HALF);
            }
        }
    }

    @Override
    public float dot(MemorySegment source, long offset, int columns, float[] x, int xOffset) {
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        IntVector index = IntVector.zero(Lanes.INTS).addIndex(1);
        int blocks = columns / BLOCK;
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * BYTES;
            FloatVector scale = FloatVector.broadcast(Lanes.FLOATS, QuantType.half(source, block));
            IntVector high = IntVector.broadcast(Lanes.INTS, source.get(QuantType.INT, block + 2));
            FloatVector products = FloatVector.zero(Lanes.FLOATS);
            for (int j = 0; j < HALF; j += Lanes.COUNT) {
                int at = xOffset + b * BLOCK + j;
                IntVector pairs = Lanes.bytes(source, block + 6 + j);
                IntVector first = pairs.and(0xF)
                        .or(high.lanewise(LSHR, index.add(j)).and(1).lanewise(LSHL, 4))
                        .sub(16);
                IntVector second = pairs.lanewise(LSHR, 4)
                        .and(0xF)
                        .or(high.lanewise(LSHR, index.add(j + HALF)).and(1).lanewise(LSHL, 4))
                        .sub(16);
                products = Lanes.toFloats(first).fma(Lanes.floats(x, at), products);
                products = Lanes.toFloats(second).fma(Lanes.floats(x, at + HALF), products);
            }
            sum = products.fma(scale, sum);
        }
        return sum.reduceLanes(ADD);
    }
}
