package org.bloomery.javaengine.layer;

import org.bloomery.javaengine.tensor.WorkerPool;
import org.jspecify.annotations.Nullable;

/**
 * Rotary position embedding: turns pairs of elements of a head by angles that grow with the position. Mirrors {@code
 * ggml_rope_ext}, in single precision as there, so that long contexts and odd frequency factors agree with it.
 */
public final class Rope {

    /** Which elements form a pair. */
    public enum Pairing {
        /** Element 2i with 2i + 1 (ggml's NORM). */
        ADJACENT,
        /** Element i with i + dim / 2 (ggml's NEOX). */
        HALVES
    }

    /**
     * How a model was stretched beyond the context it was trained on.
     *
     * @param factor how many times longer, 1 for not at all
     * @param yarn whether frequencies that turn often keep their speed (YaRN, Peng et al. 2023); all slow down else
     * @param magnitude factor for the rotated elements, on top of YaRN's own
     * @param originalContext context before stretching
     */
    public record Scaling(float factor, boolean yarn, float magnitude, int originalContext) {}

    /** YaRN: full turns within the original context above which a frequency keeps its speed. */
    private static final float BETA_FAST = 32;

    /** YaRN: full turns within the original context below which a frequency slows down fully. */
    private static final float BETA_SLOW = 1;

    private final int dim;
    private final Pairing pairing;
    private final float thetaScale;
    private final float frequencyScale;
    private final float magnitude;
    private final float @Nullable [] factors;
    /** Share of the unscaled angle per pair, or null without YaRN. */
    private final float @Nullable [] extrapolated;

    /**
     * @param dim elements of a head that are rotated, even
     * @param factors divisor of each pair's angle, {@code dim / 2} of them, or null
     */
    public Rope(int dim, Pairing pairing, float frequencyBase, Scaling scaling, float @Nullable [] factors) {
        this.dim = dim;
        this.pairing = pairing;
        this.factors = factors;
        thetaScale = (float) Math.pow(frequencyBase, -2.0 / dim);
        frequencyScale = 1 / scaling.factor();
        if (scaling.yarn()) {
            extrapolated = yarnRamp(dim, frequencyBase, scaling.originalContext());
            magnitude = scaling.magnitude() * (float) Math.max(1, 1 + 0.1 * Math.log(scaling.factor()));
        } else {
            extrapolated = null;
            magnitude = scaling.magnitude();
        }
    }

    /**
     * Rotates queries and keys in place.
     *
     * @param queries (rows, queryHeads, headDim)
     * @param keys (rows, keyHeads, headDim)
     */
    void rotate(
            float[] queries,
            int queryHeads,
            float[] keys,
            int keyHeads,
            int headDim,
            int[] positions,
            int rows,
            WorkerPool pool) {
        pool.forRange(rows, Elementwise.rowGrain(4 * headDim * queryHeads), (from, to, worker) -> {
            float[] cos = new float[dim / 2];
            float[] sin = new float[dim / 2];
            for (int row = from; row < to; row++) {
                angles(positions[row], cos, sin);
                for (int head = row * queryHeads; head < (row + 1) * queryHeads; head++) {
                    rotate(queries, head * headDim, cos, sin);
                }
                for (int head = row * keyHeads; head < (row + 1) * keyHeads; head++) {
                    rotate(keys, head * headDim, cos, sin);
                }
            }
        });
    }

    private void angles(int position, float[] cos, float[] sin) {
        float theta = position;
        for (int i = 0; i < cos.length; i++) {
            float full = factors == null ? theta : theta / factors[i];
            float angle = frequencyScale * full;
            if (extrapolated != null) {
                angle = angle * (1 - extrapolated[i]) + full * extrapolated[i];
            }
            cos[i] = (float) Math.cos(angle) * magnitude;
            sin[i] = (float) Math.sin(angle) * magnitude;
            theta *= thetaScale;
        }
    }

    private void rotate(float[] x, int offset, float[] cos, float[] sin) {
        int half = cos.length;
        switch (pairing) {
            case ADJACENT -> {
                for (int i = 0; i < half; i++) {
                    float a = x[offset + 2 * i];
                    float b = x[offset + 2 * i + 1];
                    x[offset + 2 * i] = a * cos[i] - b * sin[i];
                    x[offset + 2 * i + 1] = a * sin[i] + b * cos[i];
                }
            }
            case HALVES -> {
                for (int i = 0; i < half; i++) {
                    float a = x[offset + i];
                    float b = x[offset + half + i];
                    x[offset + i] = a * cos[i] - b * sin[i];
                    x[offset + half + i] = a * sin[i] + b * cos[i];
                }
            }
        }
    }

    /** Mirrors {@code ggml_rope_yarn_corr_dims} and {@code rope_yarn_ramp}. */
    private static float[] yarnRamp(int dim, float base, int originalContext) {
        float low = (float) Math.max(0, Math.floor(correction(dim, base, originalContext, BETA_FAST)));
        float high = (float) Math.min(dim - 1, Math.ceil(correction(dim, base, originalContext, BETA_SLOW)));
        float[] ramp = new float[dim / 2];
        for (int i = 0; i < ramp.length; i++) {
            float y = (i - low) / Math.max(0.001f, high - low);
            ramp[i] = 1 - Math.clamp(y, 0f, 1f);
        }
        return ramp;
    }

    private static double correction(int dim, float base, int originalContext, float turns) {
        return dim * Math.log(originalContext / (turns * 2 * Math.PI)) / (2 * Math.log(base));
    }
}
