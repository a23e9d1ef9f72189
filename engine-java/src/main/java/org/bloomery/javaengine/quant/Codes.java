package org.bloomery.javaengine.quant;

/** Integers that stand for floats under a scale and a minimum: {@code value ≈ scale * code + minimum}. */
final class Codes {

    private Codes() {}

    /** The code from {@code low} to {@code high} whose value is nearest; 0, or the nearest to it, where scale is 0. */
    static int nearest(float value, float scale, float minimum, int low, int high) {
        int code = scale == 0 ? 0 : Math.round((value - minimum) / scale);
        return Math.clamp(code, low, high);
    }

    /**
     * The scale under which symmetric codes from {@code -levels} to {@code levels - 1} fit {@code count} values: the
     * value of largest magnitude takes the code {@code -levels}, as in ggml's {@code quantize_row_q4_0_ref}.
     */
    static float symmetricScale(float[] source, int offset, int count, int levels) {
        float extreme = 0;
        for (int i = 0; i < count; i++) {
            if (Math.abs(source[offset + i]) > Math.abs(extreme)) {
                extreme = source[offset + i];
            }
        }
        return extreme / -levels;
    }

    static float smallest(float[] source, int offset, int count) {
        float smallest = source[offset];
        for (int i = 1; i < count; i++) {
            smallest = Math.min(smallest, source[offset + i]);
        }
        return smallest;
    }

    static float largest(float[] source, int offset, int count) {
        float largest = source[offset];
        for (int i = 1; i < count; i++) {
            largest = Math.max(largest, source[offset + i]);
        }
        return largest;
    }
}
