package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.IntVector;
import org.bloomery.javaengine.quant.QuantType;

/** Reads {@link org.bloomery.javaengine.quant.Q6_K}. */
final class Q6_KRows implements VectorRows {

    private static final int BLOCK = 256;
    private static final int BYTES = 210;
    private static final int UPPER = 128;
    private static final int SCALES = 192;
    private static final int SCALE = 208;

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float scale = QuantType.half(source, block + SCALE);
            for (int half = 0; half < 2; half++) {
                long nibbles = block + half * 64L;
                long upper = block + UPPER + half * 32L;
                long scales = block + SCALES + half * 8L;
                int at = outOffset + i + half * 128;
                for (int j = 0; j < 32; j += Lanes.COUNT) {
                    IntVector even = Lanes.bytes(source, nibbles + j);
                    IntVector odd = Lanes.bytes(source, nibbles + 32 + j);
                    IntVector pairs = Lanes.bytes(source, upper + j);
                    long group = scales + j / 16;
                    write(even.and(0xF), pairs.and(3).lanewise(LSHL, 4), scale, source, group, out, at + j);
                    write(odd.and(0xF), pairs.and(12).lanewise(LSHL, 2), scale, source, group + 2, out, at + 32 + j);
                    write(even.lanewise(LSHR, 4).and(0xF), pairs.and(48), scale, source, group + 4, out, at + 64 + j);
                    write(
                            odd.lanewise(LSHR, 4).and(0xF),
                            pairs.and(192).lanewise(LSHR, 2),
                            scale,
                            source,
                            group + 6,
                            out,
                            at + 96 + j);
                }
            }
        }
    }

    private static void write(
            IntVector low, IntVector high, float scale, MemorySegment source, long group, float[] out, int at) {
        float groupScale = scale * source.get(ValueLayout.JAVA_BYTE, group);
        Lanes.toFloats(low.or(high).sub(32)).mul(groupScale).intoArray(out, at);
    }
}
