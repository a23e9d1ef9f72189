package org.bloomery.javaengine.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bloomery.engine.format.TensorType;

/** 8 bits a weight: blocks of 32 as a half scale and 32 signed bytes; {@code value = scale * q}. */
public final class Q8_0 implements QuantType {

    private static final int BLOCK = 32;
    private static final int BYTES = 34;

    @Override
    public TensorType type() {
        return TensorType.Q8_0;
    }

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float scale = QuantType.half(source, block);
            for (int j = 0; j < BLOCK; j++) {
                out[outOffset + i + j] = scale * source.get(ValueLayout.JAVA_BYTE, block + 2 + j);
            }
        }
    }

    @Override
    public void quantize(float[] source, int sourceOffset, int count, MemorySegment target, long offset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float largest = 0;
            for (int j = 0; j < BLOCK; j++) {
                largest = Math.max(largest, Math.abs(source[sourceOffset + i + j]));
            }
            float scale = QuantType.putHalf(target, block, largest / 127);
            for (int j = 0; j < BLOCK; j++) {
                int q = Codes.nearest(source[sourceOffset + i + j], scale, 0, -127, 127);
                target.set(ValueLayout.JAVA_BYTE, block + 2 + j, (byte) q);
            }
        }
    }
}
