package org.bloomery.javaengine.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bloomery.engine.format.TensorType;

/**
 * 6.6 bits a weight: blocks of 256 as 128 bytes of nibbles, 64 bytes of upper bit pairs, 16 signed group scales and a
 * half scale; {@code value = scale * groupScale * (q - 32)}, a group being 16 elements. In each half of the block the
 * elements {@code l, l + 32, l + 64, l + 96} share bit pairs 0 to 3 of byte {@code l}; the nibbles of the first two lie
 * low in bytes {@code l} and {@code l + 32}, those of the others high.
 */
public final class Q6_K implements QuantType {

    private static final int BLOCK = 256;
    private static final int BYTES = 210;
    private static final int GROUP = 16;
    private static final int UPPER = 128;
    private static final int SCALES = 192;
    private static final int SCALE = 208;

    @Override
    public TensorType type() {
        return TensorType.Q6_K;
    }

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float scale = QuantType.half(source, block + SCALE);
            for (int j = 0; j < BLOCK; j++) {
                int half = j / 128;
                int quarter = j / 32 % 4;
                int l = j % 32;
                int nibbles = QuantType.unsigned(source, block + half * 64L + quarter % 2 * 32L + l);
                int pairs = QuantType.unsigned(source, block + UPPER + half * 32L + l);
                int code = ((nibbles >>> (quarter / 2 * 4)) & 0xF) | (((pairs >>> (quarter * 2)) & 3) << 4);
                float groupScale = scale * source.get(ValueLayout.JAVA_BYTE, block + SCALES + j / GROUP);
                out[outOffset + i + j] = groupScale * (code - 32);
            }
        }
    }

    @Override
    public void quantize(float[] source, int sourceOffset, int count, MemorySegment target, long offset) {
        for (int i = 0; i < count; i += BLOCK) {
            long block = offset + (long) (i / BLOCK) * BYTES;
            float[] scales = fitScales(source, sourceOffset + i, target, block);
            byte[] nibbles = new byte[128];
            byte[] pairs = new byte[64];
            for (int j = 0; j < BLOCK; j++) {
                int half = j / 128;
                int quarter = j / 32 % 4;
                int l = j % 32;
                int code = Codes.nearest(source[sourceOffset + i + j], scales[j / GROUP], 0, -32, 31) + 32;
                nibbles[half * 64 + quarter % 2 * 32 + l] |= (byte) ((code & 0xF) << (quarter / 2 * 4));
                pairs[half * 32 + l] |= (byte) ((code >>> 4) << (quarter * 2));
            }
            MemorySegment.copy(nibbles, 0, target, ValueLayout.JAVA_BYTE, block, nibbles.length);
            MemorySegment.copy(pairs, 0, target, ValueLayout.JAVA_BYTE, block + UPPER, pairs.length);
        }
    }

    /** Chooses and writes the scales of a block; gives back what each group's codes are multiplied with. */
    private static float[] fitScales(float[] source, int sourceOffset, MemorySegment target, long block) {
        float[] scales = new float[BLOCK / GROUP];
        float largest = 0;
        for (int g = 0; g < scales.length; g++) {
            scales[g] = Codes.symmetricScale(source, sourceOffset + g * GROUP, GROUP, 32);
            largest = Math.max(largest, Math.abs(scales[g]));
        }
        float scale = QuantType.putHalf(target, block + SCALE, largest / 127);
        for (int g = 0; g < scales.length; g++) {
            int code = Codes.nearest(scales[g], scale, 0, -128, 127);
            target.set(ValueLayout.JAVA_BYTE, block + SCALES + g, (byte) code);
            scales[g] = scale * code;
        }
        return scales;
    }
}
