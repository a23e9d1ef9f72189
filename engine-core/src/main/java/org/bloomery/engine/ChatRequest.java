package org.bloomery.engine;

import java.util.List;
import java.util.Map;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolSpec;

/**
 * A conversation to be continued by the assistant.
 *
 * @param messages the turns so far, at least one
 * @param tools what the model may call, possibly nothing
 * @param templateArguments extra variables for the chat template, such as {@code enable_thinking}: strings, numbers,
 *     booleans, lists and maps of them
 * @param options how to sample and when to stop
 */
public record ChatRequest(
        List<ChatMessage> messages,
        List<ToolSpec> tools,
        Map<String, Object> templateArguments,
        GenerationOptions options)
        implements GenerationRequest {

    public ChatRequest {
        messages = List.copyOf(messages);
        tools = List.copyOf(tools);
        templateArguments = Map.copyOf(templateArguments);
        if (messages.isEmpty()) {
            throw new InvalidOptionException("A chat request has no messages; it needs at least one.");
        }
    }

    public ChatRequest(List<ChatMessage> messages, GenerationOptions options) {
        this(messages, List.of(), Map.of(), options);
    }
}
