package org.bloomery.spring.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineListener;
import org.bloomery.engine.EngineUnavailableException;
import org.bloomery.engine.backend.HostPressure;
import org.jspecify.annotations.Nullable;

/**
 * An engine's figures: OpenTelemetry's {@code gen_ai.server.*} timers with their conventional buckets, and the engine's
 * own meters under {@code bloomery.*}. Every tag has few values: a model's name, an outcome, a reason. Where a model of
 * another name takes over, gauges change to that name, and what was counted under the old one stays. Bind it to a registry
 * once; the engine and its meters live as long as each other.
 */
public final class EngineMetrics implements MeterBinder {

    private final Engine engine;

    public EngineMetrics(Engine engine) {
        this.engine = engine;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        bindHost(registry);
        Recorder recorder = new Recorder(engine, registry);
        engine.addListener(recorder);
        engine.whenLoaded(recorder::follow);
    }

    /** What the machine does to the whole process, where it tells. */
    private void bindHost(MeterRegistry registry) {
        HostPressure now = HostPressure.now();
        host(
                registry,
                now,
                "cpu.throttled.periods",
                "Times that the CPU quota stopped the process",
                "periods",
                1,
                p -> p.throttledPeriods());
        host(
                registry,
                now,
                "cpu.throttled.time",
                "How long the CPU quota stopped the process",
                "seconds",
                1e9,
                p -> p.throttledNanos());
        host(
                registry,
                now,
                "major.page.faults",
                "Pages that had to be read from disk",
                "faults",
                1,
                p -> p.majorFaults());
    }

    private void host(
            MeterRegistry registry,
            HostPressure now,
            String name,
            String description,
            String unit,
            double divisor,
            Function<HostPressure, OptionalLong> value) {
        if (value.apply(now).isEmpty()) {
            return;
        }
        FunctionCounter.builder(
                        "bloomery." + name,
                        engine,
                        e -> value.apply(HostPressure.now()).orElse(0) / divisor)
                .description(description)
                .baseUnit(unit)
                .register(registry);
    }

    /** Records what happens under the name of the model that it happens to. */
    private static final class Recorder implements EngineListener {

        private final Engine engine;
        private final MeterRegistry registry;
        /** Those of the model that answers now; null before there is one. */
        private volatile @Nullable ModelMeters current;
        /** By their ids, those of the model that took each request: it may be replaced before the request ends. */
        private final Map<String, ModelMeters> requests = new ConcurrentHashMap<>();

        Recorder(Engine engine, MeterRegistry registry) {
            this.engine = engine;
            this.registry = registry;
        }

        /** Changes to the name of the model that answers now. */
        synchronized void follow() {
            String model;
            try {
                // Not what an event tells, since two may come in another order than their models
                model = engine.model().name();
            } catch (EngineUnavailableException e) {
                return; // Unloaded again: the next load tells
            }
            ModelMeters known = current;
            if (known != null && known.model().equals(model)) {
                return;
            }
            if (known != null) {
                known.removeGauges();
            }
            current = new ModelMeters(engine, registry, model);
        }

        @Override
        public void loaded(Loaded model) {
            follow();
        }

        @Override
        public void queued(String id, Operation operation, int promptTokens) {
            ModelMeters meters = current;
            if (meters != null) {
                requests.put(id, meters);
            }
        }

        @Override
        public void refused(String id, Operation operation, Refusal reason) {
            ModelMeters meters = last(id);
            if (meters != null) {
                meters.refused(reason);
            } else {
                ModelMeters.refusedWithoutModel(registry, reason);
            }
        }

        @Override
        public void started(Started request) {
            ModelMeters meters = requests.getOrDefault(request.id(), current);
            if (meters != null) {
                meters.started(request);
            }
        }

        /** Steps of a model that was replaced, until its last request has ended, go to its successor. */
        @Override
        public void stepped(Step done) {
            ModelMeters meters = current;
            if (meters != null) {
                meters.stepped(done);
            }
        }

        @Override
        public void ended(Ended request) {
            ModelMeters meters = last(request.id());
            if (meters != null) {
                meters.ended(request);
            }
        }

        private @Nullable ModelMeters last(String id) {
            ModelMeters meters = requests.remove(id);
            return meters != null ? meters : current;
        }
    }
}
