package org.bloomery.engine.chat;

import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JsonGenerator;

/**
 * Tools for a model whose template says nothing of them: described in the system message, called as Hermes models call them,
 * their results in the user's turn.
 */
final class DescribedTools {

    private DescribedTools() {}

    /** A conversation in which nothing but text is left of tools. */
    static List<ChatMessage> in(List<ChatMessage> messages, List<ToolSpec> tools) {
        List<ChatMessage> plain = new ArrayList<>();
        if (!tools.isEmpty()) {
            plain.add(ChatMessage.system(description(tools)));
        }
        for (ChatMessage message : messages) {
            plain.add(
                    switch (message.role()) {
                        case TOOL -> ChatMessage.user("<tool_response>\n" + message.content() + "\n</tool_response>");
                        case ASSISTANT ->
                            message.toolCalls().isEmpty()
                                    ? message
                                    : ChatMessage.assistant(withCalls(message), message.reasoning(), List.of());
                        case SYSTEM, USER -> message;
                    });
        }
        return joined(plain);
    }

    private static String withCalls(ChatMessage message) {
        StringBuilder text = new StringBuilder(message.content());
        for (ToolCall call : message.toolCalls()) {
            text.append(text.isEmpty() ? "" : "\n").append("<tool_call>\n");
            StringWriter written = new StringWriter();
            try (JsonGenerator json = JsonCalls.generator(written)) {
                json.writeStartObject();
                json.writeStringProperty("name", call.name());
                json.writeName("arguments");
                json.writeRawValue(call.arguments().isBlank() ? "{}" : call.arguments());
                json.writeEndObject();
            }
            text.append(written).append("\n</tool_call>");
        }
        return text.toString();
    }

    private static String description(List<ToolSpec> tools) {
        StringBuilder text = new StringBuilder("""
                You may call tools. To call one, write a JSON object with its name and its arguments, between these marks:
                <tool_call>
                {"name": "the tool's name", "arguments": {"argument": "value"}}
                </tool_call>
                Several calls stand one after another. Their results come in the next message, between <tool_response> and \
                </tool_response>. Call a tool only where it helps, otherwise answer as usual.
                These are the tools, each with a JSON Schema of its arguments:
                """);
        for (ToolSpec tool : tools) {
            StringWriter written = new StringWriter();
            try (JsonGenerator json = JsonCalls.generator(written)) {
                json.writeStartObject();
                json.writeStringProperty("name", tool.name());
                json.writeStringProperty("description", tool.description());
                json.writeName("parameters");
                json.writeRawValue(tool.parameters());
                json.writeEndObject();
            }
            text.append(written).append('\n');
        }
        return text.toString().stripTrailing();
    }

    /** Results of several tools, and a question behind them, are one turn of the user's. */
    private static List<ChatMessage> joined(List<ChatMessage> messages) {
        List<ChatMessage> joined = new ArrayList<>();
        for (ChatMessage message : messages) {
            ChatMessage last = joined.isEmpty() ? null : joined.getLast();
            if (last != null
                    && message.role() == ChatMessage.Role.USER
                    && last.role() == ChatMessage.Role.USER
                    && last.content().startsWith("<tool_response>")) {
                joined.set(joined.size() - 1, ChatMessage.user(last.content() + "\n" + message.content()));
            } else {
                joined.add(message);
            }
        }
        return joined;
    }
}
