package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import org.bloomery.javaengine.quant.QuantType;

/** Reads {@link org.bloomery.javaengine.quant.Q6_K}. */
final class Q6_KRows implements VectorRows {

    private static final int BLOCK = 256;
    private static final int HALF = 128;
    private static final int BYTES = 210;
    private static final int UPPER = 128;
    private static final int SCALES = 192;
    private static final int SCALE = 208;

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        for (int i = 0; i < count; i += HALF) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            int half = i % BLOCK / HALF;
            float scale = QuantType.half(source, block + SCALE);
            long scales = source.get(QuantType.LONG, block + SCALES + half * 8L);
            long nibbles = block + half * 64L;
            long upper = block + UPPER + half * 32L;
            // Two quarters of the half at a time: all four would be more than the compiler inlines into one method.
            for (int odd = 0; odd < 2; odd++) {
                for (int j = 0; j < 32; j += Lanes.COUNT) {
                    IntVector low = Lanes.bytes(source, nibbles + odd * 32L + j);
                    IntVector high = Lanes.bytes(source, upper + j).lanewise(LSHR, 2 * odd);
                    int group = 2 * odd + j / 16;
                    int at = outOffset + i + odd * 32 + j;
                    codes(low, high.lanewise(LSHL, 4))
                            .mul(scale(scale, scales, group))
                            .intoArray(out, at);
                    codes(low.lanewise(LSHR, 4), high)
                            .mul(scale(scale, scales, group + 4))
                            .intoArray(out, at + 64);
                }
            }
        }
    }

    @Override
    public float dot(MemorySegment source, long offset, int columns, float[] x, int xOffset) {
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        for (int i = 0; i < columns; i += HALF) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            int half = i % BLOCK / HALF;
            float scale = QuantType.half(source, block + SCALE);
            long scales = source.get(QuantType.LONG, block + SCALES + half * 8L);
            long nibbles = block + half * 64L;
            long upper = block + UPPER + half * 32L;
            // Two quarters of the half at a time: all four would be more than the compiler inlines into one method.
            for (int odd = 0; odd < 2; odd++) {
                for (int j = 0; j < 32; j += Lanes.COUNT) {
                    IntVector low = Lanes.bytes(source, nibbles + odd * 32L + j);
                    IntVector high = Lanes.bytes(source, upper + j).lanewise(LSHR, 2 * odd);
                    int group = 2 * odd + j / 16;
                    int at = xOffset + i + odd * 32 + j;
                    FloatVector first = codes(low, high.lanewise(LSHL, 4)).mul(Lanes.floats(x, at));
                    sum = first.fma(scale(scale, scales, group), sum);
                    FloatVector second = codes(low.lanewise(LSHR, 4), high).mul(Lanes.floats(x, at + 64));
                    sum = second.fma(scale(scale, scales, group + 4), sum);
                }
            }
        }
        return sum.reduceLanes(ADD);
    }

    /** Codes less their middle, from bits 0 to 3 of one vector and bits 4 and 5 of the other. */
    private static FloatVector codes(IntVector low, IntVector high) {
        return Lanes.toFloats(low.and(0xF).or(high.and(0x30)).sub(32));
    }

    private static FloatVector scale(float scale, long scales, int group) {
        return FloatVector.broadcast(Lanes.FLOATS, scale * (byte) (scales >>> (8 * group)));
    }
}
