package org.bloomery.javaengine.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bloomery.engine.format.TensorType;

/**
 * 4.5 bits a weight: blocks of 256 as a half scale, a half minimum, {@link GroupScales} of eight groups of 32, and 128
 * bytes of nibbles, 32 bytes for two groups: the low nibbles are the first; {@code value = scale * groupScale * q -
 * minimum * groupMinimum}.
 */
public final class Q4_K implements QuantType {

    private static final int BLOCK = 256;
    private static final int BYTES = 144;
    private static final int GROUP = GroupScales.GROUP;

    @Override
    public TensorType type() {
        return TensorType.Q4_K;
    }

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
                for (int j = 0; j < GROUP; j++) {
                    int pair = QuantType.unsigned(source, block + 16 + group * 16L + j);
                    int at = outOffset + i + group * GROUP + j;
                    out[at] = firstScale * (pair & 0xF) - firstMinimum;
                    out[at + GROUP] = secondScale * (pair >>> 4) - secondMinimum;
                }
            }
        }
    }

    @Override
    public void quantize(float[] source, int sourceOffset, int count, MemorySegment target, long offset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            GroupScales scales = GroupScales.fit(source, sourceOffset + i, 15, target, block);
            for (int group = 0; group < 8; group += 2) {
                for (int j = 0; j < GROUP; j++) {
                    int at = sourceOffset + i + group * GROUP + j;
                    int first = scales.code(group, source[at], 15);
                    int second = scales.code(group + 1, source[at + GROUP], 15);
                    target.set(ValueLayout.JAVA_BYTE, block + 16 + group * 16L + j, (byte) (first | (second << 4)));
                }
            }
        }
    }
}
