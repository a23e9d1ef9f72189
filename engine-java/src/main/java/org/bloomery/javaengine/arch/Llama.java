package org.bloomery.javaengine.arch;

import org.bloomery.javaengine.arch.Weights.Scale;
import org.bloomery.javaengine.layer.Decoder;
import org.bloomery.javaengine.layer.PreNormBlock;
import org.bloomery.javaengine.layer.Rope;

/**
 * Llama 1 to 3, Mistral, Mixtral and the many models that kept their form: grouped queries, SwiGLU or a mixture of
 * experts, adjacent elements rotated, Llama 3's frequency factors. Biases are optional, as in llama.cpp.
 */
final class Llama implements Architecture {

    @Override
    public String name() {
        return "llama";
    }

    @Override
    public HyperParameters read(HyperParameterReader reader) {
        return reader.decoder(true);
    }

    @Override
    public Decoder build(HyperParameters hyper, Weights weights) {
        float[] factors = weights.ropeFactors("rope_freqs.weight", hyper.headDim() / 2);
        Rope rope = hyper.rope(Rope.Pairing.ADJACENT, factors);
        return Stack.decoder(
                hyper,
                weights,
                false,
                block -> new PreNormBlock(
                        block.norm("attn_norm"),
                        block.attention(rope, true, null, null),
                        block.norm("ffn_norm"),
                        hyper.expertCount() == 0 ? block.feedForward(true, Scale.AFTER_BIAS) : block.experts(true)));
    }
}
