package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ADD;

import jdk.incubator.vector.FloatVector;
import org.bloomery.javaengine.kernel.AttentionKernel;

/** Attention's inner loops: four keys, or four values, at a time. */
final class VectorAttentionKernel implements AttentionKernel {

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
        int vectors = width - width % Lanes.COUNT;
        for (int i = 0; i < count; i++) {
            int key = keyOffset + i * stride;
            FloatVector sum = FloatVector.zero(Lanes.FLOATS);
            for (int d = 0; d < vectors; d += Lanes.COUNT) {
                sum = Lanes.floats(query, queryOffset + d).fma(Lanes.floats(keys, key + d), sum);
            }
            float total = sum.reduceLanes(ADD);
            for (int d = vectors; d < width; d++) {
                total += query[queryOffset + d] * keys[key + d];
            }
            out[outOffset + i] = scale * total;
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
        int vectors = width - width % Lanes.COUNT;
        for (int i = 0; i < count; i++) {
            int key = keyOffset + i * stride;
            FloatVector sum = FloatVector.zero(Lanes.FLOATS);
            for (int d = 0; d < vectors; d += Lanes.COUNT) {
                FloatVector halves = Lanes.halves(Lanes.shorts(keys, key + d));
                sum = Lanes.floats(query, queryOffset + d).fma(halves, sum);
            }
            float total = sum.reduceLanes(ADD);
            for (int d = vectors; d < width; d++) {
                total += query[queryOffset + d] * Float.float16ToFloat(keys[key + d]);
            }
            out[outOffset + i] = scale * total;
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
        int vectors = width - width % Lanes.COUNT;
        for (int d = 0; d < vectors; d += Lanes.COUNT) {
            FloatVector sum = Lanes.floats(out, outOffset + d);
            for (int i = 0; i < count; i++) {
                FloatVector weight = FloatVector.broadcast(Lanes.FLOATS, weights[weightOffset + i]);
                sum = weight.fma(Lanes.floats(values, valueOffset + i * stride + d), sum);
            }
            sum.intoArray(out, outOffset + d);
        }
        for (int d = vectors; d < width; d++) {
            for (int i = 0; i < count; i++) {
                out[outOffset + d] += weights[weightOffset + i] * values[valueOffset + i * stride + d];
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
        int vectors = width - width % Lanes.COUNT;
        for (int d = 0; d < vectors; d += Lanes.COUNT) {
            FloatVector sum = Lanes.floats(out, outOffset + d);
            for (int i = 0; i < count; i++) {
                FloatVector weight = FloatVector.broadcast(Lanes.FLOATS, weights[weightOffset + i]);
                sum = weight.fma(Lanes.halves(Lanes.shorts(values, valueOffset + i * stride + d)), sum);
            }
            sum.intoArray(out, outOffset + d);
        }
        for (int d = vectors; d < width; d++) {
            for (int i = 0; i < count; i++) {
                out[outOffset + d] +=
                        weights[weightOffset + i] * Float.float16ToFloat(values[valueOffset + i * stride + d]);
            }
        }
    }
}
