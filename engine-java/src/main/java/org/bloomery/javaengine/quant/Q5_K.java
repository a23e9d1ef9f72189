package org.bloomery.javaengine.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bloomery.engine.format.TensorType;

/**
 * 5.5 bits a weight: as {@link Q4_K}, with 32 bytes of fifth bits before the nibbles: bit {@code g} of byte {@code j}
 * belongs to element {@code j} of group {@code g}.
 */
public final class Q5_K implements QuantType {

    private static final int BLOCK = 256;
    private static final int BYTES = 176;
    private static final int GROUP = GroupScales.GROUP;

    @Override
    public TensorType type() {
        return TensorType.Q5_K;
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
                    int pair = QuantType.unsigned(source, block + 48 + group * 16L + j);
                    int high = QuantType.unsigned(source, block + 16 + j);
                    int at = outOffset + i + group * GROUP + j;
                    out[at] = firstScale * ((pair & 0xF) | (((high >>> group) & 1) << 4)) - firstMinimum;
                    out[at + GROUP] =
                            secondScale * ((pair >>> 4) | (((high >>> (group + 1)) & 1) << 4)) - secondMinimum;
                }
            }
        }
    }

    @Override
    public void quantize(float[] source, int sourceOffset, int count, MemorySegment target, long offset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            GroupScales scales = GroupScales.fit(source, sourceOffset + i, 31, target, block);
            byte[] high = new byte[GROUP];
            for (int group = 0; group < 8; group += 2) {
                for (int j = 0; j < GROUP; j++) {
                    int at = sourceOffset + i + group * GROUP + j;
                    int first = scales.code(group, source[at], 31);
                    int second = scales.code(group + 1, source[at + GROUP], 31);
                    target.set(ValueLayout.JAVA_BYTE, block + 48 + group * 16L + j, (byte)
                            ((first & 0xF) | (second << 4)));
                    high[j] |= (byte) (((first >>> 4) << group) | ((second >>> 4) << (group + 1)));
                }
            }
            MemorySegment.copy(high, 0, target, ValueLayout.JAVA_BYTE, block + 16, GROUP);
        }
    }
}
