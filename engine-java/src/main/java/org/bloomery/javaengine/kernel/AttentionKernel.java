package org.bloomery.javaengine.kernel;

/**
 * The inner loops of attention over cached keys and values, which lie {@code stride} elements apart in float or half
 * arrays. Stateless. The half variants read IEEE half floats, as {@link Float#float16ToFloat} does.
 */
public interface AttentionKernel {

    /** {@code out[i] = scale · Σ query[d] · keys[i][d]} for {@code count} keys of {@code width} floats. */
    void scores(
            float[] query,
            int queryOffset,
            float[] keys,
            int keyOffset,
            int stride,
            int count,
            int width,
            float scale,
            float[] out,
            int outOffset);

    /** As {@link #scores(float[], int, float[], int, int, int, int, float, float[], int)}, for keys kept as halves. */
    void scores(
            float[] query,
            int queryOffset,
            short[] keys,
            int keyOffset,
            int stride,
            int count,
            int width,
            float scale,
            float[] out,
            int outOffset);

    /** Adds {@code Σ weights[i] · values[i][d]} of {@code count} values of {@code width} floats to {@code out[d]}. */
    void addWeighted(
            float[] weights,
            int weightOffset,
            float[] values,
            int valueOffset,
            int stride,
            int count,
            int width,
            float[] out,
            int outOffset);

    /** As {@link #addWeighted(float[], int, float[], int, int, int, int, float[], int)}, for values kept as halves. */
    void addWeighted(
            float[] weights,
            int weightOffset,
            short[] values,
            int valueOffset,
            int stride,
            int count,
            int width,
            float[] out,
            int outOffset);
}
