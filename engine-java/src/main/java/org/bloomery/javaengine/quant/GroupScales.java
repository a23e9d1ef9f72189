package org.bloomery.javaengine.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The scales and minima of the eight groups in a block of {@link Q4_K} or {@link Q5_K}: 6 bits each, in 12 bytes.
 * Groups 0 to 3 have their scale in the low 6 bits of bytes 0 to 3 and their minimum in those of bytes 4 to 7; groups 4
 * to 7 have the low 4 bits of both in bytes 8 to 11, and the upper 2 bits on top of bytes 0 to 3 and 4 to 7.
 */
public final class GroupScales {

    /** Elements in a group. */
    public static final int GROUP = 32;

    private static final int GROUPS = 8;
    private static final int SIX_BITS = 0x3F3F3F3F;
    private static final int FOUR_BITS = 0x0F0F0F0F;
    private static final int TWO_BITS = 0x03030303;
    private static final int LARGEST = 63;

    private final float[] scales = new float[GROUPS];
    private final float[] minima = new float[GROUPS];

    private GroupScales() {}

    /** The scales of all groups, one a byte, group 0 the lowest; {@code offset} is where the 12 bytes start. */
    public static long scales(MemorySegment source, long offset) {
        int low = source.get(QuantType.INT, offset);
        int rest = source.get(QuantType.INT, offset + 8);
        return join(low & SIX_BITS, (rest & FOUR_BITS) | (((low >>> 6) & TWO_BITS) << 4));
    }

    /** The minima of all groups, as {@link #scales}. */
    public static long minima(MemorySegment source, long offset) {
        int low = source.get(QuantType.INT, offset + 4);
        int rest = source.get(QuantType.INT, offset + 8);
        return join(low & SIX_BITS, ((rest >>> 4) & FOUR_BITS) | (((low >>> 6) & TWO_BITS) << 4));
    }

    /** The scale or minimum of one group. */
    public static int of(long groups, int group) {
        return (int) (groups >>> (8 * group)) & 0xFF;
    }

    private static long join(int first, int second) {
        return first | ((long) second << 32);
    }

    /** Chooses scales for a block of 256 floats and codes 0 to {@code top}, and writes the block's first 16 bytes. */
    static GroupScales fit(float[] source, int sourceOffset, int top, MemorySegment target, long block) {
        GroupScales fitted = new GroupScales();
        float largestScale = 0;
        float largestMinimum = 0;
        for (int g = 0; g < GROUPS; g++) {
            // A minimum is subtracted and has no sign, so a group of positive values starts at zero.
            float smallest = Math.min(0, Codes.smallest(source, sourceOffset + g * GROUP, GROUP));
            float largest = Math.max(0, Codes.largest(source, sourceOffset + g * GROUP, GROUP));
            fitted.scales[g] = (largest - smallest) / top;
            fitted.minima[g] = -smallest;
            largestScale = Math.max(largestScale, fitted.scales[g]);
            largestMinimum = Math.max(largestMinimum, fitted.minima[g]);
        }
        float scale = QuantType.putHalf(target, block, largestScale / LARGEST);
        float minimum = QuantType.putHalf(target, block + 2, largestMinimum / LARGEST);
        byte[] packed = new byte[12];
        for (int g = 0; g < GROUPS; g++) {
            int scaleCode = Codes.nearest(fitted.scales[g], scale, 0, 0, LARGEST);
            int minimumCode = Codes.nearest(fitted.minima[g], minimum, 0, 0, LARGEST);
            fitted.scales[g] = scale * scaleCode;
            fitted.minima[g] = minimum * minimumCode;
            if (g < 4) {
                packed[g] |= (byte) scaleCode;
                packed[g + 4] |= (byte) minimumCode;
            } else {
                packed[g + 4] |= (byte) ((scaleCode & 0xF) | (minimumCode << 4));
                packed[g - 4] |= (byte) (scaleCode >>> 4 << 6);
                packed[g] |= (byte) (minimumCode >>> 4 << 6);
            }
        }
        MemorySegment.copy(packed, 0, target, ValueLayout.JAVA_BYTE, block + 4, packed.length);
        return fitted;
    }

    /** The code of a value of this group, from 0 to {@code top}. */
    int code(int group, float value, int top) {
        return Codes.nearest(value, scales[group], -minima[group], 0, top);
    }
}
