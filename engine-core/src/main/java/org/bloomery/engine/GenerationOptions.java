package org.bloomery.engine;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.sampling.SamplingOptions;
import org.jspecify.annotations.Nullable;

/**
 * How to sample and when to stop.
 *
 * @param sampling the sampler chain's parameters
 * @param maxTokens most tokens to generate, at least 1; null for the smaller of 1,024 and what the context has left
 * @param stop strings that end the answer and are not part of it; at most 16, each 1 to 256 characters
 * @param timeout most time from submission to the end, or null for the engine's default
 * @param logProbabilities how many best alternatives to report for each token, 0 to 20; null to report nothing
 * @param constraint what the answer must look like, or null for anything; the probabilities reported are those before it
 * @param textBias added to the logits of the tokens of these texts, -100 to 100; at most 1,024, each of 1 to 256 characters
 */
public record GenerationOptions(
        SamplingOptions sampling,
        @Nullable Integer maxTokens,
        List<String> stop,
        @Nullable Duration timeout,
        @Nullable Integer logProbabilities,
        @Nullable Constraint constraint,
        Map<String, Double> textBias) {

    /** What a request without options gets. */
    public static final GenerationOptions DEFAULT =
            new GenerationOptions(SamplingOptions.DEFAULT, null, List.of(), null, null);

    /** Options without a constraint. */
    public GenerationOptions(
            SamplingOptions sampling,
            @Nullable Integer maxTokens,
            List<String> stop,
            @Nullable Duration timeout,
            @Nullable Integer logProbabilities) {
        this(sampling, maxTokens, stop, timeout, logProbabilities, null, Map.of());
    }

    public GenerationOptions {
        stop = List.copyOf(stop);
        textBias = Map.copyOf(textBias);
        if (textBias.size() > 1024) {
            throw new InvalidOptionException(
                    "Option 'text-bias' has " + textBias.size() + " texts; at most 1024 are allowed.");
        }
        textBias.forEach((text, bias) -> {
            if (text.isEmpty() || text.length() > 256) {
                throw new InvalidOptionException(
                        "Option 'text-bias' has a text of " + text.length() + " characters; each must have 1 to 256.");
            }
            if (!(bias >= -100 && bias <= 100)) {
                throw new InvalidOptionException(
                        "Option 'text-bias' has the bias " + bias + "; it must be -100 to 100.");
            }
        });
        if (maxTokens != null && maxTokens < 1) {
            throw new InvalidOptionException("Option 'max-tokens' is " + maxTokens + "; it must be at least 1.");
        }
        if (stop.size() > 16) {
            throw new InvalidOptionException("Option 'stop' has " + stop.size() + " strings; at most 16 are allowed.");
        }
        for (String s : stop) {
            if (s.isEmpty() || s.length() > 256) {
                throw new InvalidOptionException(
                        "Option 'stop' has a string of " + s.length() + " characters; each must have 1 to 256.");
            }
        }
        if (timeout != null && (timeout.isNegative() || timeout.isZero())) {
            throw new InvalidOptionException("Option 'timeout' is " + timeout + "; it must be positive.");
        }
        if (logProbabilities != null && (logProbabilities < 0 || logProbabilities > 20)) {
            throw new InvalidOptionException(
                    "Option 'log-probabilities' is " + logProbabilities + "; it must be 0 to 20.");
        }
    }

    /** Counts what may hold text. */
    @Override
    public String toString() {
        return "GenerationOptions[" + sampling + ", maxTokens=" + maxTokens + ", " + stop.size()
                + " stop strings, timeout="
                + timeout + ", logProbabilities=" + logProbabilities + ", constraint=" + constraint + ", "
                + textBias.size() + " biased texts]";
    }

    public GenerationOptions withMaxTokens(int maxTokens) {
        return new GenerationOptions(sampling, maxTokens, stop, timeout, logProbabilities, constraint, textBias);
    }

    public GenerationOptions withSampling(SamplingOptions sampling) {
        return new GenerationOptions(sampling, maxTokens, stop, timeout, logProbabilities, constraint, textBias);
    }

    public GenerationOptions withConstraint(@Nullable Constraint constraint) {
        return new GenerationOptions(sampling, maxTokens, stop, timeout, logProbabilities, constraint, textBias);
    }
}
