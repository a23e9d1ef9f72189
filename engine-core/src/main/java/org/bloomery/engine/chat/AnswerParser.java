package org.bloomery.engine.chat;

import java.util.function.Supplier;
import org.bloomery.engine.chat.AnswerSyntax.Reasoning;
import org.bloomery.engine.chat.AnswerSyntax.ToolCalls;
import org.jspecify.annotations.Nullable;

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
    private final Supplier<String> ids;
    private final StringBuilder held = new StringBuilder();
    private State state;
    /** Whether white space is dropped, as after a tag. */
    private boolean skipsSpace;
    /** Where to look for the next closing tag of a tool call. */
    private int searchFrom;

    private int closingTags;

    AnswerParser(AnswerSyntax syntax, boolean toolsOffered, boolean inReasoning, Supplier<String> ids) {
        this.reasoning = syntax.reasoning();
        this.toolCalls = toolsOffered ? syntax.toolCalls() : ToolCalls.NONE;
        this.ids = ids;
        this.state = inReasoning ? State.REASONING : State.START;
        this.skipsSpace = inReasoning;
    }

    /** A parser that takes everything for text. */
    public static AnswerParser plainText() {
        return new AnswerParser(AnswerSyntax.PLAIN, false, false, () -> "");
    }

    /** Takes the next piece of the answer. */
    public void accept(String piece, Listener listener) {
        held.append(piece);
        while (step(listener)) {
            // Each step handles one tag or all that is certain
        }
    }

    /** The end of the answer: what was held back comes out. */
    public void finish(Listener listener) {
        switch (state) {
            case TOOL_CALL -> {
                ToolCall call = parse(held.substring(toolCalls.open().length()));
                if (call != null) {
                    listener.toolCall(call);
                } else {
                    listener.text(held.toString());
                }
            }
            case REASONING -> emit(held.toString().stripTrailing(), listener);
            case START, TEXT -> emit(skipsSpace ? held.toString().stripLeading() : held.toString(), listener);
        }
        held.setLength(0);
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
        state = State.TEXT;
        return true;
    }

    /** Emits what lies before a tag and changes state behind it. */
    private boolean until(String tag, State next, Listener listener) {
        int at = tag.isEmpty() ? -1 : held.indexOf(tag);
        if (at >= 0) {
            emit(held.substring(0, at).stripTrailing(), listener);
            // A tool call keeps its tag, so that all of it can still become text
            held.delete(0, next == State.TOOL_CALL ? at : at + tag.length());
            state = next;
            skipsSpace = next == State.TEXT;
            searchFrom = tag.length();
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
        int end = held.indexOf(close, searchFrom);
        if (end < 0) {
            searchFrom = Math.max(searchFrom, held.length() - close.length() + 1);
            return held.length() > MAX_TOOL_CALL && isText(listener);
        }
        HermesCall found = HermesCall.parse(held.substring(toolCalls.open().length(), end));
        if (found.incomplete() && ++closingTags < MAX_CLOSING_TAGS) {
            // The tag stands inside a string of the call
            searchFrom = end + close.length();
            return true;
        }
        if (!found.valid()) {
            return isText(listener);
        }
        listener.toolCall(new ToolCall(ids.get(), found.name(), found.arguments()));
        held.delete(0, end + close.length());
        state = State.TEXT;
        skipsSpace = true;
        return true;
    }

    private @Nullable ToolCall parse(String text) {
        HermesCall found = HermesCall.parse(text);
        return found.valid() ? new ToolCall(ids.get(), found.name(), found.arguments()) : null;
    }

    /** What looked like a tool call is none: its opening tag is text, and the rest is looked at again. */
    private boolean isText(Listener listener) {
        String open = toolCalls.open();
        emitText(open, listener);
        held.delete(0, open.length());
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
