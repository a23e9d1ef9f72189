package org.bloomery.engine.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.grammar.Grammars;
import org.bloomery.engine.grammar.Shape;
import org.bloomery.engine.grammar.TestVocabulary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {

    private static final int[] NO_HISTORY = new int[0];

    /** Everything neutral: draws from the softmax. */
    private static final SamplingOptions NEUTRAL = new SamplingOptions(
            1, 0, 1, 0, 1, 64, 1, 0, 0, SamplingOptions.Dry.OFF, SamplingOptions.Xtc.OFF, Map.of(), 7L);

    private static SamplingOptions with(
            double temperature, int topK, double topP, double minP, double typicalP, SamplingOptions.Xtc xtc) {
        return new SamplingOptions(
                temperature, topK, topP, minP, typicalP, 64, 1, 0, 0, SamplingOptions.Dry.OFF, xtc, Map.of(), 7L);
    }

    private static SamplingOptions penalties(int lastN, double repeat, double frequency, double presence) {
        return new SamplingOptions(
                0,
                0,
                1,
                0,
                1,
                lastN,
                repeat,
                frequency,
                presence,
                SamplingOptions.Dry.OFF,
                SamplingOptions.Xtc.OFF,
                Map.of(),
                7L);
    }

    private static Sampler sampler(SamplingOptions options) {
        return new Sampler(options, SequenceBreakers.NONE, 1);
    }

    /** Probabilities as logits. */
    private static float[] logits(double... probabilities) {
        float[] logits = new float[probabilities.length];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) Math.log(probabilities[i]);
        }
        return logits;
    }

    /** The tokens that come out at all in many draws. */
    private static Set<Integer> drawn(SamplingOptions options, float[] logits) {
        Sampler sampler = sampler(options);
        Set<Integer> drawn = new TreeSet<>();
        for (int i = 0; i < 3000; i++) {
            drawn.add(sampler.sample(logits.clone(), logits.length, NO_HISTORY, 0));
        }
        return drawn;
    }

    @Test
    void drawsWithTheModelsProbabilities() {
        double[] probabilities = {0.5, 0.3, 0.15, 0.05};
        Sampler sampler = sampler(NEUTRAL);
        double[] share = new double[4];
        for (int i = 0; i < 100_000; i++) {
            share[sampler.sample(logits(probabilities), 4, NO_HISTORY, 0)] += 1e-5;
        }
        assertThat(share).containsExactly(probabilities, within(0.01));
    }

    @Test
    void temperatureZeroIsGreedyWhateverTheOtherStepsSay() {
        SamplingOptions odd = with(0, 1, 0.1, 1, 0.1, new SamplingOptions.Xtc(1, 0.01));
        assertThat(sampler(odd).sample(logits(0.2, 0.45, 0.35), 3, NO_HISTORY, 0))
                .isEqualTo(1);
    }

    @Test
    void topKKeepsTheKMostProbable() {
        assertThat(drawn(with(1, 2, 1, 0, 1, SamplingOptions.Xtc.OFF), logits(0.1, 0.4, 0.2, 0.3)))
                .containsExactly(1, 3);
    }

    @Test
    void topPKeepsTheSmallestSetThatReachesP() {
        float[] logits = logits(0.1, 0.4, 0.2, 0.3);
        assertThat(drawn(with(1, 0, 0.65, 0, 1, SamplingOptions.Xtc.OFF), logits))
                .containsExactly(1, 3);
        assertThat(drawn(with(1, 0, 0.75, 0, 1, SamplingOptions.Xtc.OFF), logits))
                .containsExactly(1, 2, 3);
        assertThat(drawn(with(1, 0, 0, 0, 1, SamplingOptions.Xtc.OFF), logits)).containsExactly(1);
    }

    @Test
    void minPKeepsAShareOfTheBest() {
        assertThat(drawn(with(1, 0, 1, 0.6, 1, SamplingOptions.Xtc.OFF), logits(0.1, 0.4, 0.2, 0.3)))
                .containsExactly(1, 3);
    }

    @Test
    void typicalKeepsTokensNearTheEntropy() {
        // Entropy 1.28 nats: -ln p is 0.92, 1.2, 1.6 and 2.3, so 0.3 comes first, then 0.2, then 0.4.
        float[] logits = logits(0.1, 0.4, 0.2, 0.3);
        assertThat(drawn(with(1, 0, 1, 0, 0.25, SamplingOptions.Xtc.OFF), logits))
                .containsExactly(3);
        assertThat(drawn(with(1, 0, 1, 0, 0.45, SamplingOptions.Xtc.OFF), logits))
                .containsExactly(2, 3);
    }

    @Test
    void xtcLeavesTheLeastProbableOfTheTopChoices() {
        float[] logits = logits(0.1, 0.4, 0.2, 0.3);
        assertThat(drawn(with(1, 0, 1, 0, 1, new SamplingOptions.Xtc(1, 0.15)), logits))
                .containsExactly(0, 2);
        assertThat(drawn(with(1, 0, 1, 0, 1, new SamplingOptions.Xtc(1, 0.5)), logits))
                .containsExactly(0, 1, 2, 3);
    }

    @Test
    void temperatureSharpens() {
        Sampler sampler = sampler(with(0.5, 0, 1, 0, 1, SamplingOptions.Xtc.OFF));
        double first = 0;
        for (int i = 0; i < 100_000; i++) {
            first += sampler.sample(logits(0.6, 0.4), 2, NO_HISTORY, 0) == 0 ? 1e-5 : 0;
        }
        assertThat(first).isCloseTo(0.36 / (0.36 + 0.16), within(0.01));
    }

    @Test
    void repeatPenaltyDividesPositiveAndMultipliesNegativeLogits() {
        float[] logits = {2f, 1.5f, -1f};
        assertThat(sampler(penalties(64, 2, 0, 0)).sample(logits, 3, new int[] {0, 2}, 2))
                .isEqualTo(1);
        assertThat(logits).containsExactly(1f, 1.5f, -2f);
    }

    @Test
    void frequencyCountsAndPresenceDoesNot() {
        float[] logits = {2f, 2f, 2f};
        sampler(penalties(64, 1, 0.25, 0.5)).sample(logits, 3, new int[] {0, 0, 1}, 3);
        assertThat(logits).containsExactly(1f, 1.25f, 2f);
    }

    @Test
    void penaltiesLookBackOnTheirWindowOnly() {
        int[] history = {0, 1, 1};
        float[] logits = {2f, 2f, 2f};
        sampler(penalties(2, 1, 0, 1)).sample(logits, 3, history, 3);
        assertThat(logits).containsExactly(2f, 1f, 2f);
        logits = new float[] {2f, 2f, 2f};
        sampler(penalties(-1, 1, 0, 1)).sample(logits, 3, history, 3);
        assertThat(logits).containsExactly(1f, 1f, 2f);
        logits = new float[] {2f, 2f, 2f};
        sampler(penalties(0, 1, 0, 1)).sample(logits, 3, history, 3);
        assertThat(logits).containsExactly(2f, 2f, 2f);
    }

    @Test
    void dryPenalisesTheTokenThatWouldContinueARepetition() {
        // The end "1 2 3" stands at the beginning too, where 4 followed: a repetition of 3.
        int[] history = {1, 2, 3, 4, 5, 1, 2, 3};
        float[] logits = new float[8];
        new DryPenalty(new SamplingOptions.Dry(1, 2, 2, -1, List.of()), SequenceBreakers.NONE)
                .apply(logits, history, history.length);
        assertThat(logits[4]).isEqualTo(-2f);
        logits[4] = 0;
        assertThat(logits).containsOnly(0f);
    }

    @Test
    void dryEqualsThePlainDefinition() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int round = 0; round < 2000; round++) {
            int[] history = random.ints(random.nextInt(40), 0, 3).toArray();
            SamplingOptions.Dry options =
                    new SamplingOptions.Dry(0.8, 1.75, 1 + random.nextInt(3), random.nextInt(45) - 1, List.of());
            float[] logits = new float[3];
            new DryPenalty(options, SequenceBreakers.NONE).apply(logits, history, history.length);
            assertThat(logits)
                    .as("seed %d, history %s, %s", seed, Arrays.toString(history), options)
                    .containsExactly(plainDry(options, history), within(1e-3f));
        }
    }

    private static float[] plainDry(SamplingOptions.Dry options, int[] history) {
        float[] logits = new float[3];
        int window = options.penaltyLastN() < 0 ? history.length : Math.min(history.length, options.penaltyLastN());
        int start = history.length - window;
        for (int token = 0; token < 3; token++) {
            int longest = 0;
            for (int at = start + 1; at < history.length; at++) {
                int common = 0;
                while (at - 1 - common >= start && history[at - 1 - common] == history[history.length - 1 - common]) {
                    common++;
                }
                if (history[at] == token) {
                    longest = Math.max(longest, common);
                }
            }
            if (window > options.allowedLength() && longest >= options.allowedLength()) {
                logits[token] -=
                        (float) (options.multiplier() * Math.pow(options.base(), longest - options.allowedLength()));
            }
        }
        return logits;
    }

    @Test
    void logitBiasMakesAndForbids() {
        SamplingOptions options = new SamplingOptions(
                0,
                0,
                1,
                0,
                1,
                0,
                1,
                0,
                0,
                SamplingOptions.Dry.OFF,
                SamplingOptions.Xtc.OFF,
                Map.of(2, 100.0, 0, -100.0),
                null);
        assertThat(sampler(options).sample(new float[] {3, 2, 1}, 3, NO_HISTORY, 0))
                .isEqualTo(2);
    }

    @Test
    void theSameSeedGivesTheSameTokens() {
        float[] logits = new float[1000];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) Math.sin(i);
        }
        Sampler one = sampler(SamplingOptions.DEFAULT.withSeed(42L));
        Sampler two = sampler(SamplingOptions.DEFAULT.withSeed(42L));
        for (int i = 0; i < 200; i++) {
            assertThat(one.sample(logits.clone(), 1000, NO_HISTORY, 0))
                    .isEqualTo(two.sample(logits.clone(), 1000, NO_HISTORY, 0));
        }
    }

    @Test
    void topKOfALargeVocabularyEqualsSorting() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            int size = 1 + random.nextInt(500);
            float[] logits = new float[size];
            for (int i = 0; i < size; i++) {
                logits[i] = random.nextInt(50);
            }
            int k = 1 + random.nextInt(size + 3);
            Candidates top = new Candidates();
            top.reset(logits, size);
            top.keepTop(k);
            Candidates all = new Candidates();
            all.reset(logits, size);
            all.sort();
            assertThat(top.size()).isEqualTo(Math.min(k, size));
            for (int i = 0; i < top.size(); i++) {
                assertThat(top.id(i)).as("seed %d", seed).isEqualTo(all.id(i));
                assertThat(i == 0 || all.logit(i - 1) >= all.logit(i)).isTrue();
            }
        }
    }

    @Test
    void logProbabilitiesAreThoseOfTheSoftmax() {
        List<Sampler.Scored> scores = Sampler.logProbabilities(logits(0.1, 0.4, 0.2, 0.3), 4, 2, 2);
        assertThat(scores).extracting(Sampler.Scored::token).containsExactly(2, 1, 3);
        assertThat(scores.get(0).logProbability()).isCloseTo(Math.log(0.2), within(1e-6));
        assertThat(scores.get(1).logProbability()).isCloseTo(Math.log(0.4), within(1e-6));
        assertThat(Sampler.logProbabilities(logits(0.5, 0.5), 2, 1, 0)).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void refusesBrokenLogits(float broken) {
        assertThatThrownBy(() -> sampler(NEUTRAL).sample(new float[] {1, broken, 2}, 3, NO_HISTORY, 0))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("token 1");
    }

    @Test
    void neverDrawsAMaskedToken() {
        assertThat(drawn(NEUTRAL, new float[] {1, Float.NEGATIVE_INFINITY, 1})).containsExactly(0, 2);
    }

    @Test
    void optionsNameTheirRange() {
        assertThatThrownBy(() -> with(-1, 0, 1, 0, 1, SamplingOptions.Xtc.OFF))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessage("Option 'temperature' is -1; it must be 0 to 10.");
        assertThatThrownBy(() -> with(Double.NaN, 0, 1, 0, 1, SamplingOptions.Xtc.OFF))
                .hasMessageContaining("NaN");
        assertThatThrownBy(() -> with(1, -1, 1, 0, 1, SamplingOptions.Xtc.OFF))
                .hasMessage("Option 'top-k' is -1; it must be at least 0.");
    }

    private static Sampler constrained(SamplingOptions options, String pattern) {
        return new Sampler(
                options,
                SequenceBreakers.NONE,
                1,
                new Grammars(new TestVocabulary("a", "b", "c")).matcher(new Constraint.Regex(pattern), Shape.ANSWER));
    }

    @Test
    void keepsToItsGrammarWhateverTheModelPrefers() {
        for (SamplingOptions options : List.of(SamplingOptions.GREEDY, SamplingOptions.DEFAULT, NEUTRAL)) {
            for (int round = 0; round < 50; round++) {
                Sampler sampler = constrained(options, "[ab]c");
                float[] first = logits(0.2, 0.5, 0.1, 0.1, 0.05, 0.05);
                assertThat(sampler.sample(first, 6, NO_HISTORY, 0)).isBetween(3, 4);
                assertThat(sampler.complete()).isFalse();
                assertThat(sampler.sample(logits(0.5, 0.3, 0.1, 0.05, 0.05, 1e-9), 6, NO_HISTORY, 0))
                        .isEqualTo(5);
                assertThat(sampler.complete()).isTrue();
            }
        }
    }

    @Test
    void endsOnlyWhereTheGrammarMayEnd() {
        Sampler sampler = constrained(SamplingOptions.GREEDY, "a*");
        assertThat(sampler.sample(logits(0.1, 0.1, 0.1, 0.6, 0.05, 0.05), 6, NO_HISTORY, 0))
                .isEqualTo(3);
        assertThat(sampler.sample(logits(0.1, 0.6, 0.1, 0.1, 0.05, 0.05), 6, NO_HISTORY, 0))
                .isEqualTo(TestVocabulary.END);
    }

    @Test
    void refusesToChooseWhereEveryAllowedTokenIsImpossible() {
        float[] logits = logits(0.5, 0.5, 0, 0, 0, 0);
        for (SamplingOptions options : List.of(SamplingOptions.GREEDY, NEUTRAL)) {
            assertThatThrownBy(() -> constrained(options, "[ab]").sample(logits.clone(), 6, NO_HISTORY, 0))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("constraint");
        }
    }
}
