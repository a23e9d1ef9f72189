package org.bloomery.javaengine.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bloomery.engine.format.TensorType;

/**
 * 5 bits a weight with a minimum: blocks of 32 as a half scale, a half minimum, 32 fifth bits and nibbles as in {@link
 * Q4_0}; {@code value = scale * q + minimum}.
 */
public final class Q5_1 implements QuantType {

    private static final int BLOCK = 32;
    private static final int BYTES = 24;

    @Override
    public TensorType type() {
        return TensorType.Q5_1;
    }

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float scale = QuantType.half(source, block);
            float minimum = QuantType.half(source, block + 2);
            int high = source.get(INT, block + 4);
            for (int j = 0; j < BLOCK / 2; j++) {
                int pair = QuantType.unsigned(source, block + 8 + j);
                out[outOffset + i + j] = ((pair & 0xF) | (((high >>> j) & 1) << 4)) * scale + minimum;
                out[outOffset + i + j + BLOCK / 2] =
                        ((pair >>> 4) | (((high >>> (j + 16)) & 1) << 4)) * scale + minimum;
            }
        }
    }

    @Override
    public void quantize(float[] source, int sourceOffset, int count, MemorySegment target, long offset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float smallest = Codes.smallest(source, sourceOffset + i, BLOCK);
            float range = Codes.largest(source, sourceOffset + i, BLOCK) - smallest;
            float scale = QuantType.putHalf(target, block, range / 31);
            float minimum = QuantType.putHalf(target, block + 2, smallest);
            int high = 0;
            for (int j = 0; j < BLOCK / 2; j++) {
                int first = Codes.nearest(source[sourceOffset + i + j], scale, minimum, 0, 31);
                int second = Codes.nearest(source[sourceOffset + i + j + BLOCK / 2], scale, minimum, 0, 31);
                target.set(ValueLayout.JAVA_BYTE, block + 8 + j, (byte) ((first & 0xF) | (second << 4)));
                high |= ((first >>> 4) << j) | ((second >>> 4) << (j + 16));
            }
            target.set(INT, block + 4, high);
        }
    }
}
