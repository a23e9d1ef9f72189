package org.bloomery.javaengine.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bloomery.engine.format.TensorType;

/**
 * 4 bits a weight, symmetric: blocks of 32 as a half scale and 16 bytes, whose low nibbles are the first 16 elements and
 * whose high nibbles are the others; {@code value = scale * (q - 8)}.
 */
public final class Q4_0 implements QuantType {

    private static final int BLOCK = 32;
    private static final int BYTES = 18;

    @Override
    public TensorType type() {
        return TensorType.Q4_0;
    }

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float scale = QuantType.half(source, block);
            for (int j = 0; j < BLOCK / 2; j++) {
                int pair = QuantType.unsigned(source, block + 2 + j);
                out[outOffset + i + j] = ((pair & 0xF) - 8) * scale;
                out[outOffset + i + j + BLOCK / 2] = ((pair >>> 4) - 8) * scale;
            }
        }
    }

    @Override
    public void quantize(float[] source, int sourceOffset, int count, MemorySegment target, long offset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float ideal = Codes.symmetricScale(source, sourceOffset + i, BLOCK, 8);
            float scale = QuantType.putHalf(target, block, ideal);
            for (int j = 0; j < BLOCK / 2; j++) {
                int first = Codes.nearest(source[sourceOffset + i + j], scale, 0, -8, 7) + 8;
                int second = Codes.nearest(source[sourceOffset + i + j + BLOCK / 2], scale, 0, -8, 7) + 8;
                target.set(ValueLayout.JAVA_BYTE, block + 2 + j, (byte) (first | (second << 4)));
            }
        }
    }
}
