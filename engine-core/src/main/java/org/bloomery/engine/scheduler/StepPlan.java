package org.bloomery.engine.scheduler;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.bloomery.engine.backend.Batch;

/** Chooses which tokens of which sequences the next step computes. Owned by the worker. */
final class StepPlan {

    private final int batchTokens;
    private final Batch batch;
    private final PrefillPace pace;
    private List<Sequence> sequences = List.of();
    private int[] chunks = {};

    /** @param batchTokens most tokens of a step, at least one for each sequence */
    StepPlan(int batchTokens) {
        this.batchTokens = batchTokens;
        this.batch = new Batch(batchTokens);
        this.pace = new PrefillPace(batchTokens);
    }

    /**
     * Plans a step: one token of each sequence that is writing, then chunks of prompts within the step's budget. Every prompt
     * gets an equal share, and what short ones leave goes to long ones, so a long prompt does not hold up the others.
     */
    void fill(List<Sequence> active) {
        batch.clear();
        sequences = List.copyOf(active);
        chunks = new int[sequences.size()];
        List<Integer> reading = new ArrayList<>();
        for (int i = 0; i < chunks.length; i++) {
            if (sequences.get(i).pending() == 1) {
                chunks[i] = 1;
            } else {
                reading.add(i);
            }
        }
        int writing = chunks.length - reading.size();
        int budget = Math.min(batchTokens - writing, pace.budget(writing > 0));
        reading.sort(Comparator.comparingInt(i -> sequences.get(i).pending()));
        for (int i = 0; i < reading.size(); i++) {
            int sharers = reading.size() - i;
            int share = (budget + sharers - 1) / sharers;
            int chunk = Math.min(sequences.get(reading.get(i)).pending(), Math.min(share, budget));
            chunks[reading.get(i)] = chunk;
            budget -= chunk;
        }
        for (int i = 0; i < chunks.length; i++) {
            Sequence sequence = sequences.get(i);
            int first = sequence.cached();
            for (int position = first; position < first + chunks[i]; position++) {
                batch.add(sequence.tokens()[position], position, sequence.slot(), position == sequence.length() - 1);
            }
        }
    }

    /** What the backend computes. */
    Batch batch() {
        return batch;
    }

    /** The sequences that were active when the step was planned. */
    List<Sequence> sequences() {
        return sequences;
    }

    /** Tokens of the sequence of this index in the step, possibly none. */
    int chunk(int index) {
        return chunks[index];
    }

    /** Tokens of prompts in the step, as long as none of its sequences has been fed. */
    int prefillTokens() {
        int tokens = 0;
        for (int i = 0; i < chunks.length; i++) {
            tokens += sequences.get(i).prefilling() ? chunks[i] : 0;
        }
        return tokens;
    }

    /** Sequences with a token in the step. */
    int working() {
        int working = 0;
        for (int chunk : chunks) {
            working += chunk > 0 ? 1 : 0;
        }
        return working;
    }

    /** Learns from the step that was planned last. */
    void done(long nanos) {
        pace.remember(nanos, chunks, batch.size());
    }
}
