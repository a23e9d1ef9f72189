package org.bloomery.spring.chat;

import io.micrometer.common.KeyValues;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.jspecify.annotations.Nullable;

/**
 * What is observed of a question that an interceptor asks about a request: that it was asked, how long the answer took, and
 * whether it was yes. Never text.
 *
 * @param name the observation's
 * @param contextualName the span's
 * @param keys which of several questions it is
 * @param registry which observes, or not
 */
public record HookObservation(String name, String contextualName, KeyValues keys, ObservationRegistry registry) {

    private static final String VERDICT = "bloomery.verdict";

    /** Whether something may be done: {@code bloomery.authorization}. */
    public static HookObservation authorization(ObservationRegistry registry, String subject) {
        return new HookObservation(
                "bloomery.authorization",
                "authorize " + subject,
                KeyValues.of("bloomery.authorization.subject", subject),
                registry);
    }

    /** Whether a tenant has room for a request: {@code bloomery.admission}. */
    public static HookObservation admission(ObservationRegistry registry) {
        return new HookObservation("bloomery.admission", "admission", KeyValues.empty(), registry);
    }

    /**
     * Asks. The answer is no where it throws.
     *
     * @param parent what it is a part of, or null for nothing
     */
    public void around(@Nullable Observation parent, Runnable question) {
        if (registry.isNoop()) {
            question.run();
            return;
        }
        Observation observation = Observation.createNotStarted(name, registry)
                .contextualName(contextualName)
                .parentObservation(parent)
                .lowCardinalityKeyValues(keys.and(VERDICT, "deny"));
        observation.observe(() -> {
            question.run();
            observation.lowCardinalityKeyValue(VERDICT, "allow");
        });
    }
}
