package org.bloomery.javaengine.arch;

import org.bloomery.javaengine.arch.Weights.Scale;
import org.bloomery.javaengine.layer.Decoder;
import org.bloomery.javaengine.layer.PreNormBlock;
import org.bloomery.javaengine.layer.Rope;

/** Qwen 3: a norm on each query and key head, heads that need not add up to the embedding. */
final class Qwen3 implements Architecture {

    @Override
    public String name() {
        return "qwen3";
    }

    @Override
    public HyperParameters read(HyperParameterReader reader) {
        return reader.decoder(false);
    }

    @Override
    public Decoder build(HyperParameters hyper, Weights weights) {
        // the head of reranking models
        weights.ignore("cls.output.weight");
        Rope rope = hyper.rope(Rope.Pairing.HALVES, null);
        return Stack.decoder(
                hyper,
                weights,
                false,
                block -> new PreNormBlock(
                        block.norm("attn_norm"),
                        block.attention(rope, false, block.headNorm("attn_q_norm"), block.headNorm("attn_k_norm")),
                        block.norm("ffn_norm"),
                        block.feedForward(false, Scale.AFTER_BIAS)));
    }
}
