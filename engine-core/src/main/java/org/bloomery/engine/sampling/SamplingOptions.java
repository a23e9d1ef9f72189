package org.bloomery.engine.sampling;

import java.util.List;
import java.util.Map;
import org.bloomery.engine.InvalidOptionException;
import org.jspecify.annotations.Nullable;

/**
 * Parameters of the sampler chain. The chain runs in the order of llama.cpp's default: logit bias, penalties, DRY,
 * top-k, typical, top-p, min-p, XTC, temperature; a neutral value switches its step off.
 *
 * @param temperature 0 to 10; 0 takes the most probable token and leaves the steps from top-k on out
 * @param topK keep the k most probable tokens; 0 keeps all
 * @param topP keep the smallest set with this total probability, 0 to 1; 1 keeps all
 * @param minP keep tokens with at least this share of the best one's probability, 0 to 1; 0 keeps all
 * @param typicalP locally typical sampling's total probability, 0 to 1; 1 keeps all
 * @param penaltyLastN tokens that the three penalties look back on, -1 for the whole context, 0 for none
 * @param repeatPenalty divides positive logits of seen tokens and multiplies negative ones, 0.1 to 10; 1 is neutral
 * @param frequencyPenalty taken off a seen token's logit for each time it was seen, -2 to 2; 0 is neutral
 * @param presencePenalty taken off a seen token's logit once, -2 to 2; 0 is neutral
 * @param dry "don't repeat yourself" settings
 * @param xtc "exclude top choices" settings
 * @param logitBias added to the logits of these token ids, -100 to 100
 * @param seed what makes an answer repeatable, or null for a random one
 */
public record SamplingOptions(
        double temperature,
        int topK,
        double topP,
        double minP,
        double typicalP,
        int penaltyLastN,
        double repeatPenalty,
        double frequencyPenalty,
        double presencePenalty,
        Dry dry,
        Xtc xtc,
        Map<Integer, Double> logitBias,
        @Nullable Long seed) {

    /** llama.cpp's defaults. */
    public static final SamplingOptions DEFAULT =
            new SamplingOptions(0.8, 40, 0.95, 0.05, 1, 64, 1, 0, 0, Dry.OFF, Xtc.OFF, Map.of(), null);

    /** Always the most probable token. */
    public static final SamplingOptions GREEDY = DEFAULT.withTemperature(0);

    /**
     * Penalises tokens that would continue a repetition: {@code multiplier * base ^ (length - allowedLength)}. Source:
     * https://github.com/oobabooga/text-generation-webui/pull/5677.
     *
     * @param multiplier 0 to 10; 0 switches it off
     * @param base 1 to 10
     * @param allowedLength longest repetition that costs nothing, 1 to 1,024
     * @param penaltyLastN tokens to look back on, -1 for the whole context, 0 for none
     * @param sequenceBreakers strings that end a repetition; at most 32, each 1 to 64 characters
     */
    public record Dry(
            double multiplier, double base, int allowedLength, int penaltyLastN, List<String> sequenceBreakers) {

        public static final Dry OFF = new Dry(0, 1.75, 2, -1, List.of("\n", ":", "\"", "*"));

        public Dry {
            sequenceBreakers = List.copyOf(sequenceBreakers);
            range("dry-multiplier", multiplier, 0, 10);
            range("dry-base", base, 1, 10);
            range("dry-allowed-length", allowedLength, 1, 1024);
            range("dry-penalty-last-n", penaltyLastN, -1, Integer.MAX_VALUE);
            range("number of dry-sequence-breakers", sequenceBreakers.size(), 0, 32);
            for (String s : sequenceBreakers) {
                range("length of a dry-sequence-breaker", s.length(), 1, 64);
            }
        }

        /** Counts what may hold text. */
        @Override
        public String toString() {
            return "Dry[multiplier=" + multiplier + ", base=" + base + ", allowedLength=" + allowedLength
                    + ", penaltyLastN=" + penaltyLastN + ", " + sequenceBreakers.size() + " sequence breakers]";
        }
    }

    /**
     * With this probability, removes all but the least probable of the tokens above the threshold. Source:
     * https://github.com/oobabooga/text-generation-webui/pull/6335.
     *
     * @param probability 0 to 1; 0 switches it off
     * @param threshold 0 to 1; above 0.5 it has no effect
     */
    public record Xtc(double probability, double threshold) {

        public static final Xtc OFF = new Xtc(0, 0.1);

        public Xtc {
            range("xtc-probability", probability, 0, 1);
            range("xtc-threshold", threshold, 0, 1);
        }
    }

    public SamplingOptions {
        logitBias = Map.copyOf(logitBias);
        range("temperature", temperature, 0, 10);
        range("top-k", topK, 0, Integer.MAX_VALUE);
        range("top-p", topP, 0, 1);
        range("min-p", minP, 0, 1);
        range("typical-p", typicalP, 0, 1);
        range("penalty-last-n", penaltyLastN, -1, Integer.MAX_VALUE);
        range("repeat-penalty", repeatPenalty, 0.1, 10);
        range("frequency-penalty", frequencyPenalty, -2, 2);
        range("presence-penalty", presencePenalty, -2, 2);
        range("number of logit-bias entries", logitBias.size(), 0, 1024);
        logitBias.forEach((token, bias) -> range("logit-bias of token " + token, bias, -100, 100));
    }

    private static void range(String option, double value, double least, double most) {
        if (!(value >= least && value <= most)) {
            throw new InvalidOptionException("Option '" + option + "' is " + number(value) + "; it must be "
                    + (most == Integer.MAX_VALUE ? "at least " + number(least) : number(least) + " to " + number(most))
                    + ".");
        }
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }

    public SamplingOptions withTemperature(double temperature) {
        return new SamplingOptions(
                temperature,
                topK,
                topP,
                minP,
                typicalP,
                penaltyLastN,
                repeatPenalty,
                frequencyPenalty,
                presencePenalty,
                dry,
                xtc,
                logitBias,
                seed);
    }

    public SamplingOptions withLogitBias(Map<Integer, Double> logitBias) {
        return new SamplingOptions(
                temperature,
                topK,
                topP,
                minP,
                typicalP,
                penaltyLastN,
                repeatPenalty,
                frequencyPenalty,
                presencePenalty,
                dry,
                xtc,
                logitBias,
                seed);
    }

    public SamplingOptions withSeed(@Nullable Long seed) {
        return new SamplingOptions(
                temperature,
                topK,
                topP,
                minP,
                typicalP,
                penaltyLastN,
                repeatPenalty,
                frequencyPenalty,
                presencePenalty,
                dry,
                xtc,
                logitBias,
                seed);
    }
}
