package org.bloomery.spring.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.engine.chat.ToolChoice;
import org.bloomery.engine.chat.ToolSpec;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.content.MediaContent;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.tool.ToolCallback;

/** A Spring AI conversation as the engine takes it. */
final class RequestMapper {

    private RequestMapper() {}

    /** @throws EngineException if there is no message, or one carries something else than text */
    static ChatRequest request(List<Message> messages, BloomeryChatOptions options) {
        List<ChatMessage> turns = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            Message message = messages.get(i);
            refuseMedia(message, i + 1, messages.size());
            String text = message.getText() == null ? "" : message.getText();
            switch (message.getMessageType()) {
                case SYSTEM -> turns.add(ChatMessage.system(text));
                case USER -> turns.add(ChatMessage.user(text));
                case ASSISTANT -> turns.add(ChatMessage.assistant(text, reasoning(message), toolCalls(message)));
                case TOOL -> turns.addAll(toolResults(message));
            }
        }
        if (turns.isEmpty()) {
            throw new InvalidOptionException("The prompt has no messages; it needs at least one.");
        }
        Map<String, Object> templateArguments = options.getTemplateArguments();
        return new ChatRequest(
                turns,
                tools(options.getToolCallbacks()),
                // Behind a tool's result the model may answer: a call that is demanded again and again would never end
                turns.getLast().role() == ChatMessage.Role.TOOL
                                && options.toolChoice().mode() != ToolChoice.Mode.NONE
                        ? ToolChoice.AUTO
                        : options.toolChoice(),
                options.thinking(),
                templateArguments == null ? Map.of() : templateArguments,
                options.generationOptions());
    }

    private static void refuseMedia(Message message, int position, int count) {
        if (message instanceof MediaContent content && !content.getMedia().isEmpty()) {
            throw new EngineException("Message " + position + " of " + count + " ("
                    + message.getMessageType().getValue().toLowerCase(Locale.ROOT) + ") carries media of type "
                    + content.getMedia().getFirst().getMimeType()
                    + ", but this model reads text only; leave the media out.");
        }
    }

    private static @Nullable String reasoning(Message message) {
        return message.getMetadata().get(BloomeryChatModel.REASONING) instanceof String text && !text.isEmpty()
                ? text
                : null;
    }

    private static List<ToolCall> toolCalls(Message message) {
        return message instanceof AssistantMessage assistant
                ? assistant.getToolCalls().stream()
                        .map(call -> new ToolCall(
                                call.id(), call.name(), call.arguments().isBlank() ? "{}" : call.arguments()))
                        .toList()
                : List.of();
    }

    private static List<ChatMessage> toolResults(Message message) {
        return message instanceof ToolResponseMessage tool
                ? tool.getResponses().stream()
                        .map(response ->
                                ChatMessage.toolResult(response.id(), response.name(), response.responseData()))
                        .toList()
                : List.of();
    }

    private static List<ToolSpec> tools(@Nullable List<ToolCallback> callbacks) {
        if (callbacks == null) {
            return List.of();
        }
        ToolCallingChatOptions.validateToolCallbacks(callbacks);
        return callbacks.stream()
                .map(ToolCallback::getToolDefinition)
                .map(tool -> new ToolSpec(tool.name(), tool.description(), tool.inputSchema()))
                .toList();
    }
}
