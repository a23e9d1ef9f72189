package org.bloomery.javaengine.kernel;

/** Loops over many floats that need an exponential of each. Stateless. */
public interface ElementwiseKernel {

    /** {@code gate[i] = silu(gate[i]) * up[i]} for {@code from} (inclusive) to {@code to} (exclusive). */
    void swiglu(float[] gate, float[] up, int from, int to);

    /** The greatest of {@code count} floats from {@code offset} on; at least one. NaN if one of them is. */
    float greatest(float[] x, int offset, int count);

    /**
     * {@code x[i] = exp(x[i] - greatest)} for {@code count} floats from {@code offset} on.
     *
     * @return their sum
     */
    float exponentials(float[] x, int offset, int count, float greatest);
}
