package org.bloomery.javaengine.kernel;

/**
 * How activations are rounded where a tier multiplies integers: blocks of {@value #BLOCK} columns share a scale, the
 * largest magnitude over 127, and each activation becomes the nearest whole number of scales (ties to even), as in
 * ggml's {@code quantize_row_q8_0} but with the scale kept in single precision. No activation moves by more than half a
 * scale: 1/254 of the largest in its block.
 */
public final class Int8Rounding {

    /** Columns that share a scale. */
    public static final int BLOCK = 32;

    /** The largest code. */
    public static final float MOST = 127;

    /** One over {@link #MOST}. */
    public static final float RECIPROCAL = 1 / MOST;

    /** Blocks without a magnitude of at least this become zeros: the reciprocal of a smaller one may be infinite. */
    public static final float LEAST = 0x1p-100f;

    private Int8Rounding() {}

    /** Whether rows of so many columns can be rounded: only whole blocks are. */
    public static boolean divides(int columns) {
        return columns % BLOCK == 0;
    }

    /**
     * Writes what is left of {@code count} activations after rounding; a block with an infinity or NaN becomes NaN.
     *
     * @param count a multiple of {@link #BLOCK}
     */
    public static void round(float[] x, int offset, int count, float[] out, int outOffset) {
        for (int block = 0; block < count; block += BLOCK) {
            int largest = 0;
            for (int i = 0; i < BLOCK; i++) {
                largest = Math.max(largest, Float.floatToRawIntBits(x[offset + block + i]) & 0x7FFFFFFF);
            }
            float magnitude = Float.intBitsToFloat(largest);
            float inverse = MOST / magnitude;
            float scale = magnitude * RECIPROCAL;
            for (int i = 0; i < BLOCK; i++) {
                float rounded = scale * (float) Math.rint(x[offset + block + i] * inverse);
                out[outOffset + block + i] = magnitude < LEAST ? 0 : Float.isFinite(magnitude) ? rounded : Float.NaN;
            }
        }
    }
}
