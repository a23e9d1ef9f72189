package org.bloomery.spring.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.observation.ObservationRegistry;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.TokenLogProbability;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolCall;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.metadata.Usage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.MessageAggregator;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.function.FunctionToolCallback;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.util.MimeTypeUtils;
import reactor.core.publisher.BaseSubscriber;
import reactor.test.StepVerifier;

@NullUnmarked // What is null unexpectedly fails a test anyway.
class BloomeryChatModelTest {

    private static final ToolCallback WEATHER = FunctionToolCallback.builder(
                    "weather", (Map<String, Object> in) -> "sun")
            .description("Weather of a town")
            .inputSchema("{\"type\":\"object\"}")
            .inputType(Map.class)
            .build();

    private static BloomeryChatModel model(ScriptedEngine engine, BloomeryChatOptions options) {
        return new BloomeryChatModel(engine, "tiny", options, ObservationRegistry.NOOP, null);
    }

    private static BloomeryChatModel model(ScriptedEngine engine) {
        return model(engine, BloomeryChatOptions.builder().build());
    }

    private static Prompt prompt() {
        return new Prompt("Hi");
    }

    // Calls

    @Test
    void callAnswersWithTextFinishReasonUsageAndNames() {
        ChatResponse response = model(ScriptedEngine.saying("Hel", "lo")).call(prompt());
        assertThat(response.getResult().getOutput().getText()).isEqualTo("Hello");
        assertThat(response.getResult().getMetadata().getFinishReason()).isEqualTo("STOP");
        assertThat(response.getMetadata().getId()).isEqualTo("answer-1");
        assertThat(response.getMetadata().getModel()).isEqualTo("tiny");
        assertUsage(response.getMetadata().getUsage());
        assertThat(response.getMetadata().<Object>get(BloomeryChatModel.TIMINGS))
                .isEqualTo(ScriptedEngine.TIMINGS);
        assertThat(response.hasToolCalls()).isFalse();
    }

    @Test
    void callTellsToolCallsReasoningAndLogProbabilities() {
        TokenLogProbability token = new TokenLogProbability(4, "x", -0.5, List.of());
        ScriptedEngine engine = new ScriptedEngine(answer -> {
            answer.reasoning("hm, ");
            answer.reasoning("weather");
            answer.end(
                    FinishReason.TOOL_CALLS,
                    List.of(token),
                    new ToolCall("c1", "weather", "{\"town\":\"Oslo\"}"),
                    new ToolCall("c2", "weather", "{\"town\":\"Rome\"}"));
        });
        ChatResponse response = model(engine).call(prompt());
        assertThat(response.getResult().getOutput().getToolCalls())
                .containsExactly(
                        new AssistantMessage.ToolCall("c1", "function", "weather", "{\"town\":\"Oslo\"}"),
                        new AssistantMessage.ToolCall("c2", "function", "weather", "{\"town\":\"Rome\"}"));
        assertThat(response.getResult().getOutput().getMetadata())
                .containsEntry(BloomeryChatModel.REASONING, "hm, weather");
        assertThat(response.getResult().getMetadata().<Object>get(BloomeryChatModel.LOG_PROBABILITIES))
                .isEqualTo(List.of(token));
        assertThat(response.getResult().getMetadata().getFinishReason()).isEqualTo("TOOL_CALLS");
    }

    @Test
    void callThrowsWhatTheEngineThrows() {
        ScriptedEngine engine = new ScriptedEngine(answer -> {
            throw new EngineOverloadedException("The queue is full.");
        });
        assertThatThrownBy(() -> model(engine).call(prompt())).isInstanceOf(EngineOverloadedException.class);
    }

    @Test
    void anInterruptCancelsACall() throws Exception {
        ScriptedEngine engine = new ScriptedEngine(answer -> {
            answer.text("Once ");
            answer.awaitCancel();
            answer.end(FinishReason.CANCELLED);
        });
        BloomeryChatModel model = model(engine);
        boolean[] flag = new boolean[1];
        Throwable[] thrown = new Throwable[1];
        Thread caller = Thread.ofPlatform().start(() -> {
            try {
                model.call(prompt());
            } catch (RuntimeException e) {
                thrown[0] = e;
                flag[0] = Thread.currentThread().isInterrupted();
            }
        });
        while (engine.answers.isEmpty()) {
            Thread.onSpinWait();
        }
        caller.interrupt();
        caller.join(10_000);
        assertThat(thrown[0]).isInstanceOf(CancellationException.class).hasMessageContaining("answer-1");
        assertThat(flag[0]).isTrue();
        assertThat(engine.answers.getFirst().cancelled.getCount()).isZero();
    }

    // Messages

    @Test
    void mapsEveryKindOfMessage() {
        ScriptedEngine engine = ScriptedEngine.saying("ok");
        AssistantMessage asked = AssistantMessage.builder()
                .content("Let me see.")
                .properties(Map.of(BloomeryChatModel.REASONING, "tool needed"))
                .toolCalls(List.of(
                        new AssistantMessage.ToolCall("c1", "function", "weather", "{\"town\":\"Oslo\"}"),
                        new AssistantMessage.ToolCall("c2", "function", "clock", "")))
                .build();
        ToolResponseMessage answered = ToolResponseMessage.builder()
                .responses(List.of(
                        new ToolResponseMessage.ToolResponse("c1", "weather", "sun"),
                        new ToolResponseMessage.ToolResponse("c2", "clock", "noon")))
                .build();
        model(engine)
                .call(new Prompt(List.of(
                        new SystemMessage("Be brief."),
                        new SystemMessage("Be kind."),
                        new UserMessage("Weather?"),
                        asked,
                        answered,
                        new AssistantMessage("Sunny."),
                        new UserMessage("Thanks"))));
        assertThat(engine.lastRequest().messages())
                .containsExactly(
                        ChatMessage.system("Be brief."),
                        ChatMessage.system("Be kind."),
                        ChatMessage.user("Weather?"),
                        ChatMessage.assistant(
                                "Let me see.",
                                "tool needed",
                                List.of(
                                        new ToolCall("c1", "weather", "{\"town\":\"Oslo\"}"),
                                        new ToolCall("c2", "clock", "{}"))),
                        ChatMessage.toolResult("c1", "weather", "sun"),
                        ChatMessage.toolResult("c2", "clock", "noon"),
                        ChatMessage.assistant("Sunny."),
                        ChatMessage.user("Thanks"));
    }

    @Test
    void anAssistantTurnWithToolCallsOnlyHasEmptyText() {
        ScriptedEngine engine = ScriptedEngine.saying("ok");
        AssistantMessage asked = AssistantMessage.builder()
                .content(null)
                .toolCalls(List.of(new AssistantMessage.ToolCall("c1", "function", "weather", "{}")))
                .build();
        model(engine).call(new Prompt(List.of(new UserMessage("Weather?"), asked)));
        assertThat(engine.lastRequest().messages().getLast().content()).isEmpty();
    }

    @Test
    void refusesMediaAndNamesTheMessageAndTheType() {
        Media image = new Media(MimeTypeUtils.IMAGE_PNG, new ByteArrayResource(new byte[] {1}));
        UserMessage withImage =
                UserMessage.builder().text("My secret picture").media(image).build();
        ScriptedEngine engine = ScriptedEngine.saying("ok");
        Prompt prompt = new Prompt(List.of(new SystemMessage("Look."), withImage));
        assertThatThrownBy(() -> model(engine).call(prompt))
                .isInstanceOf(EngineException.class)
                .hasMessageContainingAll("Message 2 of 2", "user", "image/png", "text only")
                .hasMessageNotContaining("secret");
        StepVerifier.create(model(engine).stream(prompt)).verifyError(EngineException.class);
        assertThat(engine.requests).isEmpty();
    }

    @Test
    void offersToolsAndTemplateArguments() {
        ScriptedEngine engine = ScriptedEngine.saying("ok");
        model(engine)
                .call(new Prompt(
                        "Hi",
                        BloomeryChatOptions.builder()
                                .toolCallbacks(WEATHER)
                                .templateArgument("enable_thinking", false)
                                .build()));
        assertThat(engine.lastRequest().tools()).singleElement().satisfies(tool -> {
            assertThat(tool.name()).isEqualTo("weather");
            assertThat(tool.description()).isEqualTo("Weather of a town");
            assertThat(tool.parameters()).isEqualTo("{\"type\":\"object\"}");
        });
        assertThat(engine.lastRequest().templateArguments()).containsOnly(Map.entry("enable_thinking", false));
    }

    // Options

    @Test
    void ownOptionsAreTakenAsTheyAre() {
        ScriptedEngine engine = ScriptedEngine.saying("ok");
        BloomeryChatOptions defaults = BloomeryChatOptions.builder()
                .temperature(0.1)
                .stopSequences(List.of("A"))
                .build();
        model(engine, defaults).call(new Prompt("Hi", defaults.mutate().topK(9).build()));
        assertThat(engine.lastRequest().options().sampling().topK()).isEqualTo(9);
        assertThat(engine.lastRequest().options().stop()).containsExactly("A");

        model(engine, defaults)
                .call(new Prompt("Hi", BloomeryChatOptions.builder().topK(9).build()));
        assertThat(engine.lastRequest().options().sampling().temperature()).isEqualTo(0.8);
        assertThat(engine.lastRequest().options().stop()).isEmpty();
    }

    @Test
    void aPromptWithoutOptionsGetsTheModels() {
        ScriptedEngine engine = ScriptedEngine.saying("ok");
        BloomeryChatOptions defaults =
                BloomeryChatOptions.builder().temperature(0.1).maxTokens(5).build();
        model(engine, defaults).call(prompt());
        assertThat(engine.lastRequest().options()).isEqualTo(defaults.generationOptions());
    }

    @Test
    void foreignOptionsAreCombinedWithTheModels() {
        ScriptedEngine engine = ScriptedEngine.saying("ok");
        BloomeryChatOptions defaults = BloomeryChatOptions.builder()
                .temperature(0.1)
                .minP(0.3)
                .stopSequences(List.of("A"))
                .build();
        ChatOptions foreign = ToolCallingChatOptions.builder()
                .topP(0.5)
                .stopSequences(List.of("B"))
                .toolCallbacks(WEATHER)
                .build();
        model(engine, defaults).call(new Prompt("Hi", foreign));
        assertThat(engine.lastRequest().options().sampling().temperature()).isEqualTo(0.1);
        assertThat(engine.lastRequest().options().sampling().minP()).isEqualTo(0.3);
        assertThat(engine.lastRequest().options().sampling().topP()).isEqualTo(0.5);
        assertThat(engine.lastRequest().options().stop()).containsExactly("A", "B");
        assertThat(engine.lastRequest().tools()).hasSize(1);
    }

    @Test
    void optionsOfAnUnknownFamilyAreReadByTheirGetters() {
        ScriptedEngine engine = ScriptedEngine.saying("ok");
        model(engine).call(new Prompt("Hi", new ForeignOptions(null, null)));
        assertThat(engine.lastRequest().options().sampling().topK()).isEqualTo(17);
        assertThat(engine.lastRequest().options().maxTokens()).isEqualTo(19);
    }

    @Test
    void aSchemaOfForeignOptionsConstrainsTheAnswer() {
        ScriptedEngine engine = ScriptedEngine.saying("ok");
        model(engine).call(new Prompt("Hi", new ForeignOptions(null, "{}")));
        assertThat(engine.requests.getFirst().options().constraint()).isEqualTo(new Constraint.JsonSchema("{}"));
    }

    @Test
    void anotherModelsNameIsRefusedInEveryKindOfOptions() {
        ScriptedEngine engine = ScriptedEngine.saying("ok");
        for (ChatOptions options : List.of(
                BloomeryChatOptions.builder().model("huge").build(),
                ChatOptions.builder().model("huge").build(),
                new ForeignOptions("huge", null))) {
            assertThatThrownBy(() -> model(engine).call(new Prompt("Hi", options)))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageContainingAll("'model'", "'huge'", "'tiny'");
        }
        model(engine).call(new Prompt("Hi", ChatOptions.builder().model("tiny").build()));
        assertThat(engine.requests).hasSize(1);
    }

    @Test
    void getOptionsIsOursAndNamesTheModel() {
        BloomeryChatOptions options = model(ScriptedEngine.saying()).getOptions();
        assertThat(options.getModel()).isEqualTo("tiny");
        assertThat(options.mutate()).isInstanceOf(BloomeryChatOptions.Builder.class);
    }

    // Streams

    @Test
    void aStreamIsPiecesAndOneLastChunk() {
        List<ChatResponse> chunks = model(ScriptedEngine.saying("Hel", "lo", "")).stream(prompt())
                .collectList()
                .block();
        assertThat(chunks)
                .extracting(chunk -> chunk.getResult().getOutput().getText())
                .containsExactly("Hel", "lo", "", "");
        assertOneLastChunk(chunks, "STOP");
    }

    @Test
    void aStreamWithoutTextIsOneLastChunk() {
        List<ChatResponse> chunks =
                model(ScriptedEngine.saying()).stream(prompt()).collectList().block();
        assertThat(chunks).hasSize(1);
        assertOneLastChunk(chunks, "STOP");
    }

    @Test
    void everyFinishReasonIsTold() {
        for (FinishReason reason : FinishReason.values()) {
            List<ChatResponse> chunks = model(new ScriptedEngine(answer -> {
                        answer.text("a");
                        answer.end(reason);
                    }))
                    .stream(prompt())
                    .collectList()
                    .block();
            assertOneLastChunk(chunks, reason.name());
        }
    }

    @Test
    void toolCallsComeWholeAndOnceInTheLastChunk() {
        List<ChatResponse> chunks = model(new ScriptedEngine(answer -> {
                    answer.text("Let me see.");
                    answer.end(FinishReason.TOOL_CALLS, new ToolCall("c1", "weather", "{\"town\":\"Oslo\"}"));
                }))
                .stream(prompt())
                .collectList()
                .block();
        assertOneLastChunk(chunks, "TOOL_CALLS");
        assertThat(chunks.getFirst().hasToolCalls()).isFalse();
        assertThat(chunks.getLast().getResult().getOutput().getToolCalls())
                .containsExactly(new AssistantMessage.ToolCall("c1", "function", "weather", "{\"town\":\"Oslo\"}"));
    }

    @Test
    void reasoningComesInPiecesAndWholeInTheLastChunk() {
        BloomeryChatModel model = model(new ScriptedEngine(answer -> {
            answer.reasoning("hm, ");
            answer.reasoning("yes");
            answer.text("Yes.");
            answer.end(FinishReason.STOP);
        }));
        List<ChatResponse> chunks = model.stream(prompt()).collectList().block();
        assertThat(chunks)
                .extracting(chunk -> chunk.getResult().getOutput().getMetadata().get(BloomeryChatModel.REASONING))
                .containsExactly("hm, ", "yes", null, "hm, yes");
        ChatResponse[] whole = new ChatResponse[1];
        new MessageAggregator()
                .aggregate(model.stream(prompt()), response -> whole[0] = response)
                .blockLast();
        assertThat(whole[0].getResult().getOutput().getText()).isEqualTo("Yes.");
        assertThat(whole[0].getResult().getOutput().getMetadata())
                .containsEntry(BloomeryChatModel.REASONING, "hm, yes");
        assertThat(whole[0].getMetadata().getUsage().getTotalTokens()).isEqualTo(18);
    }

    @Test
    void errorsComeThroughTheStreamAfterWhatWasWritten() {
        BloomeryChatModel model = model(new ScriptedEngine(answer -> {
            answer.text("a");
            throw new EngineException("The backend broke.");
        }));
        StepVerifier.create(model.stream(prompt())).expectNextCount(1).verifyErrorMessage("The backend broke.");
    }

    @Test
    void refusalsComeThroughTheStreamToo() {
        BloomeryChatModel overloaded = new BloomeryChatModel(
                (request, sink) -> {
                    throw new EngineOverloadedException("The queue is full.");
                },
                "tiny",
                BloomeryChatOptions.builder().build(),
                ObservationRegistry.NOOP,
                null);
        StepVerifier.create(overloaded.stream(prompt())).verifyError(EngineOverloadedException.class);
        Prompt wrongModel = new Prompt("Hi", ChatOptions.builder().model("huge").build());
        StepVerifier.create(overloaded.stream(wrongModel)).verifyError(InvalidOptionException.class);
    }

    @Test
    void everySubscriberGetsAnAnswerOfItsOwn() {
        ScriptedEngine engine = ScriptedEngine.saying("a");
        var stream = model(engine).stream(prompt());
        assertThat(engine.requests).isEmpty();
        String first = stream.blockLast().getMetadata().getId();
        String second = stream.blockLast().getMetadata().getId();
        assertThat(first).isNotEqualTo(second);
    }

    @Test
    void disposingStopsTheGeneration() throws Exception {
        CountDownLatch refused = new CountDownLatch(1);
        ScriptedEngine engine = new ScriptedEngine(answer -> {
            while (answer.text("more ")) {
                LockSupport.parkNanos(100_000);
            }
            refused.countDown();
            answer.end(FinishReason.CANCELLED);
        });
        model(engine).stream(prompt()).take(3).blockLast();
        assertThat(engine.answers.getFirst().cancelled.await(10, TimeUnit.SECONDS))
                .as("cancelled")
                .isTrue();
        assertThat(refused.await(10, TimeUnit.SECONDS)).as("sink refuses more").isTrue();
    }

    @Test
    void disposingBeforeTheFirstTokenStopsTheGeneration() throws Exception {
        CountDownLatch submitted = new CountDownLatch(1);
        ScriptedEngine engine = new ScriptedEngine(answer -> {
            submitted.countDown();
            answer.awaitCancel();
            answer.end(FinishReason.CANCELLED);
        });
        var subscription = model(engine).stream(prompt()).subscribe();
        assertThat(submitted.await(10, TimeUnit.SECONDS)).isTrue();
        subscription.dispose();
        assertThat(engine.answers.getFirst().cancelled.await(10, TimeUnit.SECONDS))
                .isTrue();
    }

    @Test
    void aSubscriberThatBlocksHoldsUpNeitherWorkerNorOthers() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch written = new CountDownLatch(1);
        ScriptedEngine engine = new ScriptedEngine(answer -> {
            for (int i = 0; i < 5_000; i++) {
                answer.text("x");
            }
            written.countDown();
            answer.end(FinishReason.STOP);
        });
        StringBuilder slow = new StringBuilder();
        CountDownLatch done = new CountDownLatch(1);
        model(engine).stream(prompt())
                .doOnNext(chunk -> {
                    try {
                        release.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    slow.append(chunk.getResult().getOutput().getText());
                })
                .doFinally(signal -> done.countDown())
                .subscribe();
        assertThat(written.await(10, TimeUnit.SECONDS)).as("worker is through").isTrue();
        release.countDown();
        assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(slow).hasSize(5_000);
    }

    @Test
    void deliversNoMoreThanWasRequested() {
        ScriptedEngine engine = ScriptedEngine.saying("a", "b", "c", "d");
        StepVerifier.create(model(engine).stream(prompt()), 0)
                .expectSubscription()
                .thenRequest(2)
                .expectNextCount(2)
                .expectNoEvent(java.time.Duration.ofMillis(100))
                .thenRequest(Long.MAX_VALUE)
                .expectNextCount(3)
                .verifyComplete();
    }

    @Test
    void whatASubscriberThrowsEndsItsOwnAnswerOnly() throws Exception {
        ScriptedEngine engine = new ScriptedEngine(answer -> {
            while (answer.text("more ")) {
                LockSupport.parkNanos(100_000);
            }
            answer.end(FinishReason.CANCELLED);
        });
        CountDownLatch failed = new CountDownLatch(1);
        model(engine).stream(prompt()).subscribe(new BaseSubscriber<>() {
            @Override
            protected void hookOnNext(ChatResponse chunk) {
                throw new IllegalStateException("subscriber broke");
            }

            @Override
            protected void hookOnError(Throwable error) {
                failed.countDown();
            }
        });
        assertThat(failed.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(engine.answers.getFirst().cancelled.await(10, TimeUnit.SECONDS))
                .isTrue();
    }

    private static void assertOneLastChunk(List<ChatResponse> chunks, String reason) {
        assertThat(chunks).allSatisfy(chunk -> {
            assertThat(chunk.getMetadata().getId()).isEqualTo("answer-1");
            assertThat(chunk.getMetadata().getModel()).isEqualTo("tiny");
            assertThat(chunk.getResults()).hasSize(1);
        });
        assertThat(chunks.subList(0, chunks.size() - 1)).allSatisfy(chunk -> {
            assertThat(chunk.getResult().getMetadata().getFinishReason()).isNull();
            assertThat(chunk.getMetadata().getUsage().getTotalTokens()).isZero();
        });
        ChatResponse last = chunks.getLast();
        assertThat(last.getResult().getMetadata().getFinishReason()).isEqualTo(reason);
        assertThat(last.getMetadata().<Object>get(BloomeryChatModel.TIMINGS)).isEqualTo(ScriptedEngine.TIMINGS);
        assertUsage(last.getMetadata().getUsage());
    }

    private static void assertUsage(Usage usage) {
        assertThat(usage.getPromptTokens()).isEqualTo(11);
        assertThat(usage.getCompletionTokens()).isEqualTo(7);
        assertThat(usage.getTotalTokens()).isEqualTo(18);
        assertThat(usage.getCacheReadInputTokens()).isEqualTo(5);
        assertThat(usage.getNativeUsage()).isEqualTo(ScriptedEngine.USAGE);
    }

    /** Options whose builder is of another family, as a third party may write them. */
    private record ForeignOptions(String model, String schema) implements StructuredOutputChatOptions {

        @Override
        public String getModel() {
            return model;
        }

        @Override
        public Double getFrequencyPenalty() {
            return null;
        }

        @Override
        public Integer getMaxTokens() {
            return 19;
        }

        @Override
        public Double getPresencePenalty() {
            return null;
        }

        @Override
        public List<String> getStopSequences() {
            return null;
        }

        @Override
        public Double getTemperature() {
            return null;
        }

        @Override
        public Integer getTopK() {
            return 17;
        }

        @Override
        public Double getTopP() {
            return null;
        }

        @Override
        public String getOutputSchema() {
            return schema;
        }

        @Override
        public StructuredOutputChatOptions.Builder<?> mutate() {
            throw new UnsupportedOperationException();
        }
    }
}
