package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ADD;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import org.bloomery.javaengine.quant.QuantType;

/** Reads {@link org.bloomery.javaengine.quant.Q8_0}. */
final class Q8_0Rows implements VectorRows {

    private static final int BLOCK = 32;
    private static final int BYTES = 34;

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float scale = QuantType.half(source, block);
            for (int j = 0; j < BLOCK; j += Lanes.COUNT) {
                Lanes.toFloats(Lanes.bytes(source, block + 2 + j)).mul(scale).intoArray(out, outOffset + i + j);
            }
        }
    }

    /** Two blocks a round, each with its own sums: one alone waits for its additions where long rows come from memory. */
    @Override
    public float dot(MemorySegment source, long offset, int columns, float[] x, int xOffset) {
        FloatVector even = FloatVector.zero(Lanes.FLOATS);
        FloatVector odd = FloatVector.zero(Lanes.FLOATS);
        int blocks = columns / BLOCK;
        int b = 0;
        for (; b + 1 < blocks; b += 2) {
            long block = offset + (long) b * BYTES;
            int at = xOffset + b * BLOCK;
            even = addBlock(source, block, x, at, even);
            odd = addBlock(source, block + BYTES, x, at + BLOCK, odd);
        }
        if (b < blocks) {
            even = addBlock(source, offset + (long) b * BYTES, x, xOffset + b * BLOCK, even);
        }
        return even.add(odd).reduceLanes(ADD);
    }

    private static FloatVector addBlock(MemorySegment source, long block, float[] x, int at, FloatVector sum) {
        FloatVector products = Lanes.toFloats(Lanes.bytes(source, block + 2)).mul(Lanes.floats(x, at));
        for (int j = Lanes.COUNT; j < BLOCK; j += Lanes.COUNT) {
            products = Lanes.toFloats(Lanes.bytes(source, block + 2 + j)).fma(Lanes.floats(x, at + j), products);
        }
        return products.fma(FloatVector.broadcast(Lanes.FLOATS, QuantType.half(source, block)), sum);
    }
}
