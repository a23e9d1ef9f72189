package org.bloomery.engine.chat;

import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.bloomery.engine.chat.AnswerParser.Listener;
import org.bloomery.engine.chat.AnswerSyntax.ToolCalls;
import org.bloomery.engine.chat.CallReader.Reading;
import org.bloomery.engine.chat.Framing.Header;
import org.bloomery.engine.chat.Framing.Kind;

/**
 * Reads an answer that is several messages with headers. Text before the first header is text too. An empty line stands
 * between messages of one kind.
 */
final class MessageParser {

    private static final String EMPTY_LINE = "\n\n";

    private final Framing framing;
    private final ToolCalls syntax;
    private final OfferedTools tools;
    private final Supplier<String> ids;
    private final List<String> marks;
    private final int longestMark;
    private final StringBuilder held = new StringBuilder();

    private boolean first = true;
    /** Whether no message has begun since the last one ended. */
    private boolean between = true;

    private Kind kind = Kind.TEXT;
    private boolean skipsSpace;
    private boolean anyText;
    private boolean anyReasoning;
    /** Stands before what comes next, to keep it apart from an earlier message. */
    private String gap = "";
    /** The header of calls as it was written, and what their reader finds in its place. */
    private String header = "";

    private String callee = "";
    /** Where to look for the end of calls, and how many marks were taken for parts of their strings. */
    private int searchFrom;

    private int marksInside;
    /** The first mark behind calls. */
    private Mark firstEnd = Mark.NONE;

    MessageParser(ToolCalls syntax, OfferedTools tools, Supplier<String> ids) {
        this.syntax = syntax;
        this.framing = syntax.framing();
        this.tools = tools;
        this.ids = ids;
        this.marks = Stream.concat(framing.ends().stream(), framing.restarts().stream())
                .toList();
        this.longestMark = marks.stream().mapToInt(String::length).max().orElse(0);
    }

    /** Whether the answer may mark something by this text. */
    boolean expects(String mark) {
        return !mark.isEmpty() && (framing.isMark(mark) || syntax.isMark(mark));
    }

    /** Whether what comes next is reasoning. */
    boolean inReasoning() {
        return !between && kind == Kind.REASONING;
    }

    void accept(String piece, Listener listener) {
        held.append(piece);
        while (step(listener)) {
            // Each step handles one mark or all that is certain
        }
    }

    void finish(Listener listener) {
        while (!between && kind == Kind.CALLS) {
            endCalls(listener);
            while (step(listener)) {
                // What follows may be messages again
            }
        }
        kind = between ? Kind.TEXT : kind;
        String rest = skipsSpace || between ? held.toString().stripLeading() : held.toString();
        int torn = torn(rest);
        emit(
                torn < rest.length() || kind == Kind.REASONING
                        ? rest.substring(0, torn).stripTrailing()
                        : rest,
                listener);
        if (framing.callsFrom(rest.substring(torn), tools)) {
            listener.malformedCall(rest.substring(torn));
        }
        held.setLength(0);
    }

    /** Where a mark or header begins that the end of the answer tears; the length of the text where there is none. */
    private int torn(String rest) {
        if (between && framing.isTornHeader(rest, tools)) {
            return 0;
        }
        for (Mark mark = Mark.first(marks, rest, 0); mark.found(); mark = Mark.first(marks, rest, mark.at() + 1)) {
            if (framing.isTornHeader(rest.substring(mark.at()), tools)) {
                return mark.at();
            }
        }
        int beginning = Mark.beginning(marks, rest);
        return beginning >= AnswerParser.MIN_TORN_MARK ? rest.length() - beginning : rest.length();
    }

    /** Returns whether there may be more to do. */
    private boolean step(Listener listener) {
        if (between || (skipsSpace && kind != Kind.CALLS)) {
            int space = 0;
            while (space < held.length() && Character.isWhitespace(held.charAt(space))) {
                space++;
            }
            held.delete(0, space);
            if (held.isEmpty()) {
                return false;
            }
            skipsSpace = false;
        }
        if (between) {
            return begin(listener);
        }
        return kind == Kind.CALLS ? calls(listener) : text(listener);
    }

    private boolean begin(Listener listener) {
        String text = held.toString();
        for (String end : framing.ends()) {
            if (text.startsWith(end)) {
                held.delete(0, end.length());
                return true;
            }
            if (end.startsWith(text)) {
                return false;
            }
        }
        Header found = framing.header(text, first, tools);
        if (found.end() < 0) {
            return false;
        }
        header = text.substring(0, found.end());
        held.delete(0, found.end());
        if (found.kind() == Kind.OTHER && framing.callsFrom(header, tools)) {
            listener.malformedCall(header);
        }
        first = false;
        between = false;
        kind = found.kind();
        callee = found.callee();
        skipsSpace = !header.isEmpty();
        boolean again = kind == Kind.TEXT ? anyText : kind == Kind.REASONING && anyReasoning;
        gap = again ? EMPTY_LINE : "";
        searchFrom = 0;
        marksInside = 0;
        firstEnd = Mark.NONE;
        return true;
    }

    /** Emits a message's text up to its end, as far as that is certain. */
    private boolean text(Listener listener) {
        Mark end = end(0);
        boolean ends = end.found() && !isOpen(end);
        int certain = end.found() ? end.at() : held.length() - Mark.beginning(marks, held);
        while (certain > 0 && Character.isWhitespace(held.charAt(certain - 1))) {
            certain--;
        }
        emit(held.substring(0, certain), listener);
        held.delete(0, ends ? behind(end) : certain);
        between = ends;
        return ends;
    }

    private boolean calls(Listener listener) {
        Mark end = end(searchFrom);
        if (!end.found() || isOpen(end)) {
            searchFrom = end.found() ? end.at() : Math.max(searchFrom, held.length() - longestMark + 1);
            if (held.length() <= AnswerParser.MAX_TOOL_CALL) {
                return false;
            }
            malformed(firstEnd.found() ? firstEnd : end, listener);
            return true;
        }
        firstEnd = firstEnd.found() ? firstEnd : end;
        String body = callee + held.substring(0, end.at());
        Reading found = read(body);
        if (found.incomplete() && ++marksInside < AnswerParser.MAX_CLOSING_TAGS) {
            // The mark stands inside a string of the calls
            searchFrom = end.end();
            return true;
        }
        if (found.isAll(body)) {
            take(found, listener);
            held.delete(0, behind(end));
            between = true;
        } else {
            malformed(firstEnd, listener);
        }
        return true;
    }

    /** Takes calls that the end of the answer ends. */
    private void endCalls(Listener listener) {
        String body = callee + held;
        Reading found = read(body);
        if (found.isAll(body)) {
            take(found, listener);
            held.setLength(0);
            between = true;
        } else {
            malformed(firstEnd.found() ? firstEnd : end(searchFrom), listener);
        }
    }

    /** Calls can be to offered tools only. */
    private Reading read(String body) {
        return tools.tools().isEmpty() ? Reading.NONE : syntax.reader().read(body, tools);
    }

    private void take(Reading found, Listener listener) {
        found.calls().forEach(call -> listener.toolCall(new ToolCall(ids.get(), call.name(), call.arguments())));
    }

    /** Reports calls up to a mark, or all of them; the rest of what has no end is dropped. */
    private void malformed(Mark end, Listener listener) {
        listener.malformedCall(header + held.substring(0, Math.min(end.at(), held.length())));
        held.delete(0, end.found() ? behind(end) : held.length());
        between = end.found();
        kind = Kind.OTHER;
    }

    /** The next mark that ends the message or begins a header. */
    private Mark end(int from) {
        Mark end = Mark.first(marks, held, from);
        while (end.found() && isHeaderMark(end) && header(end).end() == 0) {
            end = Mark.first(marks, held, end.at() + 1);
        }
        return end;
    }

    /** Whether the text ends before it is certain that a mark begins a header. */
    private boolean isOpen(Mark mark) {
        return isHeaderMark(mark) && header(mark).end() < 0;
    }

    private Header header(Mark mark) {
        return framing.header(held.substring(mark.at()), false, tools);
    }

    private boolean isHeaderMark(Mark mark) {
        return !framing.ends().contains(mark.text());
    }

    /** Where what follows a mark begins: headers begin with theirs. */
    private int behind(Mark end) {
        return isHeaderMark(end) ? end.at() : end.end();
    }

    private void emit(String text, Listener listener) {
        if (text.isEmpty()) {
            return;
        }
        switch (kind) {
            case TEXT -> {
                listener.text(gap + text);
                anyText = true;
            }
            case REASONING -> {
                listener.reasoning(gap + text);
                anyReasoning = true;
            }
            case CALLS, OTHER -> {}
        }
        gap = "";
    }
}
