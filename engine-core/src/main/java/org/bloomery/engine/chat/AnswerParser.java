package org.bloomery.engine.chat;

import java.util.List;
import java.util.function.Supplier;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.chat.AnswerSyntax.Reasoning;
import org.bloomery.engine.chat.AnswerSyntax.ToolCalls;
import org.bloomery.engine.chat.CallReader.Reading;

/**
 * Tells text, reasoning and tool calls of an answer apart while it is generated. Tags may be split over pieces: what may be
 * the beginning of one is held back until that is certain, and comes out as text if it is none. White space around
 * reasoning and tool calls is dropped. Not safe for use by several threads.
 */
public final class AnswerParser {

    /** Longest tool call, in characters; a longer one comes out as text. */
    private static final int MAX_TOOL_CALL = 1 << 20;

    /** How many closing tags inside one call's strings are looked behind. */
    private static final int MAX_CLOSING_TAGS = 32;

    /** How a call without marks begins, white space aside. */
    private static final String CALL_BEGINNING = "{\"name\":";

    /** Takes the parts of an answer, in their order. */
    public interface Listener {

        /** More of the answer's text, never empty. */
        void text(String text);

        /** More of the reasoning, never empty. */
        void reasoning(String text);

        /** A complete call. */
        void toolCall(ToolCall call);
    }

    private enum State {
        /** Only white space so far: reasoning may begin. */
        START,
        REASONING,
        TEXT,
        TOOL_CALL
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

    AnswerParser(AnswerSyntax syntax, List<ToolSpec> tools, boolean inReasoning, Supplier<String> ids) {
        this.reasoning = syntax.reasoning();
        this.toolCalls = tools.isEmpty() ? ToolCalls.NONE : syntax.toolCalls();
        this.tools = new OfferedTools(tools);
        this.ids = ids;
        this.state = inReasoning ? State.REASONING : State.START;
        this.skipsSpace = inReasoning;
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
        held.append(piece);
        while (step(listener)) {
            // Each step handles one tag or all that is certain
        }
    }

    /**
     * Whether the answer may mark something by this text where it is now. Vocabularies spell some marks as control tokens,
     * which are otherwise no part of an answer; the token may be the beginning of a mark that begins the reasoning.
     */
    public boolean expects(String mark) {
        return !mark.isEmpty()
                && switch (state) {
                    case START -> reasoning.open().startsWith(mark) || mark.equals(toolCalls.open());
                    case REASONING -> mark.equals(reasoning.close());
                    case TEXT -> mark.equals(toolCalls.open());
                    case TOOL_CALL -> toolCalls.isMark(mark);
                };
    }

    /** Whether what comes next is reasoning. */
    public boolean inReasoning() {
        return state == State.REASONING;
    }

    /** The end of the answer: what was held back comes out. */
    public void finish(Listener listener) {
        while (state == State.TOOL_CALL && endsCall(listener)) {
            while (step(listener)) {
                // What follows calls that have no closing tag may be calls again
            }
        }
        switch (state) {
            case TOOL_CALL -> emitText(held.toString(), listener);
            case REASONING -> emit(held.toString().stripTrailing(), listener);
            case START, TEXT -> emit(skipsSpace ? held.toString().stripLeading() : held.toString(), listener);
        }
        held.setLength(0);
    }

    /** Takes calls that the end of the answer ends; returns whether there were any. */
    private boolean endsCall(Listener listener) {
        String body = held.substring(opened.length());
        Reading found = toolCalls.reader().read(body, tools);
        if (toolCalls.close().isEmpty() ? found.calls().isEmpty() : !found.isAll(body)) {
            return false;
        }
        take(found, opened.length() + found.end(), listener);
        return true;
    }

    private void take(Reading found, int end, Listener listener) {
        for (CallReader.Call call : found.calls()) {
            listener.toolCall(new ToolCall(ids.get(), call.name(), call.arguments()));
        }
        held.delete(0, end);
        state = State.TEXT;
        skipsSpace = true;
    }

    /** Returns whether there may be more to do. */
    private boolean step(Listener listener) {
        if (state == State.TOOL_CALL) {
            return toolCall(listener);
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
            case TEXT, TOOL_CALL -> until(toolCalls.open(), State.TOOL_CALL, listener);
        };
    }

    private boolean start() {
        int from = 0;
        while (from < held.length() && Character.isWhitespace(held.charAt(from))) {
            from++;
        }
        String open = reasoning.open();
        if (!open.isEmpty()) {
            int known = Math.min(open.length(), held.length() - from);
            if (held.substring(from, from + known).equals(open.substring(0, known))) {
                if (known < open.length()) {
                    return false;
                }
                held.delete(0, from + known);
                state = State.REASONING;
                skipsSpace = true;
                return true;
            }
        }
        if (toolCalls.needsNoMark()) {
            int known = beginsCall(from);
            if (known == CALL_BEGINNING.length()) {
                state = State.TOOL_CALL;
                opened = "";
                return true;
            }
            if (known >= 0) {
                return false;
            }
        }
        state = State.TEXT;
        return true;
    }

    /** How much of a call's beginning stands at an index, white space aside, up to the end; negative where none does. */
    private int beginsCall(int from) {
        int known = 0;
        for (int i = from; i < held.length() && known < CALL_BEGINNING.length(); i++) {
            char c = held.charAt(i);
            if (c == CALL_BEGINNING.charAt(known)) {
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
            // A tool call keeps its tag and the space before it, so that all of it can still become text
            int behind = at + tag.length();
            opened = next == State.TOOL_CALL ? held.substring(before.length(), behind) : "";
            held.delete(0, next == State.TOOL_CALL ? before.length() : behind);
            state = next;
            skipsSpace = next == State.TEXT;
            searchFrom = opened.length();
            closingTags = 0;
            return true;
        }
        int certain = held.length() - longestBeginning(tag);
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

    private int longestBeginning(String tag) {
        for (int length = Math.min(tag.length() - 1, held.length()); length > 0; length--) {
            if (tag.startsWith(held.substring(held.length() - length))) {
                return length;
            }
        }
        return 0;
    }

    private boolean toolCall(Listener listener) {
        String close = toolCalls.close();
        int end = close.isEmpty() ? -1 : held.indexOf(close, searchFrom);
        if (end < 0) {
            searchFrom = Math.max(searchFrom, held.length() - close.length() + 1);
            return held.length() > MAX_TOOL_CALL && isText(listener);
        }
        String body = held.substring(opened.length(), end);
        Reading found = toolCalls.reader().read(body, tools);
        if (found.incomplete() && ++closingTags < MAX_CLOSING_TAGS) {
            // The tag stands inside a string of the call
            searchFrom = end + close.length();
            return true;
        }
        if (!found.isAll(body)) {
            return isText(listener);
        }
        take(found, end + close.length(), listener);
        return true;
    }

    /** What looked like a tool call is none: its opening tag is text, and the rest is looked at again. */
    private boolean isText(Listener listener) {
        emitText(opened, listener);
        held.delete(0, opened.length());
        state = State.TEXT;
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

    private static void emitText(String text, Listener listener) {
        if (!text.isEmpty()) {
            listener.text(text);
        }
    }
}
