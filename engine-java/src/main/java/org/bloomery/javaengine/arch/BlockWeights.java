package org.bloomery.javaengine.arch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bloomery.javaengine.arch.Weights.Scale;
import org.bloomery.javaengine.layer.Attention;
import org.bloomery.javaengine.layer.FeedForward;
import org.bloomery.javaengine.layer.GatedFeedForward;
import org.bloomery.javaengine.layer.Linear;
import org.bloomery.javaengine.layer.MixtureOfExperts;
import org.bloomery.javaengine.layer.RmsNorm;
import org.bloomery.javaengine.layer.Rope;
import org.bloomery.javaengine.tensor.WeightMatrix;
import org.jspecify.annotations.Nullable;

/** The weights of one layer under their usual names, made into blocks. */
final class BlockWeights {

    private final HyperParameters hyper;
    private final Weights weights;
    private final int layer;

    BlockWeights(HyperParameters hyper, Weights weights, int layer) {
        this.hyper = hyper;
        this.weights = weights;
        this.layer = layer;
    }

    /** A norm over the residual stream. */
    RmsNorm norm(String name) {
        return weights.norm(name(name), hyper.embeddingLength(), hyper.rmsEpsilon());
    }

    /** A norm over each head. */
    RmsNorm headNorm(String name) {
        return weights.norm(name(name), hyper.headDim(), hyper.rmsEpsilon());
    }

    /**
     * Attention with separate or fused query, key and value products, which may have biases.
     *
     * @param outputBias whether the output product may have one too
     */
    Attention attention(Rope rope, boolean outputBias, @Nullable RmsNorm queryNorm, @Nullable RmsNorm keyNorm) {
        int query = hyper.queryLength();
        int keyValue = hyper.keyValueLength();
        int embedding = hyper.embeddingLength();
        Linear output = weights.linear(name("attn_output"), query, embedding, outputBias, Scale.BEFORE_BIAS);
        Attention.Weights parts;
        if (weights.has(name("attn_qkv.weight"))) {
            int fused = query + 2 * keyValue;
            WeightMatrix matrix = weights.matrix(name("attn_qkv.weight"), embedding, fused);
            float scale = weights.scales(name("attn_qkv"), 1)[0];
            float[] bias = weights.optionalVector(name("attn_qkv.bias"), fused);
            parts = new Attention.Weights(
                    part(matrix, scale, bias, "attn_q", 0, query),
                    part(matrix, scale, bias, "attn_k", query, keyValue),
                    part(matrix, scale, bias, "attn_v", query + keyValue, keyValue),
                    output,
                    queryNorm,
                    keyNorm);
        } else {
            parts = new Attention.Weights(
                    weights.linear(name("attn_q"), embedding, query, true, Scale.BEFORE_BIAS),
                    weights.linear(name("attn_k"), embedding, keyValue, true, Scale.BEFORE_BIAS),
                    weights.linear(name("attn_v"), embedding, keyValue, true, Scale.BEFORE_BIAS),
                    output,
                    queryNorm,
                    keyNorm);
        }
        return new Attention(parts, hyper.attentionShape(), rope, layer);
    }

    /** SwiGLU. */
    FeedForward feedForward(boolean bias, Scale scale) {
        int embedding = hyper.embeddingLength();
        int inner = hyper.feedForwardLength();
        return new GatedFeedForward(
                weights.linear(name("ffn_gate"), embedding, inner, bias, scale),
                weights.linear(name("ffn_up"), embedding, inner, bias, scale),
                weights.linear(name("ffn_down"), inner, embedding, bias, scale));
    }

    /**
     * A router and its experts, the matrices of all experts stacked.
     *
     * @param normalise whether the weights of the chosen experts are made to add up to 1
     */
    FeedForward experts(boolean normalise) {
        int embedding = hyper.embeddingLength();
        int inner = hyper.feedForwardLength();
        Linear router = weights.linear(name("ffn_gate_inp"), embedding, hyper.expertCount(), false, Scale.NONE);
        List<Linear> gates = stack("ffn_gate_exps", embedding, inner);
        List<Linear> ups = stack("ffn_up_exps", embedding, inner);
        List<Linear> downs = stack("ffn_down_exps", inner, embedding);
        List<GatedFeedForward> experts = new ArrayList<>();
        for (int e = 0; e < hyper.expertCount(); e++) {
            experts.add(new GatedFeedForward(gates.get(e), ups.get(e), downs.get(e)));
        }
        return new MixtureOfExperts(router, experts, hyper.expertUsedCount(), normalise, hyper.expertWeightsScale());
    }

    private List<Linear> stack(String name, int inputs, int outputs) {
        int count = hyper.expertCount();
        WeightMatrix all = weights.matrix(name(name + ".weight"), inputs, outputs, count);
        float[] scales = weights.scales(name(name), count);
        List<Linear> linears = new ArrayList<>();
        for (int e = 0; e < count; e++) {
            linears.add(new Linear(weights.rows(all, e * outputs, outputs), scales[e], null));
        }
        return linears;
    }

    private Linear part(
            WeightMatrix fused, float scale, float @Nullable [] fusedBias, String name, int from, int count) {
        float[] bias = fusedBias == null
                ? weights.optionalVector(name(name + ".bias"), count)
                : Arrays.copyOfRange(fusedBias, from, from + count);
        return new Linear(weights.rows(fused, from, count), scale, bias);
    }

    private String name(String name) {
        return "blk." + layer + "." + name;
    }
}
