package org.bloomery.javaengine.arch;

import org.bloomery.javaengine.arch.Weights.Scale;
import org.bloomery.javaengine.layer.Decoder;
import org.bloomery.javaengine.layer.PreNormBlock;
import org.bloomery.javaengine.layer.Rope;

/** Qwen 2 and 2.5: biases on query, key and value, halves of a head rotated against each other. */
final class Qwen2 implements Architecture {

    @Override
    public String name() {
        return "qwen2";
    }

    @Override
    public HyperParameters read(HyperParameterReader reader) {
        return reader.decoder(false);
    }

    @Override
    public Decoder build(HyperParameters hyper, Weights weights) {
        Rope rope = hyper.rope(Rope.Pairing.HALVES, null);
        return Stack.decoder(
                hyper,
                weights,
                true,
                block -> new PreNormBlock(
                        block.norm("attn_norm"),
                        block.attention(rope, false, null, null),
                        block.norm("ffn_norm"),
                        block.feedForward(false, Scale.IGNORED)));
    }
}
