package org.bloomery.spring.chat;

import java.util.List;
import java.util.Map;
import org.bloomery.engine.Completion;
import org.bloomery.engine.Usage;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;

/**
 * The engine's answers as Spring AI hands them out.
 *
 * @param engineModel the name of the engine's model, on every response that is the engine's
 * @param origin who writes the answer
 */
record ResponseMapper(String engineModel, AnswerOrigin origin) {

    /** The whole answer of a blocking call. */
    ChatResponse whole(Completion completion) {
        return end(completion, completion.text());
    }

    /** A piece of a streamed answer. */
    ChatResponse text(String id, String delta) {
        return piece(id, AssistantMessage.builder().content(delta).build());
    }

    /** A piece of the model's thinking. */
    ChatResponse reasoning(String id, String delta) {
        return piece(
                id,
                AssistantMessage.builder()
                        .content("")
                        .properties(Map.of(BloomeryChatModel.REASONING, delta))
                        .build());
    }

    /**
     * The last piece of a streamed answer, and the only one with a finish reason, usage, tool calls and the whole
     * reasoning: whoever merges the pieces keeps the last value of each.
     */
    ChatResponse last(Completion completion) {
        return end(completion, "");
    }

    private ChatResponse piece(String id, AssistantMessage message) {
        return new ChatResponse(
                List.of(new Generation(message, ChatGenerationMetadata.NULL)),
                metadata(id).build());
    }

    private ChatResponseMetadata.Builder metadata(String id) {
        String overflow = origin.overflow();
        ChatResponseMetadata.Builder metadata = ChatResponseMetadata.builder().id(id);
        return overflow == null
                ? metadata.model(engineModel)
                : metadata.model(overflow).keyValue(BloomeryChatModel.OVERFLOW, true);
    }

    private ChatResponse end(Completion completion, String text) {
        AssistantMessage message = AssistantMessage.builder()
                .content(text)
                .properties(reasoning(completion.reasoning()))
                .toolCalls(completion.toolCalls().stream()
                        .map(call ->
                                new AssistantMessage.ToolCall(call.id(), "function", call.name(), call.arguments()))
                        .toList())
                .build();
        ChatGenerationMetadata.Builder generation = ChatGenerationMetadata.builder()
                .finishReason(completion.finishReason().name());
        if (!completion.logProbabilities().isEmpty()) {
            generation.metadata(BloomeryChatModel.LOG_PROBABILITIES, completion.logProbabilities());
        }
        return new ChatResponse(
                List.of(new Generation(message, generation.build())),
                metadata(completion.id())
                        .usage(usage(completion.usage()))
                        .keyValue(BloomeryChatModel.TIMINGS, completion.timings())
                        .build());
    }

    private static Map<String, Object> reasoning(@Nullable String reasoning) {
        return reasoning == null ? Map.of() : Map.of(BloomeryChatModel.REASONING, reasoning);
    }

    private static DefaultUsage usage(Usage usage) {
        return new DefaultUsage(
                usage.promptTokens(),
                usage.completionTokens(),
                usage.totalTokens(),
                usage,
                (long) usage.cachedTokens(),
                null);
    }
}
