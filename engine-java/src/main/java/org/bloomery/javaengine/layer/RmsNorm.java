package org.bloomery.javaengine.layer;

import org.bloomery.javaengine.tensor.WorkerPool;

/** Divides each row by its root mean square and multiplies by a learned weight (ggml_rms_norm, then ggml_mul). */
public final class RmsNorm {

    private final float[] weight;
    private final float epsilon;

    public RmsNorm(float[] weight, float epsilon) {
        this.weight = weight;
        this.epsilon = epsilon;
    }

    /** {@code out(rows, width) = norm(x(rows, width))}; {@code out} may be {@code x}. */
    void apply(float[] x, int rows, float[] out, WorkerPool pool) {
        int width = weight.length;
        pool.forRange(rows, Elementwise.rowGrain(width), (from, to, worker) -> {
            for (int row = from; row < to; row++) {
                applyRow(x, row * width, out);
            }
        });
    }

    private void applyRow(float[] x, int offset, float[] out) {
        int width = weight.length;
        double squares = 0;
        for (int i = 0; i < width; i++) {
            squares += (double) x[offset + i] * x[offset + i];
        }
        float factor = (float) (1 / Math.sqrt(squares / width + epsilon));
        for (int i = 0; i < width; i++) {
            out[offset + i] = x[offset + i] * factor * weight[i];
        }
    }
}
