package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ADD;

import jdk.incubator.vector.FloatVector;

/** Dot products of four rows of floats with one token, or with four: each sum keeps a vector of partial sums. */
final class Dots {

    private Dots() {}

    /** {@code out[outOffset + r] = Σ rows[r][c] · x[c]} for four rows. */
    static void fourByOne(float[] rows, int columns, float[] x, int xOffset, float[] out, int outOffset) {
        FloatVector s0 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s1 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s2 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s3 = FloatVector.zero(Lanes.FLOATS);
        int c = 0;
        for (; c <= columns - Lanes.COUNT; c += Lanes.COUNT) {
            FloatVector activation = Lanes.floats(x, xOffset + c);
            s0 = activation.fma(Lanes.floats(rows, c), s0);
            s1 = activation.fma(Lanes.floats(rows, c + columns), s1);
            s2 = activation.fma(Lanes.floats(rows, c + 2 * columns), s2);
            s3 = activation.fma(Lanes.floats(rows, c + 3 * columns), s3);
        }
        out[outOffset] = s0.reduceLanes(ADD);
        out[outOffset + 1] = s1.reduceLanes(ADD);
        out[outOffset + 2] = s2.reduceLanes(ADD);
        out[outOffset + 3] = s3.reduceLanes(ADD);
        addTail(rows, columns, c, x, xOffset, out, outOffset);
    }

    /** {@code out[outOffset + t * 4 + r] = Σ rows[r][c] · x[t][c]} for four rows and four tokens. */
    static void fourByFour(float[] rows, int columns, float[] x, int xOffset, float[] out, int outOffset) {
        FloatVector s00 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s01 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s02 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s03 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s10 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s11 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s12 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s13 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s20 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s21 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s22 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s23 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s30 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s31 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s32 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s33 = FloatVector.zero(Lanes.FLOATS);
        int c = 0;
        for (; c <= columns - Lanes.COUNT; c += Lanes.COUNT) {
            FloatVector w0 = Lanes.floats(rows, c);
            FloatVector w1 = Lanes.floats(rows, c + columns);
            FloatVector w2 = Lanes.floats(rows, c + 2 * columns);
            FloatVector w3 = Lanes.floats(rows, c + 3 * columns);
            FloatVector x0 = Lanes.floats(x, xOffset + c);
            s00 = x0.fma(w0, s00);
            s01 = x0.fma(w1, s01);
            s02 = x0.fma(w2, s02);
            s03 = x0.fma(w3, s03);
            FloatVector x1 = Lanes.floats(x, xOffset + columns + c);
            s10 = x1.fma(w0, s10);
            s11 = x1.fma(w1, s11);
            s12 = x1.fma(w2, s12);
            s13 = x1.fma(w3, s13);
            FloatVector x2 = Lanes.floats(x, xOffset + 2 * columns + c);
            s20 = x2.fma(w0, s20);
            s21 = x2.fma(w1, s21);
            s22 = x2.fma(w2, s22);
            s23 = x2.fma(w3, s23);
            FloatVector x3 = Lanes.floats(x, xOffset + 3 * columns + c);
            s30 = x3.fma(w0, s30);
            s31 = x3.fma(w1, s31);
            s32 = x3.fma(w2, s32);
            s33 = x3.fma(w3, s33);
        }
        out[outOffset] = s00.reduceLanes(ADD);
        out[outOffset + 1] = s01.reduceLanes(ADD);
        out[outOffset + 2] = s02.reduceLanes(ADD);
        out[outOffset + 3] = s03.reduceLanes(ADD);
        out[outOffset + 4] = s10.reduceLanes(ADD);
        out[outOffset + 5] = s11.reduceLanes(ADD);
        out[outOffset + 6] = s12.reduceLanes(ADD);
        out[outOffset + 7] = s13.reduceLanes(ADD);
        out[outOffset + 8] = s20.reduceLanes(ADD);
        out[outOffset + 9] = s21.reduceLanes(ADD);
        out[outOffset + 10] = s22.reduceLanes(ADD);
        out[outOffset + 11] = s23.reduceLanes(ADD);
        out[outOffset + 12] = s30.reduceLanes(ADD);
        out[outOffset + 13] = s31.reduceLanes(ADD);
        out[outOffset + 14] = s32.reduceLanes(ADD);
        out[outOffset + 15] = s33.reduceLanes(ADD);
        for (int token = 0; token < 4; token++) {
            addTail(rows, columns, c, x, xOffset + token * columns, out, outOffset + token * 4);
        }
    }

    private static void addTail(
            float[] rows, int columns, int from, float[] x, int xOffset, float[] out, int outOffset) {
        for (int c = from; c < columns; c++) {
            for (int row = 0; row < 4; row++) {
                out[outOffset + row] += rows[row * columns + c] * x[xOffset + c];
            }
        }
    }
}
