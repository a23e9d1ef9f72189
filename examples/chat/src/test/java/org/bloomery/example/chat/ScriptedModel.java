package org.bloomery.example.chat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CopyOnWriteArrayList;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Timings;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.bloomery.spring.chat.BloomeryChatOptions;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.prompt.Prompt;
import reactor.core.publisher.Flux;

/** A chat model that answers what it is told to, in the shape of {@link BloomeryChatModel}'s streams. */
final class ScriptedModel implements ChatModel {

    final List<Prompt> prompts = new CopyOnWriteArrayList<>();
    private final Queue<Flux<ChatResponse>> answers = new ArrayDeque<>();

    ScriptedModel thenSays(String... pieces) {
        Flux<ChatResponse> text = Flux.fromStream(Arrays.stream(pieces).map(ScriptedModel::piece));
        return then(text.concatWithValues(last(FinishReason.STOP, pieces.length, List.of())));
    }

    ScriptedModel thenCalls(String tool, String arguments) {
        return then(Flux.just(last(
                FinishReason.TOOL_CALLS,
                5,
                List.of(new AssistantMessage.ToolCall("call-1", "function", tool, arguments)))));
    }

    ScriptedModel then(Flux<ChatResponse> answer) {
        answers.add(answer);
        return this;
    }

    @Override
    public ChatResponse call(Prompt prompt) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Flux<ChatResponse> stream(Prompt prompt) {
        prompts.add(prompt);
        return answers.remove();
    }

    @Override
    public BloomeryChatOptions getOptions() {
        return BloomeryChatOptions.builder().build();
    }

    static ChatResponse piece(String text) {
        return new ChatResponse(
                List.of(new Generation(new AssistantMessage(text), ChatGenerationMetadata.NULL)),
                ChatResponseMetadata.builder().id("answer-1").model("scripted").build());
    }

    private static ChatResponse last(FinishReason reason, int tokens, List<AssistantMessage.ToolCall> calls) {
        return new ChatResponse(
                List.of(new Generation(
                        AssistantMessage.builder().content("").toolCalls(calls).build(),
                        ChatGenerationMetadata.builder()
                                .finishReason(reason.name())
                                .build())),
                ChatResponseMetadata.builder()
                        .id("answer-1")
                        .model("scripted")
                        .usage(new DefaultUsage(10, tokens, 10 + tokens))
                        // The first token after 100 ms, then one each 10 ms.
                        .keyValue(
                                BloomeryChatModel.TIMINGS,
                                new Timings(
                                        Duration.ZERO, Duration.ofMillis(100), Duration.ofMillis(90 + 10L * tokens)))
                        .build());
    }
}
