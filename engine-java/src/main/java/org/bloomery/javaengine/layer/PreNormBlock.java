package org.bloomery.javaengine.layer;

/** Norm, attention, residual; norm, feed-forward, residual: the layer of Llama and its relatives. */
public record PreNormBlock(RmsNorm attentionNorm, Attention attention, RmsNorm feedForwardNorm, FeedForward feedForward)
        implements Block {

    @Override
    public void apply(Pass pass, boolean last) {
        attentionNorm.apply(pass.x, pass.rows(), pass.normed, pass.pool());
        attention.apply(pass.normed, pass.out, pass);
        Elementwise.add(pass.x, pass.out, pass.rows() * pass.widths.embedding(), pass.pool());
        if (last) {
            pass.keepWanted();
        }

        feedForwardNorm.apply(pass.x, pass.rows(), pass.normed, pass.pool());
        feedForward.apply(pass.normed, pass.rows(), pass.out, pass);
        Elementwise.add(pass.x, pass.out, pass.rows() * pass.widths.embedding(), pass.pool());
    }
}
