package org.bloomery.javaengine.arch;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.bloomery.javaengine.layer.Block;
import org.bloomery.javaengine.layer.Decoder;
import org.bloomery.javaengine.layer.Embedding;
import org.bloomery.javaengine.layer.Linear;
import org.bloomery.javaengine.tensor.WeightMatrix;

/** What stands before and after the layers of a decoder, under its usual names. */
final class Stack {

    private Stack() {}

    /**
     * Token vectors, layers, norm, logits; the output product shares the token vectors where it has no weights of its
     * own.
     *
     * @param outputBias whether the output product may have a bias
     * @param block makes one layer
     */
    static Decoder decoder(
            HyperParameters hyper, Weights weights, boolean outputBias, Function<BlockWeights, Block> block) {
        int embedding = hyper.embeddingLength();
        int vocabulary = hyper.vocabSize();
        WeightMatrix tokens = weights.matrix("token_embd.weight", embedding, vocabulary);
        WeightMatrix output =
                weights.has("output.weight") ? weights.matrix("output.weight", embedding, vocabulary) : tokens;
        float[] bias = outputBias ? weights.optionalVector("output.bias", vocabulary) : null;
        List<Block> blocks = new ArrayList<>();
        for (int layer = 0; layer < hyper.blockCount(); layer++) {
            blocks.add(block.apply(new BlockWeights(hyper, weights, layer)));
        }
        return new Decoder(
                new Embedding(tokens),
                blocks,
                weights.norm("output_norm", embedding, hyper.rmsEpsilon()),
                new Linear(output, 1, bias));
    }
}
