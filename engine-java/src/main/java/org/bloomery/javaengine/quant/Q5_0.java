package org.bloomery.javaengine.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bloomery.engine.format.TensorType;

/**
 * 5 bits a weight, symmetric: blocks of 32 as a half scale, 32 fifth bits and nibbles as in {@link Q4_0}; {@code value =
 * scale * (q - 16)}.
 */
public final class Q5_0 implements QuantType {

    private static final int BLOCK = 32;
    private static final int BYTES = 22;

    @Override
    public TensorType type() {
        return TensorType.Q5_0;
    }

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float scale = QuantType.half(source, block);
            int high = source.get(INT, block + 2);
            for (int j = 0; j < BLOCK / 2; j++) {
                int pair = QuantType.unsigned(source, block + 6 + j);
                out[outOffset + i + j] = (((pair & 0xF) | (((high >>> j) & 1) << 4)) - 16) * scale;
                out[outOffset + i + j + BLOCK / 2] = (((pair >>> 4) | (((high >>> (j + 16)) & 1) << 4)) - 16) * scale;
            }
        }
    }

    @Override
    public void quantize(float[] source, int sourceOffset, int count, MemorySegment target, long offset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float ideal = Codes.symmetricScale(source, sourceOffset + i, BLOCK, 16);
            float scale = QuantType.putHalf(target, block, ideal);
            int high = 0;
            for (int j = 0; j < BLOCK / 2; j++) {
                int first = Codes.nearest(source[sourceOffset + i + j], scale, 0, -16, 15) + 16;
                int second = Codes.nearest(source[sourceOffset + i + j + BLOCK / 2], scale, 0, -16, 15) + 16;
                target.set(ValueLayout.JAVA_BYTE, block + 6 + j, (byte) ((first & 0xF) | (second << 4)));
                high |= ((first >>> 4) << j) | ((second >>> 4) << (j + 16));
            }
            target.set(INT, block + 2, high);
        }
    }
}
