package org.bloomery.spring.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineListener;
import org.bloomery.engine.EngineStats;
import org.bloomery.engine.FinishReason;
import org.jspecify.annotations.Nullable;

/** The meters that carry one model's name. Gauges show what the engine does now, so they go when another name takes over. */
final class ModelMeters {

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
    private final MeterRegistry registry;
    private final String model;
    private final Tags tags;
    private final List<Meter> gauges = new ArrayList<>();

    private final Timer queueWait;
    private final Timer step;
    private final Timer grammar;
    private final DistributionSummary batch;
    private final Counter promptTokens;
    private final Counter cachedTokens;
    private final Counter completionTokens;
    private final Counter prefixHits;

    ModelMeters(Engine engine, MeterRegistry registry, String model) {
        this.engine = engine;
        this.registry = registry;
        this.model = model;
        this.tags = Tags.of(MODEL, model);
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
        promptTokens = counter("prompt.tokens", "Tokens of prompts, cached ones included", "tokens");
        cachedTokens = counter("cached.tokens", "Tokens of prompts that were in the cache", "tokens");
        completionTokens = counter("completion.tokens", "Tokens generated", "tokens");
        prefixHits = counter("prefix.hits", "Requests whose prompt began with what the cache held", null);
        addGauges();
    }

    private Counter counter(String name, String description, @Nullable String unit) {
        return Counter.builder("bloomery." + name)
                .description(description)
                .baseUnit(unit)
                .tags(tags)
                .register(registry);
    }

    private void addGauges() {
        gauge(tags, "sequences.active", "Requests being prefilled or decoded", null, s -> s.activeSequences());
        gauge(tags, "queue.depth", "Requests waiting for a sequence", null, s -> s.queuedRequests());
        gauge(tags, "prefill.backlog", "Prompt tokens that are still to be read", "tokens", s -> s.prefillBacklog());
        cache("active", s -> s.cache().active());
        cache("reusable", s -> s.cache().reusable());
        cache("free", s -> s.cache().free());
        gauges.add(TimeGauge.builder(
                        "bloomery.model.load.time",
                        engine,
                        TimeUnit.NANOSECONDS,
                        e -> e.stats().loadTime().toNanos())
                .description("How long opening the model took")
                .tags(tags)
                .register(registry));
    }

    private void cache(String state, ToDoubleFunction<EngineStats> value) {
        gauge(
                tags.and("state", state),
                "cache.tokens",
                "Tokens in the cache: of running requests, left for later ones, and room for more",
                "tokens",
                value);
    }

    private void gauge(
            Tags all, String name, String description, @Nullable String unit, ToDoubleFunction<EngineStats> value) {
        gauges.add(Gauge.builder("bloomery." + name, engine, e -> value.applyAsDouble(e.stats()))
                .description(description)
                .baseUnit(unit)
                .tags(all)
                .register(registry));
    }

    String model() {
        return model;
    }

    /** Another name takes over. */
    void removeGauges() {
        gauges.forEach(registry::remove);
    }

    void refused(EngineListener.Refusal reason) {
        if (reason != EngineListener.Refusal.REPLACED) {
            count("refused", lower(reason.name()));
        }
    }

    /** A request that came before there was any model. */
    static void refusedWithoutModel(MeterRegistry registry, EngineListener.Refusal reason) {
        count(registry, Tags.of(MODEL, "none"), "refused", lower(reason.name()));
    }

    void started(EngineListener.Started request) {
        queueWait.record(request.queued());
        promptTokens.increment(request.promptTokens());
        cachedTokens.increment(request.cachedTokens());
        prefixHits.increment(request.cachedTokens() > 0 ? 1 : 0);
    }

    void stepped(EngineListener.Step done) {
        step.record(done.duration());
        batch.record(done.prefillTokens() + done.decodeTokens());
        completionTokens.increment(done.sampledTokens());
    }

    void ended(EngineListener.Ended request) {
        FinishReason reason = request.finishReason();
        if (reason == null) {
            count("failed", errorType(request.error()));
        } else {
            count(outcome(reason), lower(reason.name()));
        }
        if (!request.grammar().isZero()) {
            grammar.record(request.grammar());
        }
        conventional(request);
    }

    private static String outcome(FinishReason reason) {
        return switch (reason) {
            case STOP, LENGTH, TOOL_CALLS, GUARD -> "completed";
            case CANCELLED -> "cancelled";
            case DEADLINE, SHUTDOWN -> "cut-off";
        };
    }

    private void count(String outcome, String reason) {
        count(registry, tags, outcome, reason);
    }

    private static void count(MeterRegistry registry, Tags tags, String outcome, String reason) {
        Counter.builder("bloomery.requests")
                .description("Requests by how they ended, and why")
                .baseUnit("requests")
                .tags(tags.and("outcome", outcome, "reason", reason))
                .register(registry)
                .increment();
    }

    /** What OpenTelemetry's conventions want of a model server. */
    private void conventional(EngineListener.Ended request) {
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

    private static Duration[] seconds(double... bounds) {
        return Arrays.stream(bounds)
                .mapToObj(bound -> Duration.ofNanos(Math.round(bound * 1e9)))
                .toArray(Duration[]::new);
    }
}
