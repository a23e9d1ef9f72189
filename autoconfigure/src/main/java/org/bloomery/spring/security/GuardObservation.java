package org.bloomery.spring.security;

import io.micrometer.common.KeyValues;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What is observed of one guard that judges one prompt or one answer: from its first look to its last, and the hardest thing
 * that it said. Never text, nor what a guard throws, whose message may be text. Used by one thread at a time.
 */
final class GuardObservation {

    /** What a guard says, from mild to hard. */
    private enum Said {
        ALLOW,
        REDACT,
        BLOCK,
        /** Nothing, in its time, which blocks. */
        TIMEOUT
    }

    private static final String VERDICT = "bloomery.verdict";

    private final Observation observation;
    private Said hardest = Said.ALLOW;
    private boolean started;

    /**
     * @param parent what it is a part of, or null for nothing
     * @param stage {@code prompt} or {@code output}
     */
    GuardObservation(ObservationRegistry registry, @Nullable Observation parent, String guard, String stage) {
        observation = registry.isNoop() ? Observation.NOOP : created(registry, parent, guard, stage);
    }

    private static Observation created(
            ObservationRegistry registry, @Nullable Observation parent, String guard, String stage) {
        return Observation.createNotStarted("bloomery.guard", registry)
                .contextualName("guard " + guard)
                .parentObservation(parent)
                .lowCardinalityKeyValues(KeyValues.of(
                        "bloomery.guard.name", guard, "bloomery.guard.stage", stage, VERDICT, word(Said.ALLOW)));
    }

    private static String word(Said said) {
        return switch (said) {
            case ALLOW -> "allow";
            case REDACT -> "redact";
            case BLOCK -> "block";
            case TIMEOUT -> "timeout";
        };
    }

    /** Has the guard judge, so that what it observes itself is a part of this. The task must not throw. */
    Verdict judging(Supplier<Verdict> task) {
        if (observation.isNoop()) {
            return task.get();
        }
        start();
        Verdict verdict = observation.scoped(task);
        switch (verdict) {
            case Verdict.Allow allow -> {}
            case Verdict.Redact redact -> says(Said.REDACT);
            case Verdict.Block block -> says(Said.BLOCK);
        }
        return verdict;
    }

    private void start() {
        if (!started) {
            started = true;
            observation.start();
        }
    }

    /** The guard said nothing in its time. */
    void late() {
        start();
        says(Said.TIMEOUT);
    }

    /** What the guard said could not be done, which blocks. */
    void failed() {
        says(Said.BLOCK);
    }

    private void says(Said said) {
        if (said.compareTo(hardest) > 0) {
            hardest = said;
            observation.lowCardinalityKeyValue(VERDICT, word(said));
        }
    }

    /** The guard has seen all. */
    void stop() {
        if (started) {
            started = false;
            observation.stop();
        }
    }
}
