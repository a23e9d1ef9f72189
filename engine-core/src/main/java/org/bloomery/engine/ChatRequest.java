package org.bloomery.engine;

import java.util.List;
import java.util.Map;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.Thinking;
import org.bloomery.engine.chat.ToolChoice;
import org.bloomery.engine.chat.ToolSpec;

/**
 * A conversation to be continued by the assistant.
 *
 * @param messages the turns so far, at least one
 * @param tools what the model may call, possibly nothing
 * @param toolChoice whether it calls them
 * @param thinking whether and how long it thinks before it answers
 * @param templateArguments extra variables for the chat template, such as {@code enable_thinking}: strings, numbers,
 *     booleans, lists and maps of them
 * @param options how to sample and when to stop
 */
public record ChatRequest(
        List<ChatMessage> messages,
        List<ToolSpec> tools,
        ToolChoice toolChoice,
        Thinking thinking,
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

    /** A conversation without tools. */
    public ChatRequest(List<ChatMessage> messages, GenerationOptions options) {
        this(messages, List.of(), options);
    }

    /** A conversation with tools that the model may call as it likes. */
    public ChatRequest(List<ChatMessage> messages, List<ToolSpec> tools, GenerationOptions options) {
        this(messages, tools, ToolChoice.AUTO, Thinking.AUTO, Map.of(), options);
    }

    /** Counts what may hold text. */
    @Override
    public String toString() {
        return "ChatRequest[" + messages.size() + " messages, " + tools.size() + " tools, " + toolChoice + ", "
                + thinking + ", " + templateArguments.size() + " template arguments, " + options + "]";
    }

    public ChatRequest withMessages(List<ChatMessage> others) {
        return new ChatRequest(others, tools, toolChoice, thinking, templateArguments, options);
    }

    public ChatRequest withTools(List<ToolSpec> others) {
        return new ChatRequest(messages, others, toolChoice, thinking, templateArguments, options);
    }

    public ChatRequest withToolChoice(ToolChoice other) {
        return new ChatRequest(messages, tools, other, thinking, templateArguments, options);
    }

    public ChatRequest withThinking(Thinking other) {
        return new ChatRequest(messages, tools, toolChoice, other, templateArguments, options);
    }

    public ChatRequest withOptions(GenerationOptions others) {
        return new ChatRequest(messages, tools, toolChoice, thinking, templateArguments, others);
    }
}
