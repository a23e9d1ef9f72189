package org.bloomery.javaengine.layer;

import java.util.Arrays;
import java.util.List;

/**
 * Several feed-forward networks of which each token uses a few, chosen and weighted by a router (mirrors llama.cpp's
 * {@code build_moe_ffn} with softmax gating). The tokens of one expert are brought together, so that a prompt goes
 * through matrix-matrix products here too.
 */
public final class MixtureOfExperts implements FeedForward {

    /** Least divisor of the chosen weights: the smallest normal number of half precision. */
    private static final float LEAST_SUM = 0x1p-14f;

    private final Linear router;
    private final List<GatedFeedForward> experts;
    private final int used;
    private final boolean normalise;
    private final float scale;

    /**
     * @param router (experts, embedding)
     * @param used experts a token goes through
     * @param normalise whether the weights of the chosen experts are made to add up to 1
     * @param scale factor for the weights
     */
    public MixtureOfExperts(Linear router, List<GatedFeedForward> experts, int used, boolean normalise, float scale) {
        this.router = router;
        this.experts = List.copyOf(experts);
        this.used = used;
        this.normalise = normalise;
        this.scale = scale;
    }

    @Override
    public void apply(float[] x, int rows, float[] out, Pass pass) {
        float[] scores = new float[rows * experts.size()];
        router.apply(x, rows, scores, pass);
        int[] chosen = new int[rows * used];
        float[] weights = new float[rows * used];
        for (int row = 0; row < rows; row++) {
            choose(scores, row, chosen, weights);
        }

        int width = pass.widths.embedding();
        Arrays.fill(out, 0, rows * width, 0);
        int[] members = new int[rows];
        float[] shares = new float[rows];
        for (int expert = 0; expert < experts.size(); expert++) {
            int count = 0;
            for (int i = 0; i < chosen.length; i++) {
                if (chosen[i] == expert) {
                    members[count] = i / used;
                    shares[count++] = weights[i];
                }
            }
            if (count == 0) {
                continue;
            }
            for (int i = 0; i < count; i++) {
                System.arraycopy(x, members[i] * width, pass.gathered, i * width, width);
            }
            // the gathered rows are spent once gate and up have been computed
            experts.get(expert).apply(pass.gathered, count, pass.gathered, pass);
            for (int i = 0; i < count; i++) {
                int target = members[i] * width;
                for (int j = 0; j < width; j++) {
                    out[target + j] += shares[i] * pass.gathered[i * width + j];
                }
            }
        }
    }

    private void choose(float[] scores, int row, int[] chosen, float[] weights) {
        int count = experts.size();
        float[] probabilities = softmax(scores, row * count, count);
        float sum = 0;
        for (int k = 0; k < used; k++) {
            int best = -1;
            for (int e = 0; e < count; e++) {
                // what is below 0 has been chosen; what is no number may be, and carries that on
                if (!(probabilities[e] < 0) && (best < 0 || probabilities[e] > probabilities[best])) {
                    best = e;
                }
            }
            chosen[row * used + k] = best;
            weights[row * used + k] = probabilities[best];
            sum += probabilities[best];
            probabilities[best] = -1;
        }
        float factor = scale / (normalise ? Math.max(sum, LEAST_SUM) : 1);
        for (int k = 0; k < used; k++) {
            weights[row * used + k] *= factor;
        }
    }

    private static float[] softmax(float[] scores, int offset, int count) {
        float greatest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            greatest = Math.max(greatest, scores[offset + i]);
        }
        float[] probabilities = new float[count];
        double sum = 0;
        for (int i = 0; i < count; i++) {
            probabilities[i] = (float) Math.exp(scores[offset + i] - greatest);
            sum += probabilities[i];
        }
        for (int i = 0; i < count; i++) {
            probabilities[i] /= (float) sum;
        }
        return probabilities;
    }
}
