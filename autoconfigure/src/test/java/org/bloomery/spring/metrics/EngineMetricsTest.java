package org.bloomery.spring.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.CompletionRequest;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.ContextLengthExceededException;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineListener;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.EngineUnavailableException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.Usage;
import org.bloomery.engine.backend.HostPressure;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.GgufWriter;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.sampling.SamplingOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the meters say after requests to the demo model, and that the dashboard and the documentation know them. */
@Timeout(120)
class EngineMetricsTest {

    private static final Path DASHBOARD = Path.of("..", "docs", "grafana", "bloomery.json");
    private static final Path DOCUMENTATION = Path.of("..", "docs", "operations.md");
    private static final Path DEMO = Path.of(Objects.requireNonNull(System.getProperty("bloomery.demo.model")));
    private static final GenerationOptions GREEDY =
            GenerationOptions.DEFAULT.withSampling(SamplingOptions.GREEDY).withMaxTokens(40);
    private static final String CANARY = "Zanzibar";
    private static final ChatRequest HELLO =
            new ChatRequest(List.of(ChatMessage.user("My name is " + CANARY + ". Hello!")), GREEDY);

    private final Engine engine =
            Engine.open(EngineOptions.builder(DEMO).contextLength(512).build(), LoadProgress.NONE);

    @AfterEach
    void close() {
        engine.close();
    }

    private <R extends MeterRegistry> R bound(R registry) {
        new EngineMetrics(engine).bindTo(registry);
        return registry;
    }

    /** One request of each kind of outcome. */
    private Completion use() {
        Completion completion = engine.generate(HELLO, GenerationSink.NONE);
        engine.generate(
                new CompletionRequest(
                        "Yes or no?", GREEDY.withConstraint(new Constraint.Choices(List.of("yes", "no")))),
                GenerationSink.NONE);
        engine.generate(HELLO, new GenerationSink() {
            @Override
            public boolean onText(String delta) {
                return false;
            }
        });
        assertThatThrownBy(() -> engine.generate(HELLO, new GenerationSink() {
                    @Override
                    public boolean onText(String delta) {
                        throw new IllegalStateException(CANARY);
                    }
                }))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> engine.submit(new CompletionRequest("one ".repeat(600), GREEDY), GenerationSink.NONE))
                .isInstanceOf(ContextLengthExceededException.class);
        // The worker tells the last step after the last request's end
        await().until(() -> engine.stats().activeSequences() == 0);
        return completion;
    }

    @Test
    void conventionalTimersMeasureWhatTheCompletionTells() {
        SimpleMeterRegistry registry = bound(new SimpleMeterRegistry());
        Completion completion = engine.generate(HELLO, GenerationSink.NONE);

        Timer duration = registry.get("gen_ai.server.request.duration")
                .tags(
                        "gen_ai.operation.name",
                        "chat",
                        "gen_ai.provider.name",
                        "bloomery",
                        "gen_ai.request.model",
                        engine.model().name(),
                        "error.type",
                        "none")
                .timer();
        assertThat(duration.count()).isEqualTo(1);
        assertThat(duration.totalTime(TimeUnit.NANOSECONDS))
                .isEqualTo((double) completion.timings().total().toNanos());
        assertThat(registry.get("gen_ai.server.time_to_first_token").timer().totalTime(TimeUnit.NANOSECONDS))
                .isEqualTo((double) completion.timings().timeToFirstToken().toNanos());
        assertThat(registry.get("gen_ai.server.time_per_output_token").timer().totalTime(TimeUnit.NANOSECONDS))
                .isEqualTo((double) completion
                        .timings()
                        .decode()
                        .dividedBy(completion.usage().completionTokens() - 1)
                        .toNanos());
    }

    @Test
    void bucketsAreThoseOfTheConvention() {
        SimpleMeterRegistry registry = bound(new SimpleMeterRegistry());
        engine.generate(HELLO, GenerationSink.NONE);
        assertThat(buckets(registry, "gen_ai.server.request.duration"))
                .containsExactly(.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92);
        assertThat(buckets(registry, "gen_ai.server.time_to_first_token"))
                .containsExactly(.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1.0, 2.5, 5.0, 7.5, 10.0);
        assertThat(buckets(registry, "gen_ai.server.time_per_output_token"))
                .containsExactly(.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1.0, 2.5);
    }

    private static List<Double> buckets(MeterRegistry registry, String timer) {
        return Arrays.stream(registry.get(timer).timer().takeSnapshot().histogramCounts())
                .map(bucket -> bucket.bucket(TimeUnit.SECONDS))
                .toList();
    }

    @Test
    void outcomesAreCountedWithTheirReasons() {
        SimpleMeterRegistry registry = bound(new SimpleMeterRegistry());
        use();
        assertThat(registry.find("bloomery.requests").counters().stream()
                        .collect(Collectors.toMap(
                                counter -> counter.getId().getTag("outcome") + " "
                                        + counter.getId().getTag("reason"),
                                io.micrometer.core.instrument.Counter::count)))
                .containsEntry("completed stop", 2.0)
                .containsEntry("cancelled cancelled", 1.0)
                .containsEntry("failed _OTHER", 1.0)
                .containsEntry("refused context-length", 1.0)
                .hasSize(4);
        assertThat(registry.get("bloomery.grammar.time").timer().count()).isEqualTo(1);
        assertThat(registry.get("bloomery.queue.wait").timer().count()).isEqualTo(4);
    }

    @Test
    void figuresAreThoseOfTheEngine() {
        SimpleMeterRegistry registry = bound(new SimpleMeterRegistry());
        use();
        await().untilAsserted(() -> {
            assertThat(registry.get("bloomery.step.duration").timer().count())
                    .isEqualTo(engine.stats().steps());
            assertThat(registry.get("bloomery.cache.tokens")
                            .tag("state", "reusable")
                            .gauge()
                            .value())
                    .isEqualTo((double) engine.stats().cache().reusable())
                    .isPositive();
        });
        assertThat(registry.get("bloomery.prompt.tokens").counter().count())
                .isEqualTo((double) engine.stats().promptTokens());
        assertThat(registry.get("bloomery.completion.tokens").counter().count())
                .isEqualTo((double) engine.stats().completionTokens());
        assertThat(registry.get("bloomery.cached.tokens").counter().count())
                .isEqualTo((double) engine.stats().cachedTokens());
        assertThat(registry.get("bloomery.prefix.hits").counter().count())
                .isEqualTo((double) engine.stats().prefixHits());
        assertThat(registry.get("bloomery.model.load.time").timeGauge().value(TimeUnit.NANOSECONDS))
                .isCloseTo((double) engine.stats().loadTime().toNanos(), within(1.0));
        assertThat(registry.get("bloomery.sequences.active").gauge().value()).isZero();
        assertThat(registry.get("bloomery.queue.depth").gauge().value()).isZero();
    }

    @Test
    void whatADeadlineCutsOffIsNotCompleted() {
        SimpleMeterRegistry registry = bound(new SimpleMeterRegistry());
        Completion completion = engine.generate(
                new CompletionRequest(
                        "Once",
                        new GenerationOptions(SamplingOptions.GREEDY, 400, List.of(), Duration.ofMillis(20), null)
                                .withConstraint(new Constraint.Regex("[a-z ]{2000}"))),
                GenerationSink.NONE);
        assertThat(completion.finishReason()).isEqualTo(FinishReason.DEADLINE);
        assertThat(registry.get("bloomery.requests")
                        .tags("outcome", "cut-off", "reason", "deadline")
                        .counter()
                        .count())
                .isEqualTo(1);
        assertThat(engine.stats().cutOffRequests()).isEqualTo(1);
        assertThat(engine.stats().completedRequests()).isZero();
    }

    /** The demo model under another name. */
    private static EngineOptions renamed(String name, Path folder) throws IOException {
        Path copy = folder.resolve(name + ".gguf");
        try (ModelFile demo = GgufReader.open(DEMO, LoadMode.MAP)) {
            GgufWriter writer =
                    new GgufWriter().copy(demo.metadata(), key -> true).string("general.name", name);
            for (TensorInfo tensor : demo.tensors()) {
                writer.tensor(tensor.name(), tensor.type(), tensor.shape(), demo.data(tensor));
            }
            writer.write(copy);
        }
        return EngineOptions.builder(copy).contextLength(512).build();
    }

    private static Set<String> names(MeterRegistry registry, String meter) {
        return registry.find(meter).meters().stream()
                .map(each -> String.valueOf(each.getId().getTag("gen_ai.request.model")))
                .collect(Collectors.toSet());
    }

    @Test
    void metersFollowTheNameOfTheModelThatAnswers(@TempDir Path folder) throws Exception {
        SimpleMeterRegistry registry = bound(new SimpleMeterRegistry());
        String first = engine.model().name();
        Usage usage = engine.generate(HELLO, GenerationSink.NONE).usage();
        CountDownLatch writing = new CountDownLatch(1);
        CountDownLatch swapped = new CountDownLatch(1);
        Generation late = engine.submit(HELLO, new GenerationSink() {
            @Override
            public boolean onText(String delta) {
                writing.countDown();
                try {
                    return swapped.await(1, TimeUnit.MINUTES);
                } catch (InterruptedException e) {
                    return false;
                }
            }
        });
        writing.await();
        EngineOptions second = renamed("second", folder);
        engine.addListener(new EngineListener() {
            @Override
            public void loaded(Loaded model) {
                swapped.countDown();
            }
        });

        assertThat(engine.swap(second, LoadProgress.NONE, Duration.ofMinutes(1)))
                .isTrue();
        int prompt = late.await().usage().promptTokens();
        engine.generate(HELLO, GenerationSink.NONE);

        for (String gauge : List.of("sequences.active", "queue.depth", "cache.tokens", "model.load.time")) {
            assertThat(names(registry, "bloomery." + gauge)).as(gauge).containsExactly("second");
        }
        assertThat(registry.get("bloomery.model.load.time").timeGauge().value(TimeUnit.NANOSECONDS))
                .isCloseTo((double) engine.stats().loadTime().toNanos(), within(1.0));
        assertThat(names(registry, "bloomery.prompt.tokens")).containsExactlyInAnyOrder(first, "second");
        Function<String, Double> requests = name -> registry.get("bloomery.requests")
                .tags("gen_ai.request.model", name, "outcome", "completed")
                .counter()
                .count();
        assertThat(requests.apply(first))
                .as("also the one that ended after the swap")
                .isEqualTo(2);
        assertThat(requests.apply("second")).isEqualTo(1);
        assertThat(registry.get("bloomery.prompt.tokens")
                        .tag("gen_ai.request.model", first)
                        .counter()
                        .count())
                .isEqualTo((double) usage.promptTokens() + prompt);

        engine.swap(EngineOptions.builder(DEMO).contextLength(512).build(), LoadProgress.NONE, Duration.ZERO);
        engine.generate(HELLO, GenerationSink.NONE);
        assertThat(names(registry, "bloomery.queue.depth")).containsExactly(first);
        assertThat(requests.apply(first)).isEqualTo(3);
    }

    @Test
    void metersWaitForAModelThatIsLoadedInTheBackground() {
        CountDownLatch bound = new CountDownLatch(1);
        try (Engine later = Engine.openInBackground(
                () -> {
                    try {
                        bound.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return EngineOptions.builder(DEMO).contextLength(512).build();
                },
                LoadProgress.NONE)) {
            SimpleMeterRegistry registry = new SimpleMeterRegistry();
            new EngineMetrics(later).bindTo(registry);
            assertThat(registry.find("bloomery.queue.depth").gauge()).isNull();
            assertThatThrownBy(() -> later.submit(
                            new ChatRequest(List.of(ChatMessage.user("Hello")), GenerationOptions.DEFAULT),
                            GenerationSink.NONE))
                    .isInstanceOf(EngineUnavailableException.class);
            assertThat(registry.get("bloomery.requests")
                            .tags("outcome", "refused", "reason", "unavailable", "gen_ai.request.model", "none")
                            .counter()
                            .count())
                    .isEqualTo(1);
            bound.countDown();
            await().untilAsserted(() ->
                    assertThat(registry.find("bloomery.queue.depth").gauge()).isNotNull());
        }
    }

    @Test
    void everyMetricOfTheDashboardIsScrapedAfterOneRequest() throws IOException {
        PrometheusMeterRegistry registry = bound(new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
        engine.generate(HELLO, GenerationSink.NONE);
        Set<String> scraped = registry.scrape()
                .lines()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.replaceAll("[ {].*", ""))
                .collect(Collectors.toSet());
        String dashboard = Files.readString(DASHBOARD);
        Set<String> shown = new TreeSet<>();
        Matcher name = Pattern.compile("\\b(?:bloomery|gen_ai)_[a-z_]*[a-z]").matcher(dashboard);
        while (name.find()) {
            shown.add(name.group());
        }
        shown.remove("gen_ai_request_model"); // A label
        // Not every machine tells these
        if (HostPressure.now().throttledNanos().isEmpty()) {
            shown.remove("bloomery_cpu_throttled_time_seconds_total");
        }
        if (HostPressure.now().majorFaults().isEmpty()) {
            shown.remove("bloomery_major_page_faults_total");
        }
        assertThat(shown).hasSizeGreaterThan(15);
        assertThat(scraped).containsAll(shown);
    }

    @Test
    void everyMeterIsDocumented() throws IOException {
        SimpleMeterRegistry registry = bound(new SimpleMeterRegistry());
        use();
        String documentation = Files.readString(DOCUMENTATION);
        // A simple registry shows each bucket of a histogram as a meter of its own
        List<Meter> meters = registry.getMeters().stream()
                .filter(meter -> meter.getId().getTag("le") == null)
                .toList();
        assertThat(meters).hasSizeGreaterThan(15).allSatisfy(meter -> {
            assertThat(documentation).contains("| `" + meter.getId().getName() + "` |");
            assertThat(meter.getId().getDescription()).isNotBlank();
        });
    }

    @Test
    void noTextOfPromptOrAnswerIsInAMetric() {
        PrometheusMeterRegistry registry = bound(new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
        Completion completion = use();
        assertThat(completion.text()).isNotBlank();
        assertThat(registry.scrape()).doesNotContain(CANARY).doesNotContain(completion.text());
        assertThat(registry.getMeters().stream()
                        .map(Meter::getId)
                        .flatMap(id -> id.getTags().stream())
                        .map(Tag::getKey)
                        .distinct())
                .containsExactlyInAnyOrder(
                        "gen_ai.request.model",
                        "gen_ai.operation.name",
                        "gen_ai.provider.name",
                        "error.type",
                        "state",
                        "outcome",
                        "reason");
    }
}
