package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
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
            long scales = GroupScales.scales(source, block + 4);
            long minima = GroupScales.minima(source, block + 4);
            for (int group = 0; group < 8; group += 2) {
                float firstScale = scale * GroupScales.of(scales, group);
                float firstMinimum = minimum * GroupScales.of(minima, group);
                float secondScale = scale * GroupScales.of(scales, group + 1);
                float secondMinimum = minimum * GroupScales.of(minima, group + 1);
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

    @Override
    public float dot(MemorySegment source, long offset, int columns, float[] x, int xOffset) {
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        int blocks = columns / BLOCK;
        for (int b = 0; b < blocks; b++) {
            long block = offset + (long) b * BYTES;
            float scale = QuantType.half(source, block);
            float minimum = -QuantType.half(source, block + 2);
            long scales = GroupScales.scales(source, block + 4);
            long minima = GroupScales.minima(source, block + 4);
            for (int group = 0; group < 8; group += 2) {
                FloatVector scale0 = FloatVector.broadcast(Lanes.FLOATS, scale * GroupScales.of(scales, group));
                FloatVector scale1 = FloatVector.broadcast(Lanes.FLOATS, scale * GroupScales.of(scales, group + 1));
                FloatVector minimum0 = FloatVector.broadcast(Lanes.FLOATS, minimum * GroupScales.of(minima, group));
                FloatVector minimum1 = FloatVector.broadcast(Lanes.FLOATS, minimum * GroupScales.of(minima, group + 1));
                int at = xOffset + b * BLOCK + group * GROUP;
                for (int j = 0; j < GROUP; j += Lanes.COUNT) {
                    IntVector pairs = Lanes.bytes(source, block + 48 + group * 16L + j);
                    IntVector high = Lanes.bytes(source, block + 16 + j).lanewise(LSHR, group);
                    FloatVector first = Lanes.toFloats(
                                    pairs.and(0xF).or(high.and(1).lanewise(LSHL, 4)))
                            .fma(scale0, minimum0);
                    FloatVector second = Lanes.toFloats(pairs.lanewise(LSHR, 4)
                                    .and(0xF)
                                    .or(high.and(2).lanewise(LSHL, 3)))
                            .fma(scale1, minimum1);
                    sum = first.fma(Lanes.floats(x, at + j), sum);
                    sum = second.fma(Lanes.floats(x, at + j + GROUP), sum);
                }
            }
        }
        return sum.reduceLanes(ADD);
    }
}
