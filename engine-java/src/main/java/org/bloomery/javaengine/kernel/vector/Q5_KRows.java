package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import org.bloomery.javaengine.quant.GroupScales;
import org.bloomery.javaengine.quant.QuantType;

/** Reads {@link org.bloomery.javaengine.quant.Q5_K}. */
final class Q5_KRows implements VectorRows {

    private static final int BLOCK = 256;
    private static final int GROUP = GroupScales.GROUP;
    private static final int BYTES = 176;

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float scale = QuantType.half(source, block);
            float minimum = QuantType.half(source, block + 2);
            for (int group = 0; group < 8; group += 2) {
                float firstScale = scale * GroupScales.scale(source, block + 4, group);
                float firstMinimum = minimum * GroupScales.minimum(source, block + 4, group);
                float secondScale = scale * GroupScales.scale(source, block + 4, group + 1);
                float secondMinimum = minimum * GroupScales.minimum(source, block + 4, group + 1);
                int at = outOffset + i + group * GROUP;
                for (int j = 0; j < GROUP; j += Lanes.COUNT) {
                    IntVector pairs = Lanes.bytes(source, block + 48 + group * 16L + j);
                    IntVector high = Lanes.bytes(source, block + 16 + j).lanewise(LSHR, group);
                    IntVector first = pairs.and(0xF).or(high.and(1).lanewise(LSHL, 4));
                    IntVector second =
                            pairs.lanewise(LSHR, 4).and(0xF).or(high.and(2).lanewise(LSHL, 3));
                    Lanes.toFloats(first).mul(firstScale).sub(firstMinimum).intoArray(out, at + j);
                    Lanes.toFloats(second).mul(secondScale).sub(secondMinimum).intoArray(out, at + j + GROUP);
                }
            }
        }
    }
}
