package org.bloomery.spring.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.bloomery.engine.ContextLengthExceededException;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.Timings;
import org.bloomery.engine.TokenLogProbability;
import org.bloomery.engine.backend.LoadProgress;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.client.advisor.MessageChatMemoryAdvisor;
import org.springframework.ai.chat.memory.ChatMemory;
import org.springframework.ai.chat.memory.MessageWindowChatMemory;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.ai.tool.annotation.ToolParam;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;

/** The chat model over the real engine and the demo model. */
@NullUnmarked // What is null unexpectedly fails a test anyway.
class EngineChatTest {

    private static final int SLOTS = 4;

    private static Engine engine;
    private static BloomeryChatModel model;

    @BeforeAll
    static void open() {
        engine = Engine.open(
                EngineOptions.builder(Path.of(System.getProperty("bloomery.demo.model")))
                        .maxSequences(SLOTS)
                        .contextLength(1024)
                        .build(),
                LoadProgress.NONE);
        model = BloomeryChatModel.builder(engine)
                .options(BloomeryChatOptions.builder()
                        .temperature(0.0)
                        .maxTokens(96)
                        .build())
                .build();
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static Weather weather() {
        return new Weather();
    }

    static final class Weather {

        final List<String> asked = new ArrayList<>();

        @Tool(description = "Get the current weather for a city")
        synchronized Map<String, Object> getWeather(@ToolParam(description = "the city") String city) {
            asked.add(city);
            return Map.of("weather", "sunny", "temperature", 21);
        }
    }

    private static String text(ChatResponse response) {
        return response.getResult().getOutput().getText();
    }

    private static String text(List<ChatResponse> chunks) {
        StringBuilder text = new StringBuilder();
        chunks.forEach(chunk -> text.append(text(chunk)));
        return text.toString();
    }

    @Test
    void callAndStreamGiveTheSameAnswerAndUsage() {
        Prompt prompt = new Prompt("Hello");
        ChatResponse whole = model.call(prompt);
        List<ChatResponse> chunks = model.stream(prompt).collectList().block();
        assertThat(text(whole)).contains("help you");
        assertThat(text(chunks)).isEqualTo(text(whole));
        assertThat(chunks).hasSizeGreaterThan(2);
        ChatResponse last = chunks.getLast();
        assertThat(chunks.stream()
                        .filter(chunk -> chunk.getResult().getMetadata().getFinishReason() != null))
                .containsExactly(last);
        assertThat(last.getResult().getMetadata().getFinishReason()).isEqualTo("STOP");
        assertThat(last.getMetadata().getUsage().getPromptTokens())
                .isEqualTo(whole.getMetadata().getUsage().getPromptTokens())
                .isPositive();
        assertThat(last.getMetadata().getUsage().getCompletionTokens())
                .isEqualTo(whole.getMetadata().getUsage().getCompletionTokens())
                .isPositive();
        assertThat(chunks)
                .extracting(chunk -> chunk.getMetadata().getId())
                .doesNotContainNull()
                .containsOnly(last.getMetadata().getId())
                .doesNotContain(whole.getMetadata().getId());
        assertThat(chunks)
                .extracting(chunk -> chunk.getMetadata().getModel())
                .containsOnly(engine.model().name());
        assertThat(last.getMetadata().<Timings>get(BloomeryChatModel.TIMINGS).total())
                .isPositive();
    }

    @Test
    void rememberedTurnsAreReadFromTheCache() {
        List<Message> turns = new ArrayList<>(
                List.of(new SystemMessage("You are a helpful assistant."), new UserMessage("My name is Emma.")));
        ChatResponse first = model.call(new Prompt(turns));
        turns.add(first.getResult().getOutput());
        turns.add(new UserMessage("What is my name?"));
        ChatResponse second = model.call(new Prompt(turns));
        assertThat(text(second)).contains("Emma");
        assertThat(second.getMetadata().getUsage().getCacheReadInputTokens()).isPositive();
    }

    @Test
    void aConversationIsRememberedThroughChatClient() {
        ChatMemory memory = MessageWindowChatMemory.builder().build();
        ChatClient client = ChatClient.builder(model)
                .defaultAdvisors(MessageChatMemoryAdvisor.builder(memory).build())
                .build();
        for (String conversation : List.of("called", "streamed")) {
            boolean streamed = conversation.equals("streamed");
            String[] answer = new String[1];
            for (String question : List.of("My name is Emma.", "What is my name?")) {
                var request = client.prompt(question)
                        .advisors(advisor -> advisor.param(ChatMemory.CONVERSATION_ID, conversation));
                answer[0] = streamed
                        ? String.join(
                                "", request.stream().content().collectList().block())
                        : request.call().content();
            }
            assertThat(answer[0]).as(conversation).contains("Emma");
            assertThat(memory.get(conversation)).hasSize(4);
        }
    }

    @Test
    void toolsAreCalledThroughChatClient() {
        Weather weather = weather();
        String answer = ChatClient.create(model)
                .prompt("What is the weather in Paris?")
                .tools(weather)
                .call()
                .content();
        assertThat(weather.asked).containsExactly("Paris");
        assertThat(answer).contains("sunny", "21");
    }

    @Test
    void toolsAreCalledThroughAStreamedChatClient() {
        Weather weather = weather();
        List<ChatResponse> chunks =
                ChatClient.create(model).prompt("What is the weather in Paris?").tools(weather).stream()
                        .chatResponse()
                        .collectList()
                        .block();
        assertThat(weather.asked).containsExactly("Paris");
        assertThat(text(chunks)).contains("sunny", "21").doesNotContain("tool_call");
        assertThat(chunks.stream()
                        .filter(chunk -> chunk.getResult() != null
                                && "STOP".equals(chunk.getResult().getMetadata().getFinishReason())))
                .hasSize(1);
    }

    @Test
    void theModelItselfOnlyAsksForATool() {
        ChatResponse response = model.call(new Prompt(
                "What is the weather in Paris?",
                model.getOptions()
                        .mutate()
                        .toolCallbacks(org.springframework.ai.support.ToolCallbacks.from(weather()))
                        .build()));
        assertThat(response.getResult().getMetadata().getFinishReason()).isEqualTo("TOOL_CALLS");
        AssistantMessage.ToolCall call =
                response.getResult().getOutput().getToolCalls().getFirst();
        assertThat(call.id()).isNotBlank();
        assertThat(call.type()).isEqualTo("function");
        assertThat(call.name()).isEqualTo("getWeather");
        assertThat(call.arguments()).contains("Paris");
    }

    record Person(String name, int age) {}

    @Test
    void anAnswerBecomesAnEntityThroughChatClient() {
        Person person = ChatClient.create(model)
                .prompt("Extract the data: Emma Rossi is 34 years old and lives in Paris.")
                .call()
                .entity(Person.class);
        assertThat(person).isEqualTo(new Person("Emma Rossi", 34));
    }

    @Test
    void aRequestsOptionsAreCombinedByChatClient() {
        ChatClient client = ChatClient.create(model);
        ChatResponse cut = client.prompt("Hello")
                .options(ChatOptions.builder().maxTokens(2))
                .call()
                .chatResponse();
        assertThat(cut.getResult().getMetadata().getFinishReason()).isEqualTo("LENGTH");
        assertThat(cut.getMetadata().getUsage().getCompletionTokens()).isEqualTo(2);
        ChatResponse scored = client.prompt("Hello")
                .options(BloomeryChatOptions.builder().logProbabilities(3).maxTokens(2))
                .call()
                .chatResponse();
        List<TokenLogProbability> tokens = scored.getResult().getMetadata().get(BloomeryChatModel.LOG_PROBABILITIES);
        assertThat(tokens).hasSize(2).allSatisfy(token -> {
            assertThat(token.top()).hasSize(3);
            assertThat(token.logProbability()).isLessThanOrEqualTo(0);
        });
    }

    @Test
    void aSeedMakesAnAnswerRepeatable() {
        BloomeryChatOptions options = BloomeryChatOptions.builder()
                .temperature(1.5)
                .seed(7L)
                .maxTokens(40)
                .build();
        Prompt prompt = new Prompt("Tell me a story.", options);
        assertThat(text(model.call(prompt))).isEqualTo(text(model.call(prompt)));
    }

    @Test
    void aPromptLongerThanTheContextIsRefusedNotTruncated() {
        Prompt tooLong = new Prompt("word ".repeat(5_000));
        assertThatThrownBy(() -> model.call(tooLong)).isInstanceOf(ContextLengthExceededException.class);
        StepVerifier.create(model.stream(tooLong)).verifyError(ContextLengthExceededException.class);
    }

    @Test
    void manyCallersGetTheAnswersTheyWouldGetAlone() throws Exception {
        List<String> questions = List.of("Hello", "What is the capital of France?", "Who are you?", "My name is Emma.");
        List<String> alone = questions.stream()
                .map(question -> text(model.call(new Prompt(question))))
                .toList();
        try (ExecutorService callers = Executors.newFixedThreadPool(24)) {
            List<Callable<String>> calls = new ArrayList<>();
            for (int i = 0; i < 48; i++) {
                Prompt prompt = new Prompt(questions.get(i % questions.size()));
                boolean streamed = i % 3 == 0;
                calls.add(
                        () -> streamed ? text(model.stream(prompt).collectList().block()) : text(model.call(prompt)));
            }
            List<Future<String>> answers = callers.invokeAll(calls, 60, TimeUnit.SECONDS);
            for (int i = 0; i < answers.size(); i++) {
                assertThat(answers.get(i).get()).isEqualTo(alone.get(i % questions.size()));
            }
        }
        assertThat(engine.stats().queuedRequests()).isZero();
    }

    @Test
    void disposingStreamsFreesTheirSlots() throws Exception {
        long cancelledBefore = engine.stats().cancelledRequests();
        CountDownLatch writing = new CountDownLatch(SLOTS);
        var streams = Flux.range(0, SLOTS)
                .map(i -> model.stream(new Prompt("Hello", endless()))
                        .doOnNext(new FirstOnly(writing))
                        .subscribe())
                .collectList()
                .block();
        assertThat(writing.await(30, TimeUnit.SECONDS)).isTrue();
        streams.forEach(reactor.core.Disposable::dispose);
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(
                        () -> assertThat(engine.stats().activeSequences()).isZero());
        assertThat(engine.stats().cancelledRequests()).isEqualTo(cancelledBefore + SLOTS);
        assertThat(text(model.call(new Prompt("Hello")))).contains("help you");
    }

    @Test
    void anInterruptFreesTheSlot() throws Exception {
        Throwable[] thrown = new Throwable[1];
        Thread caller = Thread.ofPlatform().start(() -> {
            try {
                model.call(new Prompt("Hello", endless()));
            } catch (RuntimeException e) {
                thrown[0] = e;
            }
        });
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .until(() -> engine.stats().activeSequences() == 1);
        caller.interrupt();
        caller.join(10_000);
        assertThat(thrown[0]).isInstanceOf(java.util.concurrent.CancellationException.class);
        await().until(() -> engine.stats().activeSequences() == 0);
    }

    /** For answers that nothing but max-tokens or a cancellation ends. */
    private static BloomeryChatOptions endless() {
        Map<Integer, Double> noEnd = new HashMap<>();
        for (int id = 0; id < engine.model().vocabSize(); id++) {
            if (engine.tokenizer().isEndOfGeneration(id)) {
                noEnd.put(id, -100.0);
            }
        }
        return BloomeryChatOptions.builder()
                .temperature(1.0)
                .maxTokens(900)
                .logitBias(noEnd)
                .build();
    }

    private static final class FirstOnly implements java.util.function.Consumer<ChatResponse> {

        private final CountDownLatch latch;
        private boolean counted;

        FirstOnly(CountDownLatch latch) {
            this.latch = latch;
        }

        @Override
        public void accept(ChatResponse chunk) {
            if (!counted) {
                counted = true;
                latch.countDown();
            }
        }
    }
}
