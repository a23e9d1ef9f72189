package org.bloomery.javaengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.CompletionRequest;
import org.bloomery.engine.ContextLengthExceededException;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineClosedException;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.TokenLogProbability;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolSpec;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.GgufWriter;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.sampling.SamplingOptions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole path on the demo model: template, tokenizer, scheduler, backend, sampler, parser. */
@Timeout(120)
class EngineTest {

    private static final Path MODEL = Path.of(System.getProperty("bloomery.demo.model"));
    private static final GenerationOptions GREEDY =
            GenerationOptions.DEFAULT.withSampling(SamplingOptions.GREEDY).withMaxTokens(60);
    private static final ToolSpec WEATHER = new ToolSpec(
            "get_weather",
            "Get the current weather in a city",
            "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}");

    private static Engine engine;

    @BeforeAll
    static void open() {
        engine = Engine.open(EngineOptions.builder(MODEL).build(), LoadProgress.NONE);
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static ChatRequest ask(String question) {
        return new ChatRequest(List.of(ChatMessage.user(question)), GREEDY);
    }

    /** An answer that only its limits end: the end of generation is made impossible. */
    private static CompletionRequest endless(int maxTokens) {
        SamplingOptions sampling = new SamplingOptions(
                0,
                0,
                1,
                0,
                1,
                0,
                1,
                0,
                0,
                SamplingOptions.Dry.OFF,
                SamplingOptions.Xtc.OFF,
                Map.of(
                        engine.tokenizer().idOf("<|im_end|>"), -100.0,
                        engine.tokenizer().idOf("<|endoftext|>"), -100.0),
                null);
        return new CompletionRequest(
                "Once upon a time",
                GenerationOptions.DEFAULT.withSampling(sampling).withMaxTokens(maxTokens));
    }

    @Test
    void answersAndCountsTokens() {
        ChatRequest request = ask("Hello!");

        Completion completion = engine.generate(request, GenerationSink.NONE);

        assertThat(completion.text()).isNotBlank().doesNotContain("<|im_end|>");
        assertThat(completion.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(completion.usage().promptTokens()).isEqualTo(engine.countTokens(request));
        assertThat(completion.usage().completionTokens()).isBetween(2, 60);
        assertThat(completion.timings().total())
                .isGreaterThanOrEqualTo(completion.timings().timeToFirstToken());
    }

    @Test
    void streamsTheSameTextInPieces() {
        List<String> pieces = new ArrayList<>();

        Completion completion = engine.generate(ask("Tell me a story."), new GenerationSink() {
            @Override
            public boolean onText(String delta) {
                pieces.add(delta);
                return true;
            }
        });

        assertThat(pieces).hasSizeGreaterThan(3);
        assertThat(String.join("", pieces)).isEqualTo(completion.text());
    }

    @Test
    void remembersTheFirstTurnAndReusesItsCache() {
        List<ChatMessage> conversation = new ArrayList<>(List.of(ChatMessage.user("My name is Sofia.")));
        Completion first = engine.generate(new ChatRequest(conversation, GREEDY), GenerationSink.NONE);
        conversation.add(ChatMessage.assistant(first.text()));
        conversation.add(ChatMessage.user("What is my name?"));

        Completion second = engine.generate(new ChatRequest(conversation, GREEDY), GenerationSink.NONE);

        assertThat(second.text()).contains("Sofia");
        assertThat(second.usage().cachedTokens()).isGreaterThan(first.usage().promptTokens());
    }

    @Test
    void asksForAToolAndAnswersFromItsResult() {
        List<ChatMessage> conversation = new ArrayList<>(List.of(ChatMessage.user("What is the weather in Paris?")));

        Completion call = engine.generate(new ChatRequest(conversation, List.of(WEATHER), GREEDY), GenerationSink.NONE);

        assertThat(call.finishReason()).isEqualTo(FinishReason.TOOL_CALLS);
        assertThat(call.toolCalls()).singleElement().satisfies(toolCall -> {
            assertThat(toolCall.name()).isEqualTo("get_weather");
            assertThat(toolCall.arguments()).contains("Paris");
            assertThat(toolCall.id()).matches("[0-9a-z]{9}");
        });
        assertThat(call.text()).isBlank();

        conversation.add(ChatMessage.assistant(call.text(), call.reasoning(), call.toolCalls()));
        conversation.add(ChatMessage.toolResult(
                call.toolCalls().getFirst().id(), "get_weather", "{\"temperature\": 17, \"condition\": \"rain\"}"));
        Completion answer =
                engine.generate(new ChatRequest(conversation, List.of(WEATHER), GREEDY), GenerationSink.NONE);

        assertThat(answer.text()).contains("17");
        assertThat(answer.finishReason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void answersTheSameAloneAndBesideOthers() {
        List<String> questions = List.of(
                "Hello!", "Who are you?", "Tell me a story.", "What is the capital of France?", "Count to five.");
        List<String> alone = questions.stream()
                .map(q -> engine.generate(ask(q), GenerationSink.NONE).text())
                .toList();

        List<Generation> together = questions.stream()
                .map(q -> engine.submit(ask(q), GenerationSink.NONE))
                .toList();

        assertThat(together.stream().map(g -> g.await().text()).toList()).isEqualTo(alone);
    }

    @Test
    void repeatsItselfWithASeed() {
        GenerationOptions options = GenerationOptions.DEFAULT
                .withSampling(SamplingOptions.DEFAULT.withTemperature(1.5).withSeed(11L))
                .withMaxTokens(30);
        CompletionRequest request = new CompletionRequest("Once", options);

        String first = engine.generate(request, GenerationSink.NONE).text();

        assertThat(engine.generate(request, GenerationSink.NONE).text()).isEqualTo(first);
    }

    /**
     * The Vector API adds up lanes in another order before it is compiled than after, so that an answer is compared only
     * where it is the same before and after those others.
     */
    @Test
    void aSeededAnswerIsTheSameAloneAndBesideOthers() {
        Assumptions.assumeTrue(
                engine.stats().backend().kernels().startsWith("machine"),
                "Other kernels add up a token beside others in another order than alone.");
        int compared = 0;
        for (long seed = 1; compared < 4 && seed <= 40; seed++) {
            ChatRequest story = new ChatRequest(
                    List.of(ChatMessage.user("Tell me a story.")),
                    new GenerationOptions(
                            SamplingOptions.DEFAULT.withTemperature(1.2).withSeed(seed), 60, List.of(), null, 2));
            Completion before = engine.generate(story, GenerationSink.NONE);
            List<Generation> others = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                others.add(engine.submit(ask("Tell me a story about " + i + " goats."), GenerationSink.NONE));
            }
            Generation beside = engine.submit(story, GenerationSink.NONE);
            for (int i = 4; i < 8; i++) {
                others.add(engine.submit(ask("Count from " + i + " to 20."), GenerationSink.NONE));
            }
            others.forEach(Generation::await);
            Completion after = engine.generate(story, GenerationSink.NONE);
            // The first ones only warm up
            if (seed > 8 && before.logProbabilities().equals(after.logProbabilities())) {
                compared++;
                assertThat(beside.await().text()).as("seed %d", seed).isEqualTo(before.text());
            }
        }
        assertThat(compared).isPositive();
    }

    @Test
    void refusesAPromptLongerThanTheContextWithBothNumbers() {
        String text = "word ".repeat(3000);

        assertThatThrownBy(() -> engine.submit(ask(text), GenerationSink.NONE))
                .isInstanceOfSatisfying(ContextLengthExceededException.class, e -> {
                    assertThat(e.promptTokens()).isGreaterThan(2048);
                    assertThat(e.contextLength()).isEqualTo(2048);
                })
                .hasMessageNotContaining("word");
    }

    @Test
    void refusesMaxTokensThatDoNotFitBesideThePrompt() {
        ChatRequest request = ask("Hello!");
        int prompt = engine.countTokens(request);
        GenerationOptions fits = GREEDY.withMaxTokens(2048 - prompt);
        GenerationOptions tooMany = GREEDY.withMaxTokens(2048 - prompt + 1);

        assertThat(engine.generate(new ChatRequest(request.messages(), fits), GenerationSink.NONE)
                        .finishReason())
                .isEqualTo(FinishReason.STOP);
        assertThatThrownBy(() -> engine.submit(new ChatRequest(request.messages(), tooMany), GenerationSink.NONE))
                .isInstanceOf(ContextLengthExceededException.class);
    }

    @Test
    void refusesAnEmptyPrompt() {
        assertThatThrownBy(() -> engine.submit(new CompletionRequest("", GREEDY), GenerationSink.NONE))
                .isInstanceOf(InvalidOptionException.class);
    }

    @Test
    void endsAtAStopStringAndLeavesItOut() {
        String whole =
                engine.generate(ask("Tell me a story."), GenerationSink.NONE).text();
        String stop = whole.substring(whole.length() / 2, whole.length() / 2 + 5);
        GenerationOptions options = new GenerationOptions(SamplingOptions.GREEDY, 60, List.of(stop), null, null);

        Completion cut = engine.generate(
                new ChatRequest(List.of(ChatMessage.user("Tell me a story.")), options), GenerationSink.NONE);

        assertThat(cut.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
        assertThat(cut.finishReason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void endsAtMaxTokens() {
        Completion completion = engine.generate(endless(5), GenerationSink.NONE);

        assertThat(completion.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(completion.usage().completionTokens()).isEqualTo(5);
    }

    @Test
    void endsWhenTheSinkWantsNoMore() {
        AtomicInteger pieces = new AtomicInteger();

        Completion completion = engine.generate(endless(500), new GenerationSink() {
            @Override
            public boolean onText(String delta) {
                return pieces.incrementAndGet() < 3;
            }
        });

        assertThat(completion.finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(pieces).hasValue(3);
    }

    @Test
    void endsWhenCancelledAndFreesItsSlot() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        Generation generation = engine.submit(endless(1500), new GenerationSink() {
            @Override
            public boolean onText(String delta) {
                begun.countDown();
                return true;
            }
        });
        assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();

        generation.cancel();

        assertThat(generation.await().finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(generation.await().text()).isNotEmpty();
    }

    @Test
    void endsAtItsDeadline() {
        CompletionRequest endless = endless(1500);
        GenerationOptions options =
                new GenerationOptions(endless.options().sampling(), 1500, List.of(), Duration.ofMillis(50), null);

        Completion completion = engine.generate(new CompletionRequest(endless.prompt(), options), GenerationSink.NONE);

        assertThat(completion.finishReason()).isEqualTo(FinishReason.DEADLINE);
    }

    @Test
    void failsOnlyTheRequestWhoseSinkThrows() {
        GenerationSink broken = new GenerationSink() {
            @Override
            public boolean onText(String delta) {
                throw new IllegalStateException("broken sink");
            }
        };

        Generation failing = engine.submit(ask("Hello!"), broken);
        Generation healthy = engine.submit(ask("Hello!"), GenerationSink.NONE);

        assertThatThrownBy(failing::await).isInstanceOf(IllegalStateException.class);
        assertThat(healthy.await().finishReason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void reportsLogProbabilitiesOfEveryTokenAndItsAlternatives() {
        GenerationOptions options = new GenerationOptions(SamplingOptions.GREEDY, 5, List.of(), null, 3);

        Completion completion = engine.generate(new CompletionRequest("Once upon a", options), GenerationSink.NONE);

        assertThat(completion.logProbabilities()).isNotEmpty().allSatisfy(token -> {
            assertThat(token.top()).hasSize(3);
            assertThat(token.logProbability()).isEqualTo(token.top().getFirst().logProbability());
            assertThat(token.top().stream()
                            .mapToDouble(t -> Math.exp(t.logProbability()))
                            .sum())
                    .isBetween(0.0, 1.0 + 1e-6);
        });
        assertThat(completion.logProbabilities().stream()
                        .map(TokenLogProbability::text)
                        .reduce("", String::concat))
                .isEqualTo(completion.text());
    }

    @Test
    void putsTheBeginTokenBeforeEveryPromptOnce(@TempDir Path folder) throws IOException {
        Path wanting = folder.resolve("bos.gguf");
        try (ModelFile file = GgufReader.open(MODEL, LoadMode.MAP)) {
            GgufWriter writer = new GgufWriter()
                    .copy(file.metadata(), key -> true)
                    .bool("tokenizer.ggml.add_bos_token", true)
                    .uint32("tokenizer.ggml.bos_token_id", engine.tokenizer().idOf("<|endoftext|>"));
            for (TensorInfo tensor : file.tensors()) {
                writer.tensor(tensor.name(), tensor.type(), tensor.shape(), file.data(tensor));
            }
            writer.write(wanting);
        }
        CompletionRequest completion = new CompletionRequest("Once", GREEDY);
        try (Engine begins = Engine.open(EngineOptions.builder(wanting).build(), LoadProgress.NONE)) {
            assertThat(begins.countTokens(completion)).isEqualTo(engine.countTokens(completion) + 1);
            assertThat(begins.countTokens(ask("Hello!"))).isEqualTo(engine.countTokens(ask("Hello!")) + 1);
        }
        EngineOptions writing = EngineOptions.builder(wanting)
                .chatTemplate("{{ bos_token }}{{ messages[0].content }}")
                .build();
        try (Engine begins = Engine.open(writing, LoadProgress.NONE)) {
            assertThat(begins.countTokens(ask("Once"))).isEqualTo(engine.countTokens(completion) + 1);
        }
    }

    @Test
    void controlTokensInUserTextAreOrdinaryCharacters() {
        int plain = engine.countTokens(ask("x"));

        assertThat(engine.countTokens(ask("<|im_end|>"))).isGreaterThan(plain + 2);
    }

    @Test
    void refusesMoreThanItsQueueHolds() {
        EngineOptions options = EngineOptions.builder(MODEL)
                .maxSequences(1)
                .queueCapacity(1)
                .threads(1)
                .build();
        try (Engine small = Engine.open(options, LoadProgress.NONE)) {
            List<Generation> accepted = List.of(
                    small.submit(endless(1500), GenerationSink.NONE), small.submit(ask("Hi"), GenerationSink.NONE));

            assertThatThrownBy(() -> small.submit(ask("Hi"), GenerationSink.NONE))
                    .isInstanceOf(EngineOverloadedException.class)
                    .hasMessageContaining("queue of 1");
            assertThat(small.stats().refusedRequests()).isEqualTo(1);
            accepted.forEach(Generation::cancel);
            accepted.forEach(
                    generation -> assertThat(generation.await().finishReason()).isEqualTo(FinishReason.CANCELLED));
        }
    }

    @Test
    void closingEndsWhatRunsAndRefusesWhatComes() {
        Engine closing = Engine.open(EngineOptions.builder(MODEL).build(), LoadProgress.NONE);
        Generation running = closing.submit(endless(1500), GenerationSink.NONE);

        closing.close();
        closing.close();

        assertThat(running.await().finishReason()).isEqualTo(FinishReason.SHUTDOWN);
        assertThatThrownBy(() -> closing.submit(ask("Hi"), GenerationSink.NONE))
                .isInstanceOf(EngineClosedException.class);
    }

    @Test
    void aSinkMayCloseTheEngineThatCallsIt() {
        Engine closing = Engine.open(EngineOptions.builder(MODEL).build(), LoadProgress.NONE);

        Completion completion = closing.generate(endless(1500), new GenerationSink() {
            @Override
            public boolean onText(String delta) {
                closing.close();
                return true;
            }
        });

        assertThat(completion.finishReason()).isEqualTo(FinishReason.SHUTDOWN);
    }

    @Test
    void drainingWaitsForWhatRuns() {
        try (Engine draining = Engine.open(EngineOptions.builder(MODEL).build(), LoadProgress.NONE)) {
            Generation running = draining.submit(ask("Tell me a story."), GenerationSink.NONE);

            assertThat(draining.drain(Duration.ofSeconds(60))).isTrue();
            assertThat(running.await().finishReason()).isEqualTo(FinishReason.STOP);
            assertThatThrownBy(() -> draining.submit(ask("Hi"), GenerationSink.NONE))
                    .isInstanceOf(EngineClosedException.class);
        }
    }

    @Test
    void refusesAContextLongerThanTheModelWasTrainedFor() {
        EngineOptions options = EngineOptions.builder(MODEL).contextLength(4096).build();

        assertThatThrownBy(() -> Engine.open(options, LoadProgress.NONE))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("4096")
                .hasMessageContaining("2048");
    }

    @Test
    void reportsWhatWasLoadedHowAndWhy() {
        assertThat(String.join("\n", engine.report()))
                .contains(
                        "Bloomery Demo",
                        "qwen3",
                        "4.5 million parameters",
                        "Q8_0",
                        "2048",
                        "Backend java",
                        "thread",
                        "Kernels ",
                        "Memory");
    }
}
