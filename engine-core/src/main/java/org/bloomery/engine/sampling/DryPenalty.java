package org.bloomery.engine.sampling;

import java.util.HashMap;
import java.util.Map;

/**
 * "Don't repeat yourself": finds every earlier place where the latest tokens stand too, and penalises the token that
 * followed there by how long that repetition already is.
 */
record DryPenalty(SamplingOptions.Dry options, SequenceBreakers breakers) {

    /**
     * Takes penalties off the logits.
     *
     * @param history prompt and answer so far
     * @param length tokens of it
     */
    void apply(float[] logits, int[] history, int length) {
        int window = options.penaltyLastN() < 0 ? length : Math.min(length, options.penaltyLastN());
        if (window <= options.allowedLength()) {
            return;
        }
        int limit = breakers.repetitionLimit(history, length, window);
        if (limit < options.allowedLength()) {
            return;
        }
        // Keeps base^exponent inside a float.
        int maxExponent = options.base() > 1.000001
                ? (int) (Math.log(Float.MAX_VALUE) / Math.log(options.base()))
                : Integer.MAX_VALUE;
        for (Map.Entry<Integer, Integer> longest :
                longestRepetitions(history, length, window, limit).entrySet()) {
            int token = longest.getKey();
            if (!breakers.isBreaker(token)) {
                int exponent = Math.min(longest.getValue() - options.allowedLength(), maxExponent);
                logits[token] -= (float) (options.multiplier() * Math.pow(options.base(), exponent));
            }
        }
    }

    /** For each token that would lengthen a repetition: the longest one it would lengthen. */
    private Map<Integer, Integer> longestRepetitions(int[] history, int length, int window, int limit) {
        // Z-algorithm on the reversed window: common[k] = tokens that the window's end shares with what ends k earlier.
        int[] common = new int[window];
        int left = 0;
        int right = 0;
        int last = length - 1;
        Map<Integer, Integer> longest = new HashMap<>();
        for (int k = 1; k < window; k++) {
            int n = k < right ? Math.min(right - k, common[k - left]) : 0;
            while (k + n < window && history[last - n] == history[last - k - n]) {
                n++;
            }
            common[k] = n;
            if (k + n > right) {
                left = k;
                right = k + n;
            }
            int repetition = Math.min(n, limit);
            if (repetition >= options.allowedLength()) {
                longest.merge(history[last - k + 1], repetition, Math::max);
            }
        }
        return longest;
    }
}
