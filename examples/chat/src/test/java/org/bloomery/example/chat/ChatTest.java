package org.bloomery.example.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.example.chat.ChatEvent.Delta;
import org.bloomery.example.chat.ChatEvent.End;
import org.bloomery.example.chat.ChatEvent.Failure;
import org.bloomery.example.chat.ChatEvent.ToolUse;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.memory.MessageWindowChatMemory;
import org.springframework.ai.chat.messages.MessageType;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.tool.ToolCallback;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;

class ChatTest {

    private final ScriptedModel model = new ScriptedModel();
    private final RecentConversations conversations = new RecentConversations(10);
    private final Chat chat = new Chat(
            ChatClient.builder(model),
            MessageWindowChatMemory.builder()
                    .chatMemoryRepository(conversations)
                    .build(),
            new WeatherStation());

    @Test
    void streamsTheAnswerPieceByPieceAndThenItsFigures() {
        model.thenSays("Nice ", "to ", "meet you.");

        List<ChatEvent> events = answer("My name is Ada.");

        assertThat(events.subList(0, 3)).containsExactly(new Delta("Nice "), new Delta("to "), new Delta("meet you."));
        assertThat(events.getLast()).isInstanceOfSatisfying(End.class, end -> {
            assertThat(end.finishReason()).isEqualTo("STOP");
            assertThat(end.promptTokens()).isEqualTo(10);
            assertThat(end.completionTokens()).isEqualTo(3);
            assertThat(end.tokensPerSecond()).isCloseTo(100, within(0.1));
        });
        assertThat(events).hasSize(4);
    }

    @Test
    void nextTurnKnowsTheEarlierOnes() {
        model.thenSays("Nice to meet you, Ada!").thenSays("Your name is Ada.");

        answer("My name is Ada.");
        answer("What is my name?");

        assertThat(texts(model.prompts.getLast()))
                .containsExactly("My name is Ada.", "Nice to meet you, Ada!", "What is my name?");
    }

    @Test
    void conversationsDoNotKnowEachOther() {
        model.thenSays("Nice to meet you, Ada!").thenSays("I do not know.");

        answer("My name is Ada.");
        chat.answer("other", "What is my name?").blockLast(Duration.ofSeconds(10));

        assertThat(texts(model.prompts.getLast())).containsExactly("What is my name?");
    }

    @Test
    void reportsTheToolCallAndGivesItsResultToTheModel() {
        model.thenCalls("getWeather", "{\"city\": \"Oslo\"}").thenSays("It is snowy.");

        List<ChatEvent> events = answer("What is the weather in Oslo?");

        assertThat(events)
                .startsWith(
                        new ToolUse(
                                "getWeather",
                                "{\"city\": \"Oslo\"}",
                                "{\"city\":\"Oslo\",\"temperature\":-2,\"conditions\":\"snowy\"}"),
                        new Delta("It is snowy."));
        assertThat(model.prompts.getLast().getInstructions().getLast())
                .isInstanceOfSatisfying(
                        ToolResponseMessage.class,
                        result -> assertThat(result.getResponses().getFirst().responseData())
                                .contains("snowy"));
        assertThat(texts("conversation")).containsExactly("What is the weather in Oslo?", "It is snowy.");
        assertThat(events.getLast()).isInstanceOfSatisfying(End.class, end -> {
            assertThat(end.finishReason()).isEqualTo("STOP");
            assertThat(end.promptTokens()).as("of both rounds").isEqualTo(20);
            assertThat(end.completionTokens()).as("of both rounds").isEqualTo(6);
            assertThat(end.tokensPerSecond()).isCloseTo(100, within(0.1));
        });
    }

    @Test
    void offersTheToolOnlyWhereTheMessageIsAboutIt() {
        model.thenSays("Nice to meet you, Ada!").thenSays("It is mild.");

        answer("My name is Ada.");
        answer("Do I need an umbrella in Porto?");

        assertThat(tools(model.prompts.getFirst())).isEmpty();
        assertThat(tools(model.prompts.getLast())).containsExactly("getWeather");
    }

    @Test
    void refusesASecondMessageWhileTheFirstIsBeingAnswered() {
        model.then(Flux.just(ScriptedModel.piece("Once ")).concatWith(Flux.never()))
                .thenSays("Here I am.");
        List<ChatEvent> events = new CopyOnWriteArrayList<>();
        Disposable first = chat.answer("conversation", "Tell me a story.").subscribe(events::add);
        Awaitility.await().until(() -> !events.isEmpty());

        assertThat(answer("Hello?"))
                .singleElement()
                .isInstanceOfSatisfying(
                        Failure.class, failure -> assertThat(failure.message()).contains("still being answered"));
        first.dispose();
        assertThat(answer("Hello?")).startsWith(new Delta("Here I am."));
    }

    @Test
    void stopEndsTheAnswerAndKeepsWhatWasSaid() {
        AtomicBoolean cancelled = new AtomicBoolean();
        model.then(Flux.just(ScriptedModel.piece("Once "))
                        .concatWith(Flux.never())
                        .doOnCancel(() -> cancelled.set(true)))
                .thenSays("upon a time.");
        List<ChatEvent> events = new CopyOnWriteArrayList<>();
        Flux<ChatEvent> answer = chat.answer("conversation", "Tell me a story.").doOnNext(events::add);
        Flux<ChatEvent> stopped = answer.doOnNext(event -> chat.stop("conversation"));

        stopped.blockLast(Duration.ofSeconds(10));

        // Spring AI has threads between the reader and the model.
        Awaitility.await().untilTrue(cancelled);
        assertThat(events.getLast())
                .isInstanceOfSatisfying(
                        End.class, end -> assertThat(end.finishReason()).isEqualTo("CANCELLED"));
        answer("Go on.");
        assertThat(texts(model.prompts.getLast())).containsExactly("Tell me a story.", "Once ", "Go on.");
    }

    @Test
    void stopOfAConversationThatIsNotBeingAnsweredDoesNothing() {
        chat.stop("conversation");

        model.thenSays("Hello!");
        assertThat(answer("Hello")).startsWith(new Delta("Hello!"));
    }

    @Test
    void readerWhoLeavesStopsTheModel() {
        AtomicBoolean cancelled = new AtomicBoolean();
        model.then(
                Flux.just(ScriptedModel.piece("Once ")).concatWith(Flux.never()).doOnCancel(() -> cancelled.set(true)));

        chat.answer("conversation", "Tell me a story.").blockFirst(Duration.ofSeconds(10));

        // Spring AI has threads between the reader and the model.
        Awaitility.await().untilTrue(cancelled);
    }

    @Test
    void tellsTheEnginesSentenceAndTakesTheMessageBack() {
        model.then(Flux.error(new EngineOverloadedException("The queue is full: 64 requests wait.")))
                .thenSays("Hello!");

        assertThat(answer("Hello")).containsExactly(new Failure("The queue is full: 64 requests wait."));
        answer("Hello again");

        assertThat(texts(model.prompts.getLast())).containsExactly("Hello again");
    }

    @Test
    void tellsNothingOfAnUnexpectedFailure() {
        model.then(Flux.error(new IllegalStateException("secret of the house")));

        assertThat(answer("Hello"))
                .singleElement()
                .isInstanceOfSatisfying(
                        Failure.class,
                        failure -> assertThat(failure.message()).isNotBlank().doesNotContain("secret", "Exception"));
    }

    @Test
    void toolThatWasNotOfferedEndsInOneSentence() {
        model.thenCalls("launchRocket", "{}");

        assertThat(answer("What is the weather in Oslo?"))
                .containsExactly(new Failure("The model called a tool that it was not given; other words may help."));
    }

    private List<ChatEvent> answer(String message) {
        return chat.answer("conversation", message)
                .collectList()
                .blockOptional(Duration.ofSeconds(10))
                .orElseThrow();
    }

    private List<String> texts(String conversation) {
        return conversations.findByConversationId(conversation).stream()
                .map(message -> String.valueOf(message.getText()))
                .toList();
    }

    private static List<String> texts(Prompt prompt) {
        return prompt.getInstructions().stream()
                .filter(message -> message.getMessageType() != MessageType.SYSTEM)
                .map(message -> String.valueOf(message.getText()))
                .toList();
    }

    private static List<String> tools(Prompt prompt) {
        return prompt.getOptions() instanceof ToolCallingChatOptions options && options.getToolCallbacks() != null
                ? options.getToolCallbacks().stream()
                        .map(ToolCallback::getToolDefinition)
                        .map(definition -> definition.name())
                        .toList()
                : List.of();
    }
}
