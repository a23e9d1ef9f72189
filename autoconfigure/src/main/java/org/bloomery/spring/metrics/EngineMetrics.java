package org.bloomery.spring.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineListener;
import org.bloomery.engine.EngineStats;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.backend.HostPressure;
import org.jspecify.annotations.Nullable;

/**
 * An engine's figures: OpenTelemetry's {@code gen_ai.server.*} timers with their conventional buckets, and the engine's
 * own meters under {@code bloomery.*}. Every tag has few values: a model's name, an outcome, a reason. Bind it to a
 * registry once; the engine and its meters live as long as each other.
 */
public final class EngineMetrics implements MeterBinder {

    /** Error type of an exception that is not the engine's, such as a subscriber's own. */
    private static final String OTHER_ERROR = "_OTHER";

    private static final String MODEL = "gen_ai.request.model";

    // https://github.com/open-telemetry/semantic-conventions-genai, metrics of model servers
    private static final Duration[] REQUEST_BUCKETS =
            seconds(.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92);
    private static final Duration[] FIRST_TOKEN_BUCKETS =
            seconds(.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10);
    private static final Duration[] OUTPUT_TOKEN_BUCKETS =
            seconds(.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5);

    private static final double[] BATCH_BUCKETS = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192};

    private final Engine engine;

    public EngineMetrics(Engine engine) {
        this.engine = engine;
    }

    private static Duration[] seconds(double... bounds) {
        return Arrays.stream(bounds)
                .mapToObj(bound -> Duration.ofNanos(Math.round(bound * 1e9)))
                .toArray(Duration[]::new);
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        // Whose tags name the model
        engine.whenLoaded(() -> bind(registry));
    }

    private void bind(MeterRegistry registry) {
        String model = engine.model().name();
        Tags tags = Tags.of(MODEL, model);
        bindFigures(registry, tags);
        bindHost(registry);
        engine.addListener(new Recorder(registry, tags));
    }

    private void bindFigures(MeterRegistry registry, Tags tags) {
        gauge(
                registry,
                tags,
                "sequences.active",
                "Requests being prefilled or decoded",
                null,
                s -> s.activeSequences());
        gauge(registry, tags, "queue.depth", "Requests waiting for a sequence", null, s -> s.queuedRequests());
        gauge(
                registry,
                tags,
                "prefill.backlog",
                "Prompt tokens that are still to be read",
                "tokens",
                s -> s.prefillBacklog());
        String cache = "cache.tokens";
        String held = "Tokens in the cache: of running requests, left for later ones, and room for more";
        gauge(
                registry,
                tags.and("state", "active"),
                cache,
                held,
                "tokens",
                s -> s.cache().active());
        gauge(
                registry,
                tags.and("state", "reusable"),
                cache,
                held,
                "tokens",
                s -> s.cache().reusable());
        gauge(
                registry,
                tags.and("state", "free"),
                cache,
                held,
                "tokens",
                s -> s.cache().free());
        counter(
                registry,
                tags,
                "prompt.tokens",
                "Tokens of prompts, cached ones included",
                "tokens",
                s -> s.promptTokens());
        counter(
                registry,
                tags,
                "cached.tokens",
                "Tokens of prompts that were in the cache",
                "tokens",
                s -> s.cachedTokens());
        counter(registry, tags, "completion.tokens", "Tokens generated", "tokens", s -> s.completionTokens());
        counter(
                registry,
                tags,
                "prefix.hits",
                "Requests whose prompt began with what the cache held",
                null,
                s -> s.prefixHits());
        TimeGauge.builder(
                        "bloomery.model.load.time",
                        engine,
                        TimeUnit.NANOSECONDS,
                        e -> e.stats().loadTime().toNanos())
                .description("How long opening the model took")
                .tags(tags)
                .register(registry);
    }

    private void gauge(
            MeterRegistry registry,
            Tags tags,
            String name,
            String description,
            @Nullable String unit,
            ToDoubleFunction<EngineStats> value) {
        Gauge.builder("bloomery." + name, engine, e -> value.applyAsDouble(e.stats()))
                .description(description)
                .baseUnit(unit)
                .tags(tags)
                .register(registry);
    }

    private void counter(
            MeterRegistry registry,
            Tags tags,
            String name,
            String description,
            @Nullable String unit,
            ToDoubleFunction<EngineStats> value) {
        FunctionCounter.builder("bloomery." + name, engine, e -> value.applyAsDouble(e.stats()))
                .description(description)
                .baseUnit(unit)
                .tags(tags)
                .register(registry);
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

    /** Records what happens to requests and steps, on the engine's worker. */
    private static final class Recorder implements EngineListener {

        private final MeterRegistry registry;
        private final Tags tags;
        private final Timer queueWait;
        private final Timer step;
        private final Timer grammar;
        private final DistributionSummary batch;

        Recorder(MeterRegistry registry, Tags tags) {
            this.registry = registry;
            this.tags = tags;
            queueWait = Timer.builder("bloomery.queue.wait")
                    .description("From submission to the first prefill chunk")
                    .serviceLevelObjectives(FIRST_TOKEN_BUCKETS)
                    .tags(tags)
                    .register(registry);
            step = Timer.builder("bloomery.step.duration")
                    .description("One forward pass of all running sequences and the choice of their next tokens")
                    .serviceLevelObjectives(OUTPUT_TOKEN_BUCKETS)
                    .tags(tags)
                    .register(registry);
            grammar = Timer.builder("bloomery.grammar.time")
                    .description("Time that the masks of a constrained answer took")
                    .tags(tags)
                    .register(registry);
            batch = DistributionSummary.builder("bloomery.batch.size")
                    .description("Tokens of one forward pass")
                    .baseUnit("tokens")
                    .serviceLevelObjectives(BATCH_BUCKETS)
                    .tags(tags)
                    .register(registry);
        }

        @Override
        public void refused(String id, Operation operation, Refusal reason) {
            count("refused", lower(reason.name()));
        }

        @Override
        public void started(Started request) {
            queueWait.record(request.queued());
        }

        @Override
        public void stepped(Step done) {
            step.record(done.duration());
            batch.record(done.prefillTokens() + done.decodeTokens());
        }

        @Override
        public void ended(Ended request) {
            FinishReason reason = request.finishReason();
            if (reason == null) {
                count("failed", errorType(request.error()));
            } else {
                count(reason == FinishReason.CANCELLED ? "cancelled" : "completed", lower(reason.name()));
            }
            if (!request.grammar().isZero()) {
                grammar.record(request.grammar());
            }
            conventional(request);
        }

        private void count(String outcome, String reason) {
            Counter.builder("bloomery.requests")
                    .description("Requests by how they ended, and why")
                    .baseUnit("requests")
                    .tags(tags.and("outcome", outcome, "reason", reason))
                    .register(registry)
                    .increment();
        }

        /** What OpenTelemetry's conventions want of a model server. */
        private void conventional(Ended request) {
            Tags common = tags.and(
                    "gen_ai.operation.name",
                    switch (request.operation()) {
                        case CHAT -> "chat";
                        case COMPLETION -> "text_completion";
                    },
                    "gen_ai.provider.name",
                    "bloomery");
            // Prometheus wants the same keys everywhere; "none" is Micrometer's word
            String error = request.error() == null ? "none" : errorType(request.error());
            Timer.builder("gen_ai.server.request.duration")
                    .description("From submission to the last token")
                    .serviceLevelObjectives(REQUEST_BUCKETS)
                    .tags(common.and("error.type", error))
                    .register(registry)
                    .record(request.timings().total());
            int tokens = request.usage().completionTokens();
            if (request.error() != null || tokens == 0) {
                return;
            }
            Timer.builder("gen_ai.server.time_to_first_token")
                    .description("From submission to the first token")
                    .serviceLevelObjectives(FIRST_TOKEN_BUCKETS)
                    .tags(common)
                    .register(registry)
                    .record(request.timings().timeToFirstToken());
            if (tokens > 1) {
                Timer.builder("gen_ai.server.time_per_output_token")
                        .description("Mean time of each token after the first")
                        .serviceLevelObjectives(OUTPUT_TOKEN_BUCKETS)
                        .tags(common)
                        .register(registry)
                        .record(request.timings().decode().dividedBy(tokens - 1));
            }
        }

        private static String errorType(@Nullable Class<? extends RuntimeException> error) {
            return error != null && EngineException.class.isAssignableFrom(error) ? error.getSimpleName() : OTHER_ERROR;
        }

        private static String lower(String name) {
            return name.toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }
}
