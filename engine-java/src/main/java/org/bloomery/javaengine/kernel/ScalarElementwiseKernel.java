package org.bloomery.javaengine.kernel;

/** Plain loops. */
final class ScalarElementwiseKernel implements ElementwiseKernel {

    @Override
    public void swiglu(float[] gate, float[] up, int from, int to) {
        for (int i = from; i < to; i++) {
            float g = gate[i];
            gate[i] = g / (1 + Exponential.of(-g)) * up[i];
        }
    }

    @Override
    public float greatest(float[] x, int offset, int count) {
        float most = x[offset];
        for (int i = 1; i < count; i++) {
            most = Math.max(most, x[offset + i]);
        }
        return most;
    }

    @Override
    public float exponentials(float[] x, int offset, int count, float greatest) {
        float sum = 0;
        for (int i = 0; i < count; i++) {
            float weight = Exponential.of(x[offset + i] - greatest);
            x[offset + i] = weight;
            sum += weight;
        }
        return sum;
    }
}
