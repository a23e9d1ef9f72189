package org.bloomery.javaengine.kernel;

/** Plain loops. */
final class ScalarAttentionKernel implements AttentionKernel {

    @Override
    public void multiplyAdd(float[] a, int aStride, float[] b, float[] c, int m, int k, int n) {
        for (int row = 0; row < m; row++) {
            int i = 0;
            for (; i + 3 < k; i += 4) {
                addFour(a, row * aStride + i, b, i * n, c, row * n, n);
            }
            for (; i < k; i++) {
                float factor = a[row * aStride + i];
                for (int j = 0; j < n; j++) {
                    c[row * n + j] += factor * b[i * n + j];
                }
            }
        }
    }

    /** Four rows of {@code b} at once, for one load and one store of a sum; in a method of its own, C2 vectorises it. */
    private static void addFour(float[] a, int aOffset, float[] b, int bOffset, float[] c, int cOffset, int n) {
        float a0 = a[aOffset];
        float a1 = a[aOffset + 1];
        float a2 = a[aOffset + 2];
        float a3 = a[aOffset + 3];
        for (int j = 0; j < n; j++) {
            c[cOffset + j] += a0 * b[bOffset + j]
                    + a1 * b[bOffset + n + j]
                    + a2 * b[bOffset + 2 * n + j]
                    + a3 * b[bOffset + 3 * n + j];
        }
    }
}
