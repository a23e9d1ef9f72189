package org.bloomery.javaengine.cache;

/**
 * What a model keeps of a token.
 *
 * @param layers layers that have keys and values
 * @param kvHeads key/value heads of a layer
 * @param headDim elements of a key and of a value of one head
 */
public record CacheShape(int layers, int kvHeads, int headDim) {

    /** Blocks of keys and of values: one of each for a head of a layer. */
    long blocks() {
        return 2L * layers * kvHeads;
    }
}
