package org.bloomery.spring.overflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.engine.chat.ToolChoice;
import org.bloomery.engine.chat.ToolSpec;
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.ScriptedEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.MessageType;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.tool.ToolCallingChatOptions;

@Timeout(60)
class OverflowInterceptorTest {

    private static final ToolSpec WEATHER = new ToolSpec("weather", "Tells the weather.", "{\"type\":\"object\"}");
    private static final ChatRequest REQUEST =
            new ChatRequest(List.of(ChatMessage.user("Hello")), GenerationOptions.DEFAULT);

    private final List<Prompt> sent = new CopyOnWriteArrayList<>();
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final List<OverflowPolicy.Caller> callers = new CopyOnWriteArrayList<>();

    private ChatModel other(AssistantMessage answer) {
        return new ChatModel() {
            @Override
            public ChatResponse call(Prompt prompt) {
                sent.add(prompt);
                return new ChatResponse(List.of(new org.springframework.ai.chat.model.Generation(answer)));
            }

            @Override
            public ChatOptions getOptions() {
                return ToolCallingChatOptions.builder().model("other").build();
            }
        };
    }

    private Answering way(Answering engine, ChatModel other) {
        return GenerationInterceptor.chain(
                List.of(new OverflowInterceptor(
                        new OverflowInterceptor.Target("other", other),
                        EnumSet.allOf(OverflowReason.class),
                        (prompt, caller) -> callers.add(caller),
                        () -> "ada",
                        () -> "acme",
                        List.of((reason, outcome) -> told.add(reason.label() + " " + outcome)))),
                engine);
    }

    private Answering refusing() {
        return way(
                (request, sink) -> {
                    throw new EngineOverloadedException("full");
                },
                other(new AssistantMessage("Instead")));
    }

    private static Completion ask(Answering way, ChatRequest request) {
        return way.submit(request, GenerationSink.NONE).await();
    }

    @Test
    void aRefusedRequestIsAnsweredByTheOtherModelForAKnownCaller() {
        assertThat(ask(refusing(), REQUEST).text()).isEqualTo("Instead");
        assertThat(told).containsExactly("refused ANSWERED");
        assertThat(callers).containsExactly(new OverflowPolicy.Caller("ada", "acme"));
        assertThat(Objects.requireNonNull(sent.getFirst().getOptions()).getModel())
                .isEqualTo("other");
    }

    @Test
    void aModelOrAListenerThatBreaksLeavesNobodyWaiting() {
        ChatModel broken = new ChatModel() {
            @Override
            public ChatResponse call(Prompt prompt) {
                throw new StackOverflowError();
            }

            @Override
            public ChatOptions getOptions() {
                return ToolCallingChatOptions.builder().build();
            }
        };
        Answering full = (request, sink) -> {
            throw new EngineOverloadedException("full");
        };
        assertThatThrownBy(() -> ask(way(full, broken), REQUEST))
                .isInstanceOf(EngineOverloadedException.class)
                .hasSuppressedException(new StackOverflowError());
        Answering heard = GenerationInterceptor.chain(
                List.of(new OverflowInterceptor(
                        new OverflowInterceptor.Target("other", other(new AssistantMessage("Instead"))),
                        EnumSet.allOf(OverflowReason.class),
                        OverflowPolicy.ALL,
                        () -> "ada",
                        () -> "acme",
                        List.of((reason, outcome) -> {
                            throw new IllegalStateException("listener");
                        }))),
                full);
        assertThat(ask(heard, REQUEST).text()).isEqualTo("Instead");
    }

    @Test
    void aBackendThatDiesBeforeTheFirstPieceOverflowsUnderTheSameId() {
        ScriptedEngine dying = new ScriptedEngine(answer -> answer.fail(new BackendLostException("lost", null)));
        Generation generation =
                way(dying, other(new AssistantMessage("Instead"))).submit(REQUEST, GenerationSink.NONE);
        String id = generation.id();
        Completion completion = generation.await();
        assertThat(completion.text()).isEqualTo("Instead");
        assertThat(completion.id()).isEqualTo(id);
        assertThat(told).containsExactly("unavailable ANSWERED");
    }

    @Test
    void anAnswerThatHasBegunIsNotBegunAgain() {
        ScriptedEngine dying = new ScriptedEngine(answer -> {
            answer.text("Well");
            answer.fail(new BackendLostException("lost", null));
        });
        assertThatThrownBy(() -> ask(way(dying, other(new AssistantMessage("Instead"))), REQUEST))
                .isInstanceOf(BackendLostException.class);
        assertThat(sent).isEmpty();
        assertThat(told).isEmpty();
    }

    @Test
    void whatIsNobodysRefusalDoesNotOverflow() {
        RuntimeException invalid = new EngineException("invalid");
        Answering way = way(
                (request, sink) -> {
                    throw invalid;
                },
                other(new AssistantMessage("Instead")));
        assertThatThrownBy(() -> ask(way, REQUEST)).isSameAs(invalid);
        assertThat(sent).isEmpty();
    }

    @Test
    void whatNoPortableOptionAsksForStaysHere() {
        for (ChatRequest request : List.of(
                REQUEST.withOptions(GenerationOptions.DEFAULT.withConstraint(new Constraint.Regex("[a-z]+"))),
                REQUEST.withOptions(GenerationOptions.DEFAULT.withConstraint(new Constraint.JsonSchema("{}"))),
                REQUEST.withTools(List.of(WEATHER)).withToolChoice(ToolChoice.REQUIRED))) {
            assertThatThrownBy(() -> ask(refusing(), request)).isInstanceOf(EngineOverloadedException.class);
        }
        assertThat(sent).isEmpty();
        assertThat(told).hasSize(3).containsOnly("refused UNSUPPORTED");
    }

    @Test
    void toolsAndTheirResultsGoThereAndCallsComeBack() {
        AssistantMessage calling = AssistantMessage.builder()
                .content("")
                .toolCalls(List.of(new AssistantMessage.ToolCall("2", "function", "weather", "")))
                .build();
        Answering way = way(
                (request, sink) -> {
                    throw new EngineOverloadedException("full");
                },
                other(calling));
        ChatRequest request = REQUEST.withMessages(List.of(
                        ChatMessage.system("Be short."),
                        ChatMessage.user("Hello"),
                        ChatMessage.assistant("", "I think", List.of(new ToolCall("1", "weather", "{}"))),
                        ChatMessage.toolResult("1", "weather", "sunny")))
                .withTools(List.of(WEATHER));
        Completion completion = ask(way, request);
        assertThat(completion.finishReason()).isEqualTo(FinishReason.TOOL_CALLS);
        assertThat(completion.toolCalls()).containsExactly(new ToolCall("2", "weather", "{}"));
        Prompt prompt = sent.getFirst();
        assertThat(prompt.getInstructions())
                .extracting(Message::getMessageType)
                .containsExactly(MessageType.SYSTEM, MessageType.USER, MessageType.ASSISTANT, MessageType.TOOL);
        assertThat(((ToolResponseMessage) prompt.getInstructions().get(3)).getResponses())
                .containsExactly(new ToolResponseMessage.ToolResponse("1", "weather", "sunny"));
        assertThat(((ToolCallingChatOptions) Objects.requireNonNull(prompt.getOptions())).getToolCallbacks())
                .singleElement()
                .satisfies(tool -> {
                    assertThat(tool.getToolDefinition().name()).isEqualTo("weather");
                    assertThatThrownBy(() -> tool.call("{}")).isInstanceOf(UnsupportedOperationException.class);
                });
    }

    @Test
    void aCancelledOverflowEndsAtOnce() throws InterruptedException {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        ChatModel endless = prompt -> {
            asked.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
            throw new IllegalStateException("interrupted");
        };
        Generation generation = way(
                        (request, sink) -> {
                            throw new EngineOverloadedException("full");
                        },
                        endless)
                .submit(REQUEST, GenerationSink.NONE);
        asked.await();
        generation.cancel();
        assertThat(generation.await().finishReason()).isEqualTo(FinishReason.CANCELLED);
        interrupted.await();
        assertThat(told).containsExactly("refused CANCELLED");
    }

    @Test
    void aPolicyThatThrowsHasSaidNo() {
        Answering way = GenerationInterceptor.chain(
                List.of(new OverflowInterceptor(
                        new OverflowInterceptor.Target("other", other(new AssistantMessage("Instead"))),
                        EnumSet.allOf(OverflowReason.class),
                        (prompt, caller) -> {
                            throw new IllegalStateException("no idea");
                        },
                        () -> "ada",
                        () -> "acme",
                        List.of((reason, outcome) -> told.add(reason.label() + " " + outcome)))),
                (request, sink) -> {
                    throw new EngineOverloadedException("full");
                });
        assertThatThrownBy(() -> ask(way, REQUEST))
                .isInstanceOf(EngineOverloadedException.class)
                .satisfies(error -> assertThat(error.getSuppressed()).hasSize(1));
        assertThat(told).containsExactly("refused DENIED");
    }
}
