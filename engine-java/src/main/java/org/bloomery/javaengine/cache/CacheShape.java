package org.bloomery.javaengine.cache;

/**
 * What a model keeps of a token.
 *
 * @param layers layers that have keys and values
 * @param kvHeads key/value heads of a layer
 * @param headDim elements of a key and of a value of one head
 */
public record CacheShape(int layers, int kvHeads, int headDim) {

    /** Elements of one token: a key and a value per head and layer. */
    long elementsPerToken() {
        return 2L * layers * kvHeads * headDim;
    }
}
