package org.bloomery.javaengine.kernel;

/** Plain loops over keys and values. */
final class ScalarAttentionKernel implements AttentionKernel {

    @Override
    public void scores(
            float[] query,
            int queryOffset,
            float[] keys,
            int keyOffset,
            int stride,
            int count,
            int width,
            float scale,
            float[] out,
            int outOffset) {
        for (int i = 0; i < count; i++) {
            out[outOffset + i] = scale * dot(query, queryOffset, keys, keyOffset + i * stride, width);
        }
    }

    @Override
    public void scores(
            float[] query,
            int queryOffset,
            short[] keys,
            int keyOffset,
            int stride,
            int count,
            int width,
            float scale,
            float[] out,
            int outOffset) {
        for (int i = 0; i < count; i++) {
            int key = keyOffset + i * stride;
            float sum = 0;
            for (int d = 0; d < width; d++) {
                sum += query[queryOffset + d] * Float.float16ToFloat(keys[key + d]);
            }
            out[outOffset + i] = scale * sum;
        }
    }

    @Override
    public void addWeighted(
            float[] weights,
            int weightOffset,
            float[] values,
            int valueOffset,
            int stride,
            int count,
            int width,
            float[] out,
            int outOffset) {
        for (int i = 0; i < count; i++) {
            float weight = weights[weightOffset + i];
            int value = valueOffset + i * stride;
            for (int d = 0; d < width; d++) {
                out[outOffset + d] += weight * values[value + d];
            }
        }
    }

    @Override
    public void addWeighted(
            float[] weights,
            int weightOffset,
            short[] values,
            int valueOffset,
            int stride,
            int count,
            int width,
            float[] out,
            int outOffset) {
        for (int i = 0; i < count; i++) {
            float weight = weights[weightOffset + i];
            int value = valueOffset + i * stride;
            for (int d = 0; d < width; d++) {
                out[outOffset + d] += weight * Float.float16ToFloat(values[value + d]);
            }
        }
    }

    /** Four sums side by side, since one alone waits for each addition before it starts the next. */
    static float dot(float[] a, int aOffset, float[] b, int bOffset, int length) {
        float sum0 = 0;
        float sum1 = 0;
        float sum2 = 0;
        float sum3 = 0;
        int i = 0;
        for (; i + 3 < length; i += 4) {
            sum0 += a[aOffset + i] * b[bOffset + i];
            sum1 += a[aOffset + i + 1] * b[bOffset + i + 1];
            sum2 += a[aOffset + i + 2] * b[bOffset + i + 2];
            sum3 += a[aOffset + i + 3] * b[bOffset + i + 3];
        }
        for (; i < length; i++) {
            sum0 += a[aOffset + i] * b[bOffset + i];
        }
        return (sum0 + sum1) + (sum2 + sum3);
    }
}
