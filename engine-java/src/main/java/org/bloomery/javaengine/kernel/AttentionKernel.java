package org.bloomery.javaengine.kernel;

/**
 * The inner loops of attention: both the scores of a block of keys and the sums of a block of values are products of two
 * small matrices of floats that fit the first caches. Stateless.
 */
public interface AttentionKernel {

    /**
     * {@code c(m, n) += a(m, k) · b(k, n)}, row-major from index 0; {@code c} is another array than {@code a} and {@code
     * b}.
     *
     * @param aStride floats from one row of {@code a} to the next, at least {@code k}
     */
    void multiplyAdd(float[] a, int aStride, float[] b, float[] c, int m, int k, int n);
}
