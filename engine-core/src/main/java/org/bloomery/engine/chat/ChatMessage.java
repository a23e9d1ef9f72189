package org.bloomery.engine.chat;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One turn of a conversation.
 *
 * @param role who speaks
 * @param content the text, possibly empty
 * @param reasoning the assistant's thinking that came before the content, or null
 * @param toolCalls the calls an assistant turn asked for, possibly none
 * @param toolCallId for a tool turn: the id of the call that it answers, or null
 * @param toolName for a tool turn: the name of the tool that answered, or null
 */
public record ChatMessage(
        Role role,
        String content,
        @Nullable String reasoning,
        List<ToolCall> toolCalls,
        @Nullable String toolCallId,
        @Nullable String toolName) {

    /** Who speaks. */
    public enum Role {
        SYSTEM,
        USER,
        ASSISTANT,
        TOOL;

        /** The name that chat templates use. */
        public String templateName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public ChatMessage {
        toolCalls = List.copyOf(toolCalls);
    }

    public static ChatMessage system(String content) {
        return new ChatMessage(Role.SYSTEM, content, null, List.of(), null, null);
    }

    public static ChatMessage user(String content) {
        return new ChatMessage(Role.USER, content, null, List.of(), null, null);
    }

    public static ChatMessage assistant(String content) {
        return new ChatMessage(Role.ASSISTANT, content, null, List.of(), null, null);
    }

    public static ChatMessage assistant(String content, @Nullable String reasoning, List<ToolCall> toolCalls) {
        return new ChatMessage(Role.ASSISTANT, content, reasoning, toolCalls, null, null);
    }

    public static ChatMessage toolResult(String toolCallId, String toolName, String result) {
        return new ChatMessage(Role.TOOL, result, null, List.of(), toolCallId, toolName);
    }

    /** Names role and length only: prompt text stays out of logs. */
    @Override
    public String toString() {
        return "ChatMessage[" + role + ", " + content.length() + " characters, " + toolCalls.size() + " tool calls]";
    }
}
