package org.bloomery.javaengine.layer;

import java.util.List;

/** A whole model: token vectors, a stack of layers, a norm, and the product that makes logits. */
public final class Decoder {

    private final Embedding embedding;
    private final List<Block> blocks;
    private final RmsNorm outputNorm;
    private final Linear output;

    /** @param blocks at least one */
    public Decoder(Embedding embedding, List<Block> blocks, RmsNorm outputNorm, Linear output) {
        this.embedding = embedding;
        this.blocks = List.copyOf(blocks);
        this.outputNorm = outputNorm;
        this.output = output;
    }

    /**
     * Runs a pass that has been started, and leaves the logits of the wanted tokens in {@code logits}.
     *
     * @throws java.util.concurrent.CancellationException if the pass was interrupted
     */
    public void forward(Pass pass, LogitRows logits) {
        embedding.apply(pass);
        for (int i = 0; i < blocks.size(); i++) {
            pass.endIfInterrupted();
            blocks.get(i).apply(pass, i == blocks.size() - 1);
        }
        int rows = pass.rows();
        outputNorm.apply(pass.x, rows, pass.normed, pass.pool());
        logits.resize(rows);
        for (int row = 0; row < rows; row += LogitRows.CHUNK) {
            int count = Math.min(LogitRows.CHUNK, rows - row);
            output.apply(pass.normed, row * pass.widths.embedding(), count, logits.chunk(row), pass);
        }
    }
}
