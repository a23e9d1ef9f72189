package org.bloomery.javaengine.layer;

/** Products of small matrices of floats that fit the first caches. */
final class Panel {

    private Panel() {}

    /**
     * {@code c(m, n) += a(m, k) * b(k, n)}, all row-major. The inner loop runs along rows of {@code b} and {@code c}, so
     * that the compiler turns it into vector instructions by itself.
     *
     * @param aStride elements from one row of {@code a} to the next
     */
    static void multiplyAdd(float[] a, int aStride, float[] b, float[] c, int m, int k, int n) {
        for (int row = 0; row < m; row++) {
            int i = 0;
            for (; i + 3 < k; i += 4) {
                addFour(a, row * aStride + i, b, i * n, c, row * n, n);
            }
            for (; i < k; i++) {
                float weight = a[row * aStride + i];
                for (int j = 0; j < n; j++) {
                    c[row * n + j] += weight * b[i * n + j];
                }
            }
        }
    }

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
