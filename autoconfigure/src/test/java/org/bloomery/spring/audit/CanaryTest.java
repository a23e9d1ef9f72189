package org.bloomery.spring.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.common.KeyValue;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.observation.DefaultMeterObservationHandler;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.CompletionRequest;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.TokenLogProbability;
import org.bloomery.engine.audit.AuditLog;
import org.bloomery.engine.audit.AuditRecord;
import org.bloomery.engine.audit.FsyncPolicy;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.Thinking;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.engine.chat.ToolChoice;
import org.bloomery.engine.chat.ToolSpec;
import org.bloomery.engine.sampling.SamplingOptions;
import org.bloomery.spring.actuate.InferenceEndpoint;
import org.bloomery.spring.chat.BloomeryChatOptions;
import org.bloomery.spring.chat.ScriptedEngine;
import org.bloomery.spring.health.EngineHealthIndicator;
import org.bloomery.spring.health.EngineWatchdog;
import org.bloomery.spring.metrics.EngineMetrics;
import org.bloomery.spring.security.Verdict;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.ai.chat.observation.ChatModelMeterObservationHandler;
import org.springframework.security.authentication.TestingAuthenticationToken;
import org.springframework.security.core.context.SecurityContextHolder;
import tools.jackson.databind.json.JsonMapper;

/**
 * Texts of prompts, answers, tools, options and keys come out nowhere, however a request ends. What is logged is looked at
 * by {@link CanaryWatch}, for this test and all others.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
class CanaryTest {

    private final Endings endings;
    private final PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final ObservationRegistry observations = ObservationRegistry.create();
    private final List<Observation.Context> observed = new CopyOnWriteArrayList<>();
    private final List<Observation.Event> events = new CopyOnWriteArrayList<>();

    CanaryTest() throws IOException {
        endings = new Endings();
        new EngineMetrics(endings.engine()).bindTo(meters);
        observations
                .observationConfig()
                .observationHandler(new DefaultMeterObservationHandler(meters))
                .observationHandler(new ChatModelMeterObservationHandler(meters))
                .observationHandler(new ObservationHandler<>() {
                    @Override
                    public void onStop(Observation.Context context) {
                        observed.add(context);
                    }

                    @Override
                    public void onEvent(Observation.Event event, Observation.Context context) {
                        events.add(event);
                    }

                    @Override
                    public boolean supportsContext(Observation.Context context) {
                        return true;
                    }
                });
    }

    @AfterAll
    void close() {
        endings.close();
    }

    @AfterEach
    void forgetCaller() {
        SecurityContextHolder.clearContext();
    }

    private static AuditRecorder recorder(List<InferenceAuditSink> sinks, boolean content, String tenant) {
        return new AuditRecorder(
                sinks,
                () -> new AuditRecord.Model("demo", null, null),
                () -> tenant,
                () -> "ada",
                Canary.in("hmac-key"),
                content,
                UnaryOperator.identity(),
                !content,
                Clock.systemUTC());
    }

    private static String trace(Throwable error) {
        StringWriter trace = new StringWriter();
        error.printStackTrace(new PrintWriter(trace));
        return trace.toString();
    }

    Stream<Endings.Ending> endings() {
        return endings.all();
    }

    @ParameterizedTest
    @MethodSource("endings")
    void noEndingTells(Endings.Ending ending, @TempDir Path folder) throws IOException {
        SecurityContextHolder.getContext()
                .setAuthentication(new TestingAuthenticationToken("ada", Canary.in("credentials"), "USER"));
        observed.clear();
        List<AuditRecord> records = new CopyOnWriteArrayList<>();
        List<Object> audited = new CopyOnWriteArrayList<>();
        List<Throwable> thrown = new ArrayList<>();
        Path file = folder.resolve("audit.jsonl");
        InferenceAuditSink failing = record -> {
            throw new IllegalStateException("Could not keep " + record.prompt().text());
        };
        try (JsonLinesAuditSink sink = new JsonLinesAuditSink(AuditLog.open(file, FsyncPolicy.NEVER))) {
            AuditEventSink toEvents = new AuditEventSink(audited::add);
            for (Asking asking : Asking.values()) {
                for (boolean content : new boolean[] {false, true}) {
                    AuditRecorder recorder = recorder(
                            content ? List.of(toEvents, failing) : List.of(sink, records::add, toEvents),
                            content,
                            "acme");
                    Throwable error = endings.happens(ending, asking, (principals, tenants) -> recorder, observations);
                    recorder.close();
                    if (error != null) {
                        thrown.add(error);
                    }
                }
            }
        }
        assertThat(audited).hasSize(4);
        assertThat(records).hasSize(2);
        assertThat(Files.readString(file)).contains("\"hmac\"").doesNotContain(Canary.TEXT);
        assertThat(records.toString()).doesNotContain(Canary.TEXT);
        assertThat(audited.toString()).doesNotContain(Canary.TEXT);
        assertThat(thrown).allSatisfy(error -> assertThat(trace(error)).doesNotContain(Canary.TEXT));
        assertThat(observed).allSatisfy(context -> {
            assertThat(context.getName() + context.getContextualName() + keysBesideStopStrings(context))
                    .doesNotContain(Canary.TEXT);
            if (context.getError() != null) {
                assertThat(trace(context.getError())).doesNotContain(Canary.TEXT);
            }
        });
        assertThat(events.toString()).doesNotContain(Canary.TEXT);
    }

    /** Spring AI's own key of stop strings is left as it is. */
    private static List<KeyValue> keysBesideStopStrings(Observation.Context context) {
        return context.getAllKeyValues().stream()
                .filter(key -> !key.getKey().equals("gen_ai.request.stop_sequences"))
                .toList();
    }

    @Test
    void noFigureTells(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("flight.jfr");
        try (Recording recording = new Recording()) {
            for (String event : List.of("ModelLoad", "Request", "Prefill", "Step")) {
                recording.enable("org.bloomery." + event);
            }
            recording.start();
            endings.all()
                    .forEach(ending -> endings.happens(
                            ending,
                            Asking.CALL,
                            (principals, tenants) -> recorder(List.of(), false, "acme"),
                            observations));
            recording.dump(file);
        }
        List<RecordedEvent> recorded = RecordingFile.readAllEvents(file);
        assertThat(recorded)
                .isNotEmpty()
                .allSatisfy(event -> assertThat(event.toString()).doesNotContain(Canary.TEXT));
        assertThat(meters.scrape())
                .contains("gen_ai_client_operation", "bloomery_requests")
                .doesNotContain(Canary.TEXT);
        assertThat(meters.getMeters().stream().map(Meter::getId).map(Meter.Id::toString))
                .isNotEmpty()
                .noneMatch(id -> id.contains(Canary.TEXT));
        JsonMapper json = JsonMapper.shared();
        assertThat(json.writeValueAsString(new InferenceEndpoint(
                                endings.engine(),
                                model -> {
                                    throw new IllegalStateException("Nothing is loaded here.");
                                },
                                Duration.ZERO,
                                () -> null)
                        .inference()))
                .contains("models")
                .doesNotContain(Canary.TEXT);
        assertThat(json.writeValueAsString(
                        new EngineHealthIndicator(endings.engine(), () -> EngineWatchdog.State.HEALTHY).health()))
                .contains("UP")
                .doesNotContain(Canary.TEXT);
    }

    private static final ToolCall CALL = new ToolCall("1", "look", "{\"for\":\"" + Canary.TEXT + "\"}");
    private static final TextSpan SPAN = TextSpan.untrusted(Canary.TEXT);
    private static final ToolSpec TOOL = new ToolSpec("look", Canary.TEXT, "{\"title\":\"" + Canary.TEXT + "\"}");
    private static final ChatMessage MESSAGE = ChatMessage.assistant(Canary.TEXT, Canary.TEXT, List.of(CALL));
    private static final GenerationOptions OPTIONS = new GenerationOptions(
            new SamplingOptions(
                    0.8,
                    40,
                    0.95,
                    0.05,
                    1,
                    64,
                    1,
                    0,
                    0,
                    new SamplingOptions.Dry(0, 1.75, 2, -1, List.of(Canary.TEXT)),
                    SamplingOptions.Xtc.OFF,
                    Map.of(),
                    null),
            9,
            List.of(Canary.TEXT),
            null,
            null,
            new Constraint.JsonSchema("{\"title\":\"" + Canary.TEXT + "\"}"),
            Map.of(Canary.TEXT, 1.0));
    private static final TokenLogProbability PROBABILITY = new TokenLogProbability(1, Canary.TEXT, -1, List.of());

    static final List<Object> PUBLIC_TYPES = List.of(
            CALL,
            SPAN,
            TOOL,
            MESSAGE,
            OPTIONS,
            PROBABILITY,
            new Constraint.Regex(Canary.TEXT),
            new Constraint.Choices(List.of(Canary.TEXT)),
            new Constraint.Gbnf(Canary.TEXT),
            new CompletionRequest(List.of(SPAN), OPTIONS),
            new ChatRequest(
                    List.of(MESSAGE),
                    List.of(TOOL),
                    ToolChoice.AUTO,
                    Thinking.AUTO,
                    Map.of("hint", Canary.TEXT),
                    OPTIONS),
            new Completion(
                    "1",
                    Canary.TEXT,
                    Canary.TEXT,
                    List.of(CALL),
                    FinishReason.STOP,
                    ScriptedEngine.USAGE,
                    ScriptedEngine.TIMINGS,
                    List.of(PROBABILITY)),
            new Verdict.Replacement(0, 1, Canary.TEXT),
            new AuditRecord.Content(1, "ab", Canary.TEXT),
            options(builder -> builder.regex(Canary.TEXT)),
            options(builder -> builder.choices(List.of(Canary.TEXT))),
            options(builder -> builder.grammar(Canary.TEXT)),
            options(builder -> builder.jsonSchema("{\"title\":\"" + Canary.TEXT + "\"}")));

    private static BloomeryChatOptions options(UnaryOperator<BloomeryChatOptions.Builder> change) {
        return change.apply(BloomeryChatOptions.builder()
                        .stopSequences(List.of(Canary.TEXT))
                        .textBias(Map.of(Canary.TEXT, 1.0))
                        .drySequenceBreakers(List.of(Canary.TEXT))
                        .templateArguments(Map.of("hint", Canary.TEXT))
                        .toolContext(Map.of("for", Canary.TEXT)))
                .build();
    }

    @ParameterizedTest
    @FieldSource("PUBLIC_TYPES")
    void noRequestOrAnswerShowsItsText(@Nullable Object given) {
        assertThat(String.valueOf(given)).isNotEmpty().doesNotContain(Canary.TEXT);
    }
}
