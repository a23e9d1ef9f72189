package org.bloomery.javaengine.kernel.vector;

import jdk.incubator.vector.FloatVector;
import org.bloomery.javaengine.kernel.Activations;

/**
 * The product of many rows with many tokens. Activations are packed into panels of two vectors of tokens, or one at the
 * end: element {@code c} of every token of a panel side by side. A tile multiplies such a vector with one weight at a
 * time, so that neither weights nor results need to be shuffled, and keeps 12 sums in registers: 6 rows by two vectors
 * of tokens, or 12 rows by one.
 */
final class Panels {

    /** With fewer tokens, most lanes of a panel would be padding and dot products are faster. */
    static final int FEWEST_TOKENS = Lanes.COUNT * 3 / 4;

    /** Rows are computed in groups of this many; scratch for weights and sums is padded to a multiple. */
    static final int ROWS = 12;

    private static final int TILE_ROWS = 6;
    private static final int WIDE = 2 * Lanes.COUNT;

    private Panels() {}

    /** Tokens with padding to a whole vector. */
    static int padded(int tokens) {
        return (tokens + Lanes.COUNT - 1) / Lanes.COUNT * Lanes.COUNT;
    }

    /** Panels of so many tokens. */
    static int parts(int tokens) {
        return (tokens + WIDE - 1) / WIDE;
    }

    /** Packs one panel. */
    static void pack(Activations x, int panel) {
        int first = panel * WIDE;
        int width = Math.min(WIDE, padded(x.tokens()) - first);
        int present = Math.min(width, x.tokens() - first);
        int columns = x.columns();
        float[] packed = x.packed();
        int start = first * columns;
        for (int token = 0; token < width; token++) {
            int to = start + token;
            if (token < present) {
                int from = x.offset() + (first + token) * columns;
                for (int c = 0; c < columns; c++) {
                    packed[to + c * width] = x.values()[from + c];
                }
            } else {
                for (int c = 0; c < columns; c++) {
                    packed[to + c * width] = 0;
                }
            }
        }
    }

    /**
     * Adds the products of some columns to {@code sums[row][token]}.
     *
     * @param weights (rows padded to {@link #ROWS}, count) floats
     * @param firstColumn the column of the first of them
     * @param count columns
     * @param sums (rows padded, tokens padded) from {@code sumsOffset} on
     */
    static void accumulate(
            float[] weights, int rows, int firstColumn, int count, Activations x, float[] sums, int sumsOffset) {
        int columns = x.columns();
        int tokens = padded(x.tokens());
        int token = 0;
        for (; token + WIDE <= tokens; token += WIDE) {
            int panel = token * columns + firstColumn * WIDE;
            for (int row = 0; row < rows; row += TILE_ROWS) {
                wideTile(
                        weights,
                        row * count,
                        count,
                        x.packed(),
                        panel,
                        sums,
                        sumsOffset + row * tokens + token,
                        tokens);
            }
        }
        if (token < tokens) {
            int panel = token * columns + firstColumn * Lanes.COUNT;
            for (int row = 0; row < rows; row += ROWS) {
                tallTile(
                        weights,
                        row * count,
                        count,
                        x.packed(),
                        panel,
                        sums,
                        sumsOffset + row * tokens + token,
                        tokens);
            }
        }
    }

    private static void wideTile(
            float[] weights, int w, int count, float[] packed, int panel, float[] sums, int sum, int tokens) {
        int w1 = w + count;
        int w2 = w1 + count;
        int w3 = w2 + count;
        int w4 = w3 + count;
        int w5 = w4 + count;
        int s1 = sum + tokens;
        int s2 = s1 + tokens;
        int s3 = s2 + tokens;
        int s4 = s3 + tokens;
        int s5 = s4 + tokens;
        FloatVector s00 = Lanes.floats(sums, sum);
        FloatVector s01 = Lanes.floats(sums, sum + Lanes.COUNT);
        FloatVector s10 = Lanes.floats(sums, s1);
        FloatVector s11 = Lanes.floats(sums, s1 + Lanes.COUNT);
        FloatVector s20 = Lanes.floats(sums, s2);
        FloatVector s21 = Lanes.floats(sums, s2 + Lanes.COUNT);
        FloatVector s30 = Lanes.floats(sums, s3);
        FloatVector s31 = Lanes.floats(sums, s3 + Lanes.COUNT);
        FloatVector s40 = Lanes.floats(sums, s4);
        FloatVector s41 = Lanes.floats(sums, s4 + Lanes.COUNT);
        FloatVector s50 = Lanes.floats(sums, s5);
        FloatVector s51 = Lanes.floats(sums, s5 + Lanes.COUNT);
        for (int c = 0; c < count; c++) {
            FloatVector x0 = Lanes.floats(packed, panel + c * WIDE);
            FloatVector x1 = Lanes.floats(packed, panel + c * WIDE + Lanes.COUNT);
            FloatVector weight0 = FloatVector.broadcast(Lanes.FLOATS, weights[w + c]);
            s00 = x0.fma(weight0, s00);
            s01 = x1.fma(weight0, s01);
            FloatVector weight1 = FloatVector.broadcast(Lanes.FLOATS, weights[w1 + c]);
            s10 = x0.fma(weight1, s10);
            s11 = x1.fma(weight1, s11);
            FloatVector weight2 = FloatVector.broadcast(Lanes.FLOATS, weights[w2 + c]);
            s20 = x0.fma(weight2, s20);
            s21 = x1.fma(weight2, s21);
            FloatVector weight3 = FloatVector.broadcast(Lanes.FLOATS, weights[w3 + c]);
            s30 = x0.fma(weight3, s30);
            s31 = x1.fma(weight3, s31);
            FloatVector weight4 = FloatVector.broadcast(Lanes.FLOATS, weights[w4 + c]);
            s40 = x0.fma(weight4, s40);
            s41 = x1.fma(weight4, s41);
            FloatVector weight5 = FloatVector.broadcast(Lanes.FLOATS, weights[w5 + c]);
            s50 = x0.fma(weight5, s50);
            s51 = x1.fma(weight5, s51);
        }
        s00.intoArray(sums, sum);
        s01.intoArray(sums, sum + Lanes.COUNT);
        s10.intoArray(sums, s1);
        s11.intoArray(sums, s1 + Lanes.COUNT);
        s20.intoArray(sums, s2);
        s21.intoArray(sums, s2 + Lanes.COUNT);
        s30.intoArray(sums, s3);
        s31.intoArray(sums, s3 + Lanes.COUNT);
        s40.intoArray(sums, s4);
        s41.intoArray(sums, s4 + Lanes.COUNT);
        s50.intoArray(sums, s5);
        s51.intoArray(sums, s5 + Lanes.COUNT);
    }

    private static void tallTile(
            float[] weights, int w, int count, float[] packed, int panel, float[] sums, int sum, int tokens) {
        FloatVector s0 = Lanes.floats(sums, sum);
        FloatVector s1 = Lanes.floats(sums, sum + tokens);
        FloatVector s2 = Lanes.floats(sums, sum + 2 * tokens);
        FloatVector s3 = Lanes.floats(sums, sum + 3 * tokens);
        FloatVector s4 = Lanes.floats(sums, sum + 4 * tokens);
        FloatVector s5 = Lanes.floats(sums, sum + 5 * tokens);
        FloatVector s6 = Lanes.floats(sums, sum + 6 * tokens);
        FloatVector s7 = Lanes.floats(sums, sum + 7 * tokens);
        FloatVector s8 = Lanes.floats(sums, sum + 8 * tokens);
        FloatVector s9 = Lanes.floats(sums, sum + 9 * tokens);
        FloatVector s10 = Lanes.floats(sums, sum + 10 * tokens);
        FloatVector s11 = Lanes.floats(sums, sum + 11 * tokens);
        for (int c = 0; c < count; c++) {
            FloatVector x = Lanes.floats(packed, panel + c * Lanes.COUNT);
            int at = w + c;
            s0 = x.fma(FloatVector.broadcast(Lanes.FLOATS, weights[at]), s0);
            s1 = x.fma(FloatVector.broadcast(Lanes.FLOATS, weights[at + count]), s1);
            s2 = x.fma(FloatVector.broadcast(Lanes.FLOATS, weights[at + 2 * count]), s2);
            s3 = x.fma(FloatVector.broadcast(Lanes.FLOATS, weights[at + 3 * count]), s3);
            s4 = x.fma(FloatVector.broadcast(Lanes.FLOATS, weights[at + 4 * count]), s4);
            s5 = x.fma(FloatVector.broadcast(Lanes.FLOATS, weights[at + 5 * count]), s5);
            s6 = x.fma(FloatVector.broadcast(Lanes.FLOATS, weights[at + 6 * count]), s6);
            s7 = x.fma(FloatVector.broadcast(Lanes.FLOATS, weights[at + 7 * count]), s7);
            s8 = x.fma(FloatVector.broadcast(Lanes.FLOATS, weights[at + 8 * count]), s8);
            s9 = x.fma(FloatVector.broadcast(Lanes.FLOATS, weights[at + 9 * count]), s9);
            s10 = x.fma(FloatVector.broadcast(Lanes.FLOATS, weights[at + 10 * count]), s10);
            s11 = x.fma(FloatVector.broadcast(Lanes.FLOATS, weights[at + 11 * count]), s11);
        }
        s0.intoArray(sums, sum);
        s1.intoArray(sums, sum + tokens);
        s2.intoArray(sums, sum + 2 * tokens);
        s3.intoArray(sums, sum + 3 * tokens);
        s4.intoArray(sums, sum + 4 * tokens);
        s5.intoArray(sums, sum + 5 * tokens);
        s6.intoArray(sums, sum + 6 * tokens);
        s7.intoArray(sums, sum + 7 * tokens);
        s8.intoArray(sums, sum + 8 * tokens);
        s9.intoArray(sums, sum + 9 * tokens);
        s10.intoArray(sums, sum + 10 * tokens);
        s11.intoArray(sums, sum + 11 * tokens);
    }
}
