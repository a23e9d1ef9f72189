package org.bloomery.engine.chat;

import java.util.ArrayList;
import java.util.List;
import org.bloomery.engine.chat.ChatMessage.Role;
import org.jspecify.annotations.Nullable;

/** The same conversation with fewer turns, for templates that insist on an order of roles. */
final class Turns {

    private static final String BLANK_LINE = "\n\n";

    private Turns() {}

    /** The same conversation in other turns, those that change least first. */
    static List<List<ChatMessage>> alternatives(List<ChatMessage> messages) {
        List<ChatMessage> joined = joined(messages);
        return List.of(joined, oneCallEach(messages), oneCallEach(joined), withoutSystem(messages));
    }

    /** An assistant turn that asks for several calls becomes one turn a call, each followed by its result. */
    private static List<ChatMessage> oneCallEach(List<ChatMessage> messages) {
        List<ChatMessage> turns = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            ChatMessage message = messages.get(i);
            if (message.toolCalls().size() < 2) {
                turns.add(message);
                continue;
            }
            List<ChatMessage> results = new ArrayList<>();
            while (i + 1 < messages.size() && messages.get(i + 1).role() == Role.TOOL) {
                results.add(messages.get(++i));
            }
            boolean first = true;
            for (ToolCall call : message.toolCalls()) {
                turns.add(ChatMessage.assistant(
                        first ? message.content() : "", first ? message.reasoning() : null, List.of(call)));
                for (ChatMessage result : results) {
                    if (call.id().equals(result.toolCallId())) {
                        turns.add(result);
                    }
                }
                results.removeIf(result -> call.id().equals(result.toolCallId()));
                first = false;
            }
            turns.addAll(results);
        }
        return turns;
    }

    /** One system turn at the front, the other turns as they are. */
    static List<ChatMessage> systemFirst(List<ChatMessage> messages) {
        String system = system(messages);
        if (system == null) {
            return messages;
        }
        List<ChatMessage> turns = new ArrayList<>();
        turns.add(ChatMessage.system(system));
        messages.stream().filter(message -> message.role() != Role.SYSTEM).forEach(turns::add);
        return turns;
    }

    /** One system turn at the front, and neighbours of the same role in one turn; tool results stay apart. */
    static List<ChatMessage> joined(List<ChatMessage> messages) {
        List<ChatMessage> turns = new ArrayList<>();
        String system = system(messages);
        if (system != null) {
            turns.add(ChatMessage.system(system));
        }
        for (ChatMessage message : messages) {
            if (message.role() != Role.SYSTEM) {
                add(turns, message);
            }
        }
        return turns;
    }

    /** As {@link #joined}, with the system turn's text in front of the first user turn. */
    static List<ChatMessage> withoutSystem(List<ChatMessage> messages) {
        String system = system(messages);
        if (system == null) {
            return joined(messages);
        }
        List<ChatMessage> turns = new ArrayList<>(joined(messages));
        turns.removeFirst();
        for (int i = 0; i < turns.size(); i++) {
            if (turns.get(i).role() == Role.USER) {
                turns.set(i, ChatMessage.user(joinText(system, turns.get(i).content())));
                return turns;
            }
        }
        turns.addFirst(ChatMessage.user(system));
        return turns;
    }

    private static @Nullable String system(List<ChatMessage> messages) {
        List<String> texts = messages.stream()
                .filter(message -> message.role() == Role.SYSTEM)
                .map(ChatMessage::content)
                .toList();
        return texts.isEmpty() ? null : String.join(BLANK_LINE, texts);
    }

    private static void add(List<ChatMessage> turns, ChatMessage message) {
        ChatMessage last = turns.isEmpty() ? null : turns.getLast();
        if (last == null || last.role() != message.role() || message.role() == Role.TOOL) {
            turns.add(message);
            return;
        }
        List<ToolCall> calls = new ArrayList<>(last.toolCalls());
        calls.addAll(message.toolCalls());
        String reasoning = last.reasoning() == null
                ? message.reasoning()
                : message.reasoning() == null ? last.reasoning() : joinText(last.reasoning(), message.reasoning());
        turns.set(
                turns.size() - 1,
                new ChatMessage(
                        message.role(), joinText(last.content(), message.content()), reasoning, calls, null, null));
    }

    private static String joinText(String first, String second) {
        return first.isEmpty() ? second : second.isEmpty() ? first : first + BLANK_LINE + second;
    }
}
