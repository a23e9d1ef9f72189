package org.bloomery.engine;

/**
 * Tokens of one request.
 *
 * @param promptTokens tokens of the prompt, cached ones included
 * @param completionTokens tokens generated
 * @param cachedTokens tokens of the prompt that were already in the cache
 */
public record Usage(int promptTokens, int completionTokens, int cachedTokens) {

    public int totalTokens() {
        return promptTokens + completionTokens;
    }
}
