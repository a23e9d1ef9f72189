package org.bloomery.javaengine.layer;

import java.util.List;
import org.bloomery.javaengine.tensor.WeightMatrix;
import org.jspecify.annotations.Nullable;

/** A product with a weight matrix, then an optional factor for the whole matrix and an optional bias. */
public final class Linear {

    private final WeightMatrix weight;
    private final float scale;
    private final float @Nullable [] bias;

    /** @param bias one element a row of the matrix, or null */
    public Linear(WeightMatrix weight, float scale, float @Nullable [] bias) {
        weight.expectProducts();
        this.weight = weight;
        this.scale = scale;
        this.bias = bias;
    }

    /** {@code out(rows, outputs) = scale * x(rows, inputs) * weight^T + bias} */
    void apply(float[] x, int rows, float[] out, Pass pass) {
        apply(x, 0, rows, out, pass);
    }

    void apply(float[] x, int xOffset, int rows, float[] out, Pass pass) {
        weight.multiply(x, xOffset, rows, out, 0, pass.workspace);
        finish(rows, out, pass);
    }

    /** Several products with the same input, in one round of the threads. */
    static void applyAll(List<Linear> products, float[] x, int rows, List<float[]> out, Pass pass) {
        WeightMatrix[] weights = products.stream().map(each -> each.weight).toArray(WeightMatrix[]::new);
        WeightMatrix.multiplyAll(weights, x, 0, rows, out.toArray(float[][]::new), pass.workspace);
        for (int i = 0; i < products.size(); i++) {
            products.get(i).finish(rows, out.get(i), pass);
        }
    }

    private void finish(int rows, float[] out, Pass pass) {
        if (scale == 1 && bias == null) {
            return;
        }
        int width = weight.rows();
        pass.pool().forRange(rows, Elementwise.rowGrain(width), (from, to, worker) -> {
            for (int row = from; row < to; row++) {
                finishRow(out, row * width, width);
            }
        });
    }

    private void finishRow(float[] out, int offset, int width) {
        float[] b = bias;
        for (int i = 0; i < width; i++) {
            out[offset + i] *= scale;
        }
        if (b != null) {
            for (int i = 0; i < width; i++) {
                out[offset + i] += b[i];
            }
        }
    }
}
