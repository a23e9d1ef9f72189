package org.bloomery.engine.sampling;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.grammar.GrammarMatcher;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the tokens of one generation: the chain of {@link SamplingOptions} with its own random numbers. The same
 * options, seed, history and logits give the same tokens. Not safe for use by several threads.
 */
public final class Sampler {

    private final SamplingOptions options;
    private final DryPenalty dry;
    private final List<SamplerStep> steps;
    private final RandomGenerator random;
    private final @Nullable GrammarMatcher grammar;
    private final Candidates candidates = new Candidates();
    private int[] counts = new int[0];
    private long grammarNanos;

    /**
     * A sampler for one generation.
     *
     * @param breakers the sequence breakers of {@code options.dry()}, or {@link SequenceBreakers#NONE} where DRY is off
     * @param seed used where the options name none
     */
    public Sampler(SamplingOptions options, SequenceBreakers breakers, long seed) {
        this(options, breakers, seed, null);
    }

    /**
     * A sampler for one generation that keeps to a grammar: before any other step, tokens that it does not allow become
     * impossible, and every chosen token moves it on.
     *
     * @param grammar at its beginning, used by nobody else; null for no constraint
     */
    public Sampler(SamplingOptions options, SequenceBreakers breakers, long seed, @Nullable GrammarMatcher grammar) {
        this.options = options;
        this.grammar = grammar;
        this.dry = new DryPenalty(options.dry(), breakers);
        this.steps = chain(options);
        Long fixed = options.seed();
        this.random = new SplittableRandom(fixed != null ? fixed : seed);
    }

    private static List<SamplerStep> chain(SamplingOptions options) {
        List<SamplerStep> steps = new ArrayList<>();
        if (options.topK() > 0) {
            steps.add(new SamplerStep.TopK(options.topK()));
        }
        if (options.typicalP() < 1) {
            steps.add(new SamplerStep.Typical(options.typicalP()));
        }
        if (options.topP() < 1) {
            steps.add(new SamplerStep.TopP(options.topP()));
        }
        if (options.minP() > 0) {
            steps.add(new SamplerStep.MinP(options.minP()));
        }
        if (options.xtc().probability() > 0 && options.xtc().threshold() <= 0.5) {
            steps.add(new SamplerStep.ExcludeTopChoices(
                    options.xtc().probability(), options.xtc().threshold()));
        }
        if (options.temperature() != 1) {
            steps.add(new SamplerStep.Temperature(options.temperature()));
        }
        return List.copyOf(steps);
    }

    /**
     * Chooses the next token.
     *
     * @param logits of the whole vocabulary; changed by the grammar, bias and penalties
     * @param vocabSize how many of them count
     * @param history prompt and answer so far
     * @param length tokens of it
     * @throws EngineException if the logits hold NaN or no finite value, or the grammar allows no token that has one
     */
    public int sample(float[] logits, int vocabSize, int[] history, int length) {
        refuseBrokenLogits(logits, vocabSize);
        if (grammar == null) {
            return choose(logits, vocabSize, history, length);
        }
        long start = System.nanoTime();
        grammar.mask().apply(logits, vocabSize);
        long masked = System.nanoTime();
        int token = choose(logits, vocabSize, history, length);
        long chosen = System.nanoTime();
        grammar.accept(token);
        grammarNanos += masked - start + System.nanoTime() - chosen;
        return token;
    }

    /** Takes a token that was not sampled, where the grammar allows it; returns whether it does. */
    public boolean take(int token) {
        if (grammar != null) {
            if (!grammar.mask().allows(token)) {
                return false;
            }
            grammar.accept(token);
        }
        return true;
    }

    /** Time that the grammar has taken so far. */
    public long grammarNanos() {
        return grammarNanos;
    }

    /** Whether the grammar lets nothing follow, not even an end: the answer is whole. */
    public boolean complete() {
        return grammar != null && grammar.complete();
    }

    private int choose(float[] logits, int vocabSize, int[] history, int length) {
        options.logitBias().forEach((token, bias) -> {
            if (token >= 0 && token < vocabSize) {
                logits[token] += bias.floatValue();
            }
        });
        penalize(logits, vocabSize, history, length);
        if (options.dry().multiplier() > 0 && options.dry().penaltyLastN() != 0) {
            dry.apply(logits, history, length);
        }
        if (options.temperature() == 0) {
            int best = argmax(logits, vocabSize);
            refuseImpossible(logits[best] == Float.NEGATIVE_INFINITY);
            return best;
        }
        candidates.reset(logits, vocabSize);
        refuseImpossible(candidates.size() == 0);
        for (SamplerStep step : steps) {
            step.apply(candidates, random);
        }
        return draw();
    }

    private static void refuseImpossible(boolean impossible) {
        if (impossible) {
            throw new EngineException(
                    "The model holds every token that the constraint allows for impossible; expected a"
                            + " finite logit for one of them. Loosen the constraint, or verify the model file.");
        }
    }

    private int draw() {
        candidates.softmax();
        double target = random.nextDouble();
        double total = 0;
        for (int i = 0; i < candidates.size(); i++) {
            total += candidates.probability(i);
            if (target < total) {
                return candidates.id(i);
            }
        }
        // Rounding left the total just under the target.
        return candidates.id(candidates.size() - 1);
    }

    private void penalize(float[] logits, int vocabSize, int[] history, int length) {
        boolean neutral =
                options.repeatPenalty() == 1 && options.frequencyPenalty() == 0 && options.presencePenalty() == 0;
        int window = options.penaltyLastN() < 0 ? length : Math.min(length, options.penaltyLastN());
        if (neutral || window == 0) {
            return;
        }
        if (counts.length < vocabSize) {
            counts = new int[vocabSize];
        }
        for (int i = length - window; i < length; i++) {
            counts[history[i]]++;
        }
        for (int i = length - window; i < length; i++) {
            int token = history[i];
            int count = counts[token];
            if (count == 0) {
                continue;
            }
            counts[token] = 0;
            float logit = logits[token];
            logit = (float) (logit <= 0 ? logit * options.repeatPenalty() : logit / options.repeatPenalty());
            logits[token] = (float) (logit - (count * options.frequencyPenalty() + options.presencePenalty()));
        }
    }

    private static void refuseBrokenLogits(float[] logits, int vocabSize) {
        float sum = 0;
        for (int i = 0; i < vocabSize; i++) {
            sum += logits[i] * 0f;
        }
        // NaN and infinities times zero are NaN. Minus infinity is legal (a masked token), so look closer then.
        if (sum == 0f) {
            return;
        }
        boolean finite = false;
        for (int i = 0; i < vocabSize; i++) {
            if (Float.isNaN(logits[i]) || logits[i] == Float.POSITIVE_INFINITY) {
                throw new EngineException("The model gave the logit " + logits[i] + " for token " + i
                        + "; expected a finite number. Its weights or the kernels in use are broken: verify the file, "
                        + "or try kernels=scalar.");
            }
            finite |= logits[i] != Float.NEGATIVE_INFINITY;
        }
        if (!finite) {
            throw new EngineException("The model gave no finite logit; expected at least one. Verify the model file.");
        }
    }

    /** The most probable token, the smallest id among equals. */
    public static int argmax(float[] logits, int vocabSize) {
        int best = 0;
        for (int i = 1; i < vocabSize; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }

    /** A token with its natural log probability. */
    public record Scored(int token, double logProbability) {}

    /**
     * Log probabilities before any step of the chain.
     *
     * @return the chosen token first, then the {@code n} most probable ones, best first
     */
    public static List<Scored> logProbabilities(float[] logits, int vocabSize, int chosen, int n) {
        double max = logits[argmax(logits, vocabSize)];
        double sum = 0;
        for (int i = 0; i < vocabSize; i++) {
            sum += Math.exp(logits[i] - max);
        }
        double logSum = max + Math.log(sum);
        List<Scored> result = new ArrayList<>(n + 1);
        result.add(new Scored(chosen, logits[chosen] - logSum));
        if (n == 0) {
            return result;
        }
        Candidates best = new Candidates();
        best.reset(Arrays.copyOf(logits, vocabSize), vocabSize);
        best.keepTop(Math.min(n, vocabSize));
        for (int i = 0; i < Math.min(n, best.size()); i++) {
            result.add(new Scored(best.id(i), best.logit(i) - logSum));
        }
        return result;
    }
}
