package org.bloomery.javaengine.kernel.vector;

import jdk.incubator.vector.FloatVector;
import org.bloomery.javaengine.kernel.AttentionKernel;

/** Tiles of four rows by two vectors, whose sums stay in registers. */
final class VectorAttentionKernel implements AttentionKernel {

    private static final int ROWS = 4;
    private static final int WIDE = 2 * Lanes.COUNT;

    @Override
    public void multiplyAdd(float[] a, int aStride, float[] b, float[] c, int m, int k, int n) {
        int wide = n - n % WIDE;
        int vectors = n - n % Lanes.COUNT;
        int row = 0;
        for (; row + ROWS <= m; row += ROWS) {
            for (int column = 0; column < wide; column += WIDE) {
                fourByTwo(a, row * aStride, aStride, b, column, c, row * n + column, k, n);
            }
        }
        int tiled = row;
        for (row = 0; row < m; row++) {
            for (int column = row < tiled ? wide : 0; column < vectors; column += Lanes.COUNT) {
                oneByOne(a, row * aStride, b, column, c, row * n + column, k, n);
            }
            for (int column = vectors; column < n; column++) {
                float sum = c[row * n + column];
                for (int i = 0; i < k; i++) {
                    sum += a[row * aStride + i] * b[i * n + column];
                }
                c[row * n + column] = sum;
            }
        }
    }

    private static void fourByTwo(
            float[] a, int aOffset, int aStride, float[] b, int bOffset, float[] c, int cOffset, int k, int n) {
        int c1 = cOffset + n;
        int c2 = c1 + n;
        int c3 = c2 + n;
        FloatVector sum00 = Lanes.floats(c, cOffset);
        FloatVector sum01 = Lanes.floats(c, cOffset + Lanes.COUNT);
        FloatVector sum10 = Lanes.floats(c, c1);
        FloatVector sum11 = Lanes.floats(c, c1 + Lanes.COUNT);
        FloatVector sum20 = Lanes.floats(c, c2);
        FloatVector sum21 = Lanes.floats(c, c2 + Lanes.COUNT);
        FloatVector sum30 = Lanes.floats(c, c3);
        FloatVector sum31 = Lanes.floats(c, c3 + Lanes.COUNT);
        int a1 = aOffset + aStride;
        int a2 = a1 + aStride;
        int a3 = a2 + aStride;
        for (int i = 0; i < k; i++) {
            FloatVector b0 = Lanes.floats(b, bOffset + i * n);
            FloatVector b1 = Lanes.floats(b, bOffset + i * n + Lanes.COUNT);
            FloatVector factor0 = FloatVector.broadcast(Lanes.FLOATS, a[aOffset + i]);
            sum00 = factor0.fma(b0, sum00);
            sum01 = factor0.fma(b1, sum01);
            FloatVector factor1 = FloatVector.broadcast(Lanes.FLOATS, a[a1 + i]);
            sum10 = factor1.fma(b0, sum10);
            sum11 = factor1.fma(b1, sum11);
            FloatVector factor2 = FloatVector.broadcast(Lanes.FLOATS, a[a2 + i]);
            sum20 = factor2.fma(b0, sum20);
            sum21 = factor2.fma(b1, sum21);
            FloatVector factor3 = FloatVector.broadcast(Lanes.FLOATS, a[a3 + i]);
            sum30 = factor3.fma(b0, sum30);
            sum31 = factor3.fma(b1, sum31);
        }
        sum00.intoArray(c, cOffset);
        sum01.intoArray(c, cOffset + Lanes.COUNT);
        sum10.intoArray(c, c1);
        sum11.intoArray(c, c1 + Lanes.COUNT);
        sum20.intoArray(c, c2);
        sum21.intoArray(c, c2 + Lanes.COUNT);
        sum30.intoArray(c, c3);
        sum31.intoArray(c, c3 + Lanes.COUNT);
    }

    private static void oneByOne(float[] a, int aOffset, float[] b, int bOffset, float[] c, int cOffset, int k, int n) {
        FloatVector sum = Lanes.floats(c, cOffset);
        for (int i = 0; i < k; i++) {
            FloatVector factor = FloatVector.broadcast(Lanes.FLOATS, a[aOffset + i]);
            sum = factor.fma(Lanes.floats(b, bOffset + i * n), sum);
        }
        sum.intoArray(c, cOffset);
    }
}
