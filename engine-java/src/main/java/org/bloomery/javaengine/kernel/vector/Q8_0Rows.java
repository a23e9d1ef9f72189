package org.bloomery.javaengine.kernel.vector;

import java.lang.foreign.MemorySegment;
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
}
