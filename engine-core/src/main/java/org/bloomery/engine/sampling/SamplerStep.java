package org.bloomery.engine.sampling;

import java.util.random.RandomGenerator;

/** One step of the chain after the penalties: narrows or reshapes the candidates; always leaves at least one. */
sealed interface SamplerStep {

    void apply(Candidates candidates, RandomGenerator random);

    /** Keeps the k most probable tokens. */
    record TopK(int k) implements SamplerStep {
        @Override
        public void apply(Candidates candidates, RandomGenerator random) {
            candidates.keepTop(k);
        }
    }

    /**
     * Keeps the tokens whose information content is closest to the distribution's entropy, up to a total probability of
     * p. Source: https://arxiv.org/abs/2202.00666.
     */
    record Typical(double p) implements SamplerStep {
        @Override
        public void apply(Candidates candidates, RandomGenerator random) {
            candidates.sort();
            candidates.softmax();
            int size = candidates.size();
            double entropy = 0;
            for (int i = 0; i < size; i++) {
                entropy += information(candidates.probability(i));
            }
            double[] distance = new double[size];
            Integer[] order = new Integer[size];
            for (int i = 0; i < size; i++) {
                double probability = candidates.probability(i);
                distance[i] = probability > 0 ? Math.abs(-Math.log(probability) - entropy) : Double.POSITIVE_INFINITY;
                order[i] = i;
            }
            java.util.Arrays.sort(order, (a, b) -> Double.compare(distance[a], distance[b]));
            int[] kept = new int[size];
            int count = 0;
            double total = 0;
            while (count < size) {
                kept[count] = order[count];
                total += candidates.probability(kept[count]);
                count++;
                if (total > p) {
                    break;
                }
            }
            candidates.keepInOrder(kept, count);
        }

        private static double information(double probability) {
            return probability > 0 ? -probability * Math.log(probability) : 0;
        }
    }

    /** Keeps the smallest set of most probable tokens that together have probability p. */
    record TopP(double p) implements SamplerStep {
        @Override
        public void apply(Candidates candidates, RandomGenerator random) {
            candidates.sort();
            candidates.softmax();
            double total = 0;
            for (int i = 0; i < candidates.size(); i++) {
                total += candidates.probability(i);
                if (total >= p) {
                    candidates.keepFirst(i + 1);
                    return;
                }
            }
        }
    }

    /** Keeps the tokens with at least p times the best one's probability. */
    record MinP(double p) implements SamplerStep {
        @Override
        public void apply(Candidates candidates, RandomGenerator random) {
            candidates.keepAtLeast((float) (candidates.maxLogit() + Math.log(p)));
        }
    }

    /** With some probability, removes all but the least probable of the tokens above the threshold. */
    record ExcludeTopChoices(double probability, double threshold) implements SamplerStep {
        @Override
        public void apply(Candidates candidates, RandomGenerator random) {
            if (random.nextDouble() > probability || candidates.size() < 2) {
                return;
            }
            candidates.sort();
            candidates.softmax();
            int above = 0;
            while (above < candidates.size() && candidates.probability(above) >= threshold) {
                above++;
            }
            if (above > 1) {
                candidates.dropFirst(above - 1);
            }
        }
    }

    /** Divides the logits: below 1 sharpens, above 1 flattens. */
    record Temperature(double temperature) implements SamplerStep {
        @Override
        public void apply(Candidates candidates, RandomGenerator random) {
            candidates.scale(1 / temperature);
        }
    }
}
