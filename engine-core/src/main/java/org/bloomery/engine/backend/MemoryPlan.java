package org.bloomery.engine.backend;

/**
 * Bytes a loaded model takes, computed before anything is allocated.
 *
 * @param weights the model's tensors, mapped or copied
 * @param repacked further copies of weights in another layout
 * @param cache keys and values of all sequences
 * @param workspace buffers of a forward pass, logits included
 */
public record MemoryPlan(long weights, long repacked, long cache, long workspace) {

    public long total() {
        return weights + repacked + cache + workspace;
    }
}
