package org.bloomery.javaengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.assertj.core.groups.Tuple;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.CompletionRequest;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.ContextLengthExceededException;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineClosedException;
import org.bloomery.engine.EngineListener;
import org.bloomery.engine.EngineListener.Operation;
import org.bloomery.engine.EngineListener.Refusal;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.EngineStats;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.ModelNotFoundException;
import org.bloomery.engine.Usage;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.grammar.GrammarException;
import org.bloomery.engine.sampling.SamplingOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an engine tells its listeners about each request. */
@Timeout(120)
class EngineListenerTest {

    private static final Path MODEL = Path.of(System.getProperty("bloomery.demo.model"));
    private static final GenerationOptions GREEDY =
            GenerationOptions.DEFAULT.withSampling(SamplingOptions.GREEDY).withMaxTokens(60);
    private static final ChatRequest HELLO = new ChatRequest(List.of(ChatMessage.user("Hello!")), GREEDY);

    private final Engine engine = Engine.open(
            EngineOptions.builder(MODEL)
                    .contextLength(512)
                    .maxSequences(1)
                    .queueCapacity(1)
                    .build(),
            LoadProgress.NONE);
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final List<EngineListener.Started> started = new CopyOnWriteArrayList<>();
    private final List<EngineListener.Ended> ended = new CopyOnWriteArrayList<>();

    EngineListenerTest() {
        engine.addListener(new EngineListener() {
            @Override
            public void queued(String id, Operation operation, int promptTokens) {
                heard.add("queued " + id + " " + operation + " " + promptTokens);
            }

            @Override
            public void refused(String id, Operation operation, Refusal reason) {
                heard.add("refused " + operation + " " + reason);
            }

            @Override
            public void started(Started request) {
                heard.add("started " + request.id());
                started.add(request);
            }

            @Override
            public void firstToken(String id) {
                heard.add("first " + id);
            }

            @Override
            public void ended(Ended request) {
                heard.add("ended " + request.id());
                ended.add(request);
            }
        });
    }

    @AfterEach
    void close() {
        engine.close();
    }

    /** Its constraint keeps it from ending soon. */
    private static CompletionRequest endless() {
        return new CompletionRequest(
                "Once", GREEDY.withMaxTokens(400).withConstraint(new Constraint.Regex("[a-z ]{2000}")));
    }

    @Test
    void tellsEachLoadBeforeItReturns() {
        List<EngineListener.Loaded> loaded = new CopyOnWriteArrayList<>();
        engine.addListener(new EngineListener() {
            @Override
            public void loading() {
                heard.add("loading");
            }

            @Override
            public void loaded(Loaded model) {
                heard.add("loaded");
                loaded.add(model);
            }
        });
        EngineOptions missing = EngineOptions.builder(Path.of("none-such.gguf")).build();
        assertThatThrownBy(() -> engine.swap(missing, LoadProgress.NONE, Duration.ZERO))
                .isInstanceOf(ModelNotFoundException.class);
        engine.swap(EngineOptions.builder(MODEL).contextLength(256).build(), LoadProgress.NONE, Duration.ZERO);

        assertThat(heard).containsExactly("loading", "loading", "loaded");
        EngineStats now = engine.stats();
        assertThat(loaded)
                .containsExactly(new EngineListener.Loaded(
                        now.model().name(), "java", now.model().fileBytes(), now.loadTime()));
    }

    @Test
    void tellsARequestsWayInOrder() {
        Completion completion = engine.generate(HELLO, GenerationSink.NONE);

        String id = completion.id();
        Usage usage = completion.usage();
        assertThat(heard)
                .containsExactly(
                        "queued " + id + " CHAT " + usage.promptTokens(),
                        "started " + id,
                        "first " + id,
                        "ended " + id);
        assertThat(started)
                .containsExactly(new EngineListener.Started(
                        id, completion.timings().queued(), usage.promptTokens(), usage.cachedTokens()));
        assertThat(ended)
                .containsExactly(new EngineListener.Ended(
                        id, Operation.CHAT, FinishReason.STOP, null, usage, completion.timings(), Duration.ZERO));
    }

    @Test
    void aSinkHearsTheSamePhasesBeforeItsText() {
        List<String> phases = new CopyOnWriteArrayList<>();
        engine.generate(HELLO, new GenerationSink() {
            @Override
            public void onStarted() {
                phases.add("started");
            }

            @Override
            public void onFirstToken() {
                phases.add("first token");
            }

            @Override
            public boolean onText(String delta) {
                phases.add("text");
                return true;
            }

            @Override
            public void onComplete(Completion completion) {
                phases.add("complete");
            }
        });
        assertThat(phases).startsWith("started", "first token", "text").endsWith("text", "complete");
        assertThat(phases).containsOnlyOnce("first token");
    }

    @Test
    void aConstraintsTimeIsTold() {
        engine.generate(
                new CompletionRequest(
                        "Yes or no?", GREEDY.withConstraint(new Constraint.Choices(List.of("yes", "no")))),
                GenerationSink.NONE);
        assertThat(ended.getLast().operation()).isEqualTo(Operation.COMPLETION);
        assertThat(ended.getLast().grammar())
                .isPositive()
                .isLessThan(ended.getLast().timings().total());
    }

    @Test
    void tellsWhyARequestIsRefused() {
        assertThatThrownBy(() -> engine.submit(new CompletionRequest("one ".repeat(600), GREEDY), GenerationSink.NONE))
                .isInstanceOf(ContextLengthExceededException.class);
        assertThatThrownBy(() -> engine.submit(new CompletionRequest("", GREEDY), GenerationSink.NONE))
                .isInstanceOf(InvalidOptionException.class);
        assertThatThrownBy(() -> engine.submit(
                        new CompletionRequest("Once", GREEDY.withConstraint(new Constraint.Regex("("))),
                        GenerationSink.NONE))
                .isInstanceOf(GrammarException.class);
        Generation running = engine.submit(endless(), GenerationSink.NONE);
        Generation waiting = engine.submit(HELLO, GenerationSink.NONE);
        assertThatThrownBy(() -> engine.submit(HELLO, GenerationSink.NONE))
                .isInstanceOf(EngineOverloadedException.class);
        running.cancel();
        waiting.cancel();
        running.await();
        waiting.await();
        engine.close();
        assertThatThrownBy(() -> engine.submit(HELLO, GenerationSink.NONE)).isInstanceOf(EngineClosedException.class);

        assertThat(heard.stream().filter(event -> event.startsWith("refused")))
                .containsExactly(
                        "refused COMPLETION CONTEXT_LENGTH",
                        "refused COMPLETION INVALID",
                        "refused COMPLETION CONSTRAINT",
                        "refused CHAT OVERLOADED",
                        "refused CHAT CLOSED");
        assertThat(engine.stats().refusedRequests()).isEqualTo(5);
    }

    @Test
    void tellsCancelledAndFailedRequestsWithTheirReason() {
        engine.generate(HELLO, new GenerationSink() {
            @Override
            public boolean onText(String delta) {
                return false;
            }
        });
        assertThatThrownBy(() -> engine.generate(HELLO, new GenerationSink() {
                    @Override
                    public boolean onText(String delta) {
                        throw new IllegalStateException("a sink's own trouble");
                    }
                }))
                .isInstanceOf(IllegalStateException.class);

        assertThat(ended)
                .extracting(EngineListener.Ended::finishReason, EngineListener.Ended::error)
                .containsExactly(
                        Tuple.tuple(FinishReason.CANCELLED, null), Tuple.tuple(null, IllegalStateException.class));
        assertThat(ended.getLast().usage().completionTokens()).isPositive();
    }

    @Test
    void figuresTellTheLoadTheStepsAndTheCache() {
        EngineStats before = engine.stats();
        assertThat(before.loadTime()).isPositive();
        assertThat(before.cache().free()).isEqualTo(512);
        assertThat(before.medianStep()).isZero();

        engine.generate(HELLO, GenerationSink.NONE);
        engine.generate(HELLO, GenerationSink.NONE);

        EngineStats after = engine.stats();
        assertThat(after.steps()).isPositive();
        assertThat(after.medianStep()).isPositive();
        assertThat(after.prefixHits()).isEqualTo(1);
        assertThat(after.prefillBacklog()).isZero();
    }
}
