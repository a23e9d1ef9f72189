package org.bloomery.engine.chat;

import java.util.List;
import java.util.function.Supplier;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.chat.AnswerSyntax.Reasoning;
import org.bloomery.engine.chat.AnswerSyntax.ToolCalls;
import org.bloomery.engine.chat.CallReader.Reading;
import org.jspecify.annotations.Nullable;

/**
 * Tells text, reasoning and tool calls of an answer apart while it is generated. Tags may be split over pieces: what may be
 * the beginning of one is held back until that is certain, and comes out as text if it is none. White space around
 * reasoning and tool calls is dropped. What stands between marks of a call but is none is no text either: it is dropped and
 * reported. Not safe for use by several threads.
 */
public final class AnswerParser {

    /** Longest tool call, in characters; a longer one is malformed. */
    static final int MAX_TOOL_CALL = 1 << 20;

    /** How many closing tags inside one call's strings are looked behind. */
    static final int MAX_CLOSING_TAGS = 32;

    /** How much of a mark, in characters, is no text where the end of the answer tears it. */
    static final int MIN_TORN_MARK = 6;

    /** Takes the parts of an answer, in their order. */
    public interface Listener {

        /** More of the answer's text, never empty. */
        void text(String text);

        /** More of the reasoning, never empty. */
        void reasoning(String text);

        /** A complete call. */
        void toolCall(ToolCall call);

        /**
         * What the answer marks as a call but no reader of the family can read: malformed, or cut off by the end of the
         * answer. It is no part of the text.
         *
         * @param raw as the model wrote it, with its marks; may hold user data
         */
        void malformedCall(String raw);
    }

    private enum State {
        /** Only white space so far: reasoning may begin. */
        START,
        REASONING,
        TEXT,
        TOOL_CALL,
        /** In a call that is too long, up to its closing tag. */
        DROPPED
    }

    private final Reasoning reasoning;
    private final ToolCalls toolCalls;
    private final OfferedTools tools;
    private final Supplier<String> ids;
    private final StringBuilder held = new StringBuilder();
    private State state;
    /** Whether white space is dropped, as after a tag. */
    private boolean skipsSpace;
    /** The tag that the tool call began with and the space before it; empty where a call needs none. */
    private String opened = "";
    /** Where to look for the next closing tag of a tool call. */
    private int searchFrom;

    private int closingTags;
    /** Index of the first closing tag of a tool call, negative before it comes. */
    private int firstClosingTag;

    private boolean anyText;
    /** White space before a malformed call, for text behind it. */
    private String spaceBefore = "";
    /** Reads answers of families that frame messages; null for others. */
    private final @Nullable MessageParser messages;

    AnswerParser(AnswerSyntax syntax, List<ToolSpec> tools, boolean inReasoning, Supplier<String> ids) {
        this.reasoning = syntax.reasoning();
        this.toolCalls = tools.isEmpty() ? ToolCalls.NONE : syntax.toolCalls();
        this.tools = new OfferedTools(tools);
        this.ids = ids;
        this.state = inReasoning ? State.REASONING : State.START;
        this.skipsSpace = inReasoning;
        this.messages = syntax.toolCalls().framing().equals(Framing.NONE)
                ? null
                : new MessageParser(syntax.toolCalls(), this.tools, ids);
    }

    /**
     * A parser for one answer in the syntax that a template's text speaks of.
     *
     * @param tools what the prompt offered; where that is nothing, marks of tool calls are plain text
     * @param prompt the prompt, whose end tells whether the answer begins inside the reasoning
     * @param ids gives each tool call its id
     */
    public static AnswerParser of(String template, List<ToolSpec> tools, List<TextSpan> prompt, Supplier<String> ids) {
        AnswerSyntax syntax = AnswerSyntax.of(template);
        return new AnswerParser(syntax, tools, syntax.opensReasoning(prompt), ids);
    }

    /** A parser that takes everything for text. */
    public static AnswerParser plainText() {
        return new AnswerParser(AnswerSyntax.PLAIN, List.of(), false, () -> "");
    }

    /** Takes the next piece of the answer. */
    public void accept(String piece, Listener listener) {
        if (messages != null) {
            messages.accept(piece, listener);
            return;
        }
        held.append(piece);
        while (step(listener)) {
            // Each step handles one tag or all that is certain
        }
    }

    /**
     * Whether the answer may mark something by this text where it is now. Vocabularies spell some marks, or parts of them, as
     * control tokens, which are otherwise no part of an answer.
     */
    public boolean expects(String mark) {
        if (messages != null) {
            return messages.expects(mark);
        }
        return !mark.isEmpty()
                && switch (state) {
                    case START -> continues(reasoning.open(), mark) || continues(toolCalls.open(), mark);
                    case REASONING -> continues(reasoning.close(), mark);
                    case TEXT -> continues(toolCalls.open(), mark);
                    case TOOL_CALL, DROPPED -> toolCalls.isMark(mark);
                };
    }

    /** Whether what comes next is reasoning. */
    public boolean inReasoning() {
        return messages != null ? messages.inReasoning() : state == State.REASONING;
    }

    /** Whether a text, behind what is held back, is a part of a tag from its beginning. */
    private boolean continues(String tag, String text) {
        if (tag.startsWith(text)) {
            return true;
        }
        int length = Mark.beginning(List.of(tag), held);
        return length > 0 && tag.startsWith(held.substring(held.length() - length) + text);
    }

    /** The end of the answer: what was held back comes out. */
    public void finish(Listener listener) {
        if (messages != null) {
            messages.finish(listener);
            return;
        }
        while (state == State.TOOL_CALL && endsCall(listener)) {
            while (step(listener)) {
                // What follows may be calls again
            }
        }
        String rest = skipsSpace ? held.toString().stripLeading() : held.toString();
        switch (state) {
            case TOOL_CALL, DROPPED -> {}
            case REASONING ->
                emit(
                        rest.substring(0, rest.length() - torn(reasoning.close(), rest))
                                .stripTrailing(),
                        listener);
            case START, TEXT -> {
                int call = torn(toolCalls.open(), rest);
                int torn = Math.max(call, state == State.START ? torn(reasoning.open(), rest) : 0);
                String text = rest.substring(0, rest.length() - torn);
                emit(torn > 0 ? text.stripTrailing() : text, listener);
                if (call > 0) {
                    listener.malformedCall(rest.substring(rest.length() - call));
                }
            }
        }
        held.setLength(0);
    }

    /** How much of a tag stands at the end, where that is too much for text. */
    private static int torn(String tag, String rest) {
        int torn = Mark.beginning(List.of(tag), rest);
        return torn >= MIN_TORN_MARK ? torn : 0;
    }

    /** Takes what began as a call and was not closed before the end of the answer; returns whether more may follow. */
    private boolean endsCall(Listener listener) {
        String body = held.substring(opened.length());
        Reading found = toolCalls.reader().read(body, tools);
        if (toolCalls.close().isEmpty() ? !found.calls().isEmpty() : found.isAll(body)) {
            take(found, opened.length() + found.end(), listener);
            return true;
        }
        if (!toolCalls.isMarked(opened)) {
            state = State.TEXT;
            return false;
        }
        int next =
                toolCalls.close().isEmpty() && !opened.isEmpty() ? held.indexOf(toolCalls.open(), opened.length()) : -1;
        int end = firstClosingTag >= 0 ? firstClosingTag + toolCalls.close().length() : next < 0 ? held.length() : next;
        drop(end, listener);
        return true;
    }

    private void take(Reading found, int end, Listener listener) {
        for (CallReader.Call call : found.calls()) {
            listener.toolCall(new ToolCall(ids.get(), call.name(), call.arguments()));
        }
        held.delete(0, end);
        spaceBefore = "";
        state = State.TEXT;
        skipsSpace = true;
    }

    /** Returns whether there may be more to do. */
    private boolean step(Listener listener) {
        if (state == State.TOOL_CALL) {
            return toolCall(listener);
        }
        if (state == State.DROPPED) {
            return dropped();
        }
        if (skipsSpace) {
            int space = 0;
            while (space < held.length() && Character.isWhitespace(held.charAt(space))) {
                space++;
            }
            held.delete(0, space);
            skipsSpace = held.isEmpty();
        }
        if (held.isEmpty()) {
            return false;
        }
        return switch (state) {
            case START -> start();
            case REASONING -> until(reasoning.close(), State.TEXT, listener);
            case TEXT, TOOL_CALL, DROPPED -> until(toolCalls.open(), State.TOOL_CALL, listener);
        };
    }

    private boolean start() {
        int from = 0;
        while (from < held.length() && Character.isWhitespace(held.charAt(from))) {
            from++;
        }
        int opens = beginsWith(reasoning.open(), from);
        // Some templates end the reasoning before the answer, and some models do so again
        int closes = beginsWith(reasoning.close(), from);
        if (opens > 0 || closes > 0) {
            held.delete(0, from + Math.max(opens, closes));
            state = opens > 0 ? State.REASONING : State.TEXT;
            skipsSpace = true;
            return true;
        }
        if (opens < 0 || closes < 0) {
            return false;
        }
        if (!toolCalls.beginning().isEmpty()) {
            int known = beginsCall(from);
            if (known == toolCalls.beginning().length()) {
                state = State.TOOL_CALL;
                opened = "";
                searchFrom = 0;
                closingTags = 0;
                firstClosingTag = -1;
                return true;
            }
            if (known >= 0) {
                return false;
            }
        }
        state = State.TEXT;
        return true;
    }

    /** Length of a tag that stands at an index, 0 where it does not, negative where the text ends before that is certain. */
    private int beginsWith(String tag, int index) {
        int known = Math.min(tag.length(), held.length() - index);
        return !held.substring(index, index + known).equals(tag.substring(0, known))
                ? 0
                : known < tag.length() ? -1 : known;
    }

    /** How much of a call's beginning stands at an index, white space aside, up to the end; negative where none does. */
    private int beginsCall(int from) {
        String beginning = toolCalls.beginning();
        int known = 0;
        for (int i = from; i < held.length() && known < beginning.length(); i++) {
            char c = held.charAt(i);
            if (c == beginning.charAt(known)) {
                known++;
            } else if (!Character.isWhitespace(c)) {
                return -1;
            }
        }
        return known;
    }

    /** Emits what lies before a tag and changes state behind it. */
    private boolean until(String tag, State next, Listener listener) {
        int at = tag.isEmpty() ? -1 : held.indexOf(tag);
        if (at >= 0) {
            String before = held.substring(0, at).stripTrailing();
            emit(before, listener);
            // A tool call keeps its tag, to be reported if it is none, and the space before it, to stand before what
            // follows
            int behind = at + tag.length();
            opened = next == State.TOOL_CALL ? held.substring(before.length(), behind) : "";
            held.delete(0, next == State.TOOL_CALL ? before.length() : behind);
            state = next;
            skipsSpace = next == State.TEXT;
            searchFrom = opened.length();
            closingTags = 0;
            firstClosingTag = -1;
            return true;
        }
        int certain = held.length() - Mark.beginning(List.of(tag), held);
        if (!tag.isEmpty()) {
            // White space may turn out to lie before a tag
            while (certain > 0 && Character.isWhitespace(held.charAt(certain - 1))) {
                certain--;
            }
        }
        emit(held.substring(0, certain), listener);
        held.delete(0, certain);
        return false;
    }

    private boolean toolCall(Listener listener) {
        String close = toolCalls.close();
        int end = close.isEmpty() ? -1 : held.indexOf(close, searchFrom);
        if (end < 0) {
            searchFrom = Math.max(searchFrom, held.length() - close.length() + 1);
            return held.length() > MAX_TOOL_CALL && isTooLong(listener);
        }
        if (firstClosingTag < 0) {
            firstClosingTag = end;
        }
        String body = held.substring(opened.length(), end);
        Reading found = toolCalls.reader().read(body, tools);
        if (found.incomplete() && ++closingTags < MAX_CLOSING_TAGS) {
            // The tag stands inside a string of the call
            searchFrom = end + close.length();
            return true;
        }
        if (found.isAll(body)) {
            take(found, end + close.length(), listener);
        } else {
            drop(firstClosingTag + close.length(), listener);
        }
        return true;
    }

    private boolean isTooLong(Listener listener) {
        if (!toolCalls.isMarked(opened)) {
            state = State.TEXT;
            return true;
        }
        if (firstClosingTag >= 0) {
            drop(firstClosingTag + toolCalls.close().length(), listener);
            return true;
        }
        drop(held.length(), listener);
        state = State.DROPPED;
        return false;
    }

    /** Reports the call up to an index. */
    private void drop(int end, Listener listener) {
        String raw = held.substring(0, end);
        String call = raw.stripLeading();
        held.delete(0, end);
        spaceBefore = anyText ? raw.substring(0, raw.length() - call.length()) : "";
        state = State.TEXT;
        skipsSpace = !anyText;
        listener.malformedCall(call);
    }

    /** Drops the rest of a call that is too long. */
    private boolean dropped() {
        String close = toolCalls.close();
        int end = close.isEmpty() ? -1 : held.indexOf(close);
        if (end < 0) {
            held.delete(0, held.length() - Mark.beginning(List.of(close), held));
            return false;
        }
        held.delete(0, end + close.length());
        state = State.TEXT;
        skipsSpace = !anyText;
        return true;
    }

    private void emit(String text, Listener listener) {
        if (state == State.REASONING) {
            if (!text.isEmpty()) {
                listener.reasoning(text);
            }
        } else {
            emitText(text, listener);
        }
    }

    private void emitText(String text, Listener listener) {
        if (!text.isEmpty()) {
            // What stood apart by a call that was dropped stays apart
            listener.text(Character.isWhitespace(text.charAt(0)) ? text : spaceBefore + text);
            spaceBefore = "";
            anyText = true;
        }
    }
}
