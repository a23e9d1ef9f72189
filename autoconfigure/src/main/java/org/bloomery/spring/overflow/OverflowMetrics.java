package org.bloomery.spring.overflow;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Locale;

/** Counts overflows in {@code bloomery.overflow}, by outcome and reason. */
public final class OverflowMetrics implements OverflowListener {

    private final MeterRegistry registry;

    public OverflowMetrics(MeterRegistry registry) {
        this.registry = registry;
        for (OverflowReason reason : OverflowReason.values()) {
            counter(reason, Outcome.ANSWERED); // There from the start, so that a rate can be told
        }
    }

    @Override
    public void overflowed(OverflowReason reason, Outcome outcome) {
        counter(reason, outcome).increment();
    }

    private Counter counter(OverflowReason reason, Outcome outcome) {
        return Counter.builder("bloomery.overflow")
                .description("Requests that the engine did not answer, by what became of them")
                .baseUnit("requests")
                .tag("outcome", outcome.name().toLowerCase(Locale.ROOT))
                .tag("reason", reason.label())
                .register(registry);
    }
}
