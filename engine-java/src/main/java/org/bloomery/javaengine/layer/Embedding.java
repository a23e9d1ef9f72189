package org.bloomery.javaengine.layer;

import org.bloomery.javaengine.tensor.WeightMatrix;

/** The learned vector of each token, (vocabulary, embedding). */
public record Embedding(WeightMatrix weight) {

    /** Fills the residual stream with the vectors of the pass's tokens. */
    void apply(Pass pass) {
        int width = weight.columns();
        pass.pool().forRange(pass.rows(), Elementwise.rowGrain(width), (from, to, worker) -> {
            for (int row = from; row < to; row++) {
                weight.dequantizeRow(pass.tokens[row], pass.x, row * width);
            }
        });
    }
}
