package org.bloomery.engine;

import java.util.List;

/**
 * A generated token with the log probabilities the model gave it and its best alternatives.
 *
 * @param token the id
 * @param text the token's bytes as text, with U+FFFD where they are no whole character
 * @param logProbability natural logarithm of the model's probability, before any sampler step
 * @param top the n most probable tokens, best first, without their own alternatives
 */
public record TokenLogProbability(int token, String text, double logProbability, List<TokenLogProbability> top) {

    public TokenLogProbability {
        top = List.copyOf(top);
    }

    /** Leaves the token out, which is a piece of the answer. */
    @Override
    public String toString() {
        return "TokenLogProbability[" + logProbability + ", " + top.size() + " alternatives]";
    }
}
