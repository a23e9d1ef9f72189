package org.bloomery.javaengine.arch;

import org.bloomery.javaengine.layer.Attention;
import org.bloomery.javaengine.layer.Rope;
import org.jspecify.annotations.Nullable;

/**
 * The numbers that give a model its shape, checked. Names follow the keys of GGUF.
 *
 * @param blockCount layers
 * @param embeddingLength width of the residual stream
 * @param feedForwardLength inner width of the feed-forward network, or of each expert
 * @param headCount query heads
 * @param kvHeadCount key/value heads, a divisor of {@code headCount}
 * @param headDim elements of a head, all of them rotated
 * @param rmsEpsilon added to the mean square in norms
 * @param ropeFreqBase base of the rotation's frequencies
 * @param ropeScaling stretching beyond the trained context
 * @param expertCount experts of a layer, 0 for none
 * @param expertUsedCount experts a token goes through
 * @param expertWeightsScale factor for the weights of experts
 * @param vocabSize tokens
 */
record HyperParameters(
        int blockCount,
        int embeddingLength,
        int feedForwardLength,
        int headCount,
        int kvHeadCount,
        int headDim,
        float rmsEpsilon,
        float ropeFreqBase,
        Rope.Scaling ropeScaling,
        int expertCount,
        int expertUsedCount,
        float expertWeightsScale,
        int vocabSize) {

    /** Elements of all query heads. */
    int queryLength() {
        return headCount * headDim;
    }

    /** Elements of all key heads, as many as of all value heads. */
    int keyValueLength() {
        return kvHeadCount * headDim;
    }

    Attention.Shape attentionShape() {
        return new Attention.Shape(headCount, kvHeadCount, headDim);
    }

    Rope rope(Rope.Pairing pairing, float @Nullable [] factors) {
        return new Rope(headDim, pairing, ropeFreqBase, ropeScaling, factors);
    }
}
