package org.bloomery.engine.chat;

import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JsonGenerator;

/**
 * MiniMax M3's calls: {@code <invoke name="NAME"><P>value</P>…</invoke>}, where each tag follows a mark, objects are elements
 * in elements, and elements of arrays are called {@code item}.
 */
final class ElementCalls {

    /** Stands before each tag. */
    static final String MARK = "]<]minimax[>[";

    private static final String ITEM = "item";
    private static final int MAX_DEPTH = 64;

    /** Where the text is no call. */
    private static final class NoCall extends Exception {
        private static final long serialVersionUID = 1L;

        private final boolean incomplete;

        NoCall(boolean incomplete) {
            super(null, null, false, false);
            this.incomplete = incomplete;
        }
    }

    private final Cursor at;
    private final OfferedTools tools;

    private ElementCalls(String text, OfferedTools tools) {
        this.at = new Cursor(text);
        this.tools = tools;
    }

    /** Reads calls one behind the other and nothing else. */
    static CallReader.Reading read(String body, OfferedTools tools) {
        try {
            List<CallReader.Call> calls = new ElementCalls(body, tools).calls();
            return new CallReader.Reading(calls.isEmpty(), calls, body.length());
        } catch (NoCall e) {
            return e.incomplete ? CallReader.Reading.INCOMPLETE : CallReader.Reading.NONE;
        }
    }

    private List<CallReader.Call> calls() throws NoCall {
        List<CallReader.Call> calls = new ArrayList<>();
        while (at.skipsSpace() && !at.atEnd()) {
            expect(MARK + "<invoke name=\"");
            String name = until("\">");
            if (!TaggedCalls.isName(name)) {
                throw new NoCall(false);
            }
            StringWriter arguments = new StringWriter();
            try (JsonGenerator json = JsonCalls.generator(arguments)) {
                object(name, List.of(), MARK + "</invoke>", json);
            }
            calls.add(new CallReader.Call(name, arguments.toString()));
        }
        return calls;
    }

    /** The elements up to a closing tag, as an object. */
    private void object(String tool, List<String> path, String close, JsonGenerator json) throws NoCall {
        json.writeStartObject();
        while (at.skipsSpace() && !at.skips(close)) {
            String key = tag(close);
            json.writeName(key);
            value(tool, with(path, key), MARK + "</" + key + ">", json);
        }
        json.writeEndObject();
    }

    private void value(String tool, List<String> path, String close, JsonGenerator json) throws NoCall {
        if (path.size() > MAX_DEPTH) {
            throw new NoCall(false);
        }
        int start = at.index();
        at.skipsSpace();
        if (at.startsWith(MARK + "<" + ITEM + ">")) {
            json.writeStartArray();
            while (at.skipsSpace() && !at.skips(close)) {
                if (!tag(close).equals(ITEM)) {
                    throw new NoCall(false);
                }
                value(tool, with(path, OfferedTools.ITEM), MARK + "</" + ITEM + ">", json);
            }
            json.writeEndArray();
        } else if (at.startsWith(MARK) && !at.startsWith(close)) {
            object(tool, path, close, json);
        } else {
            at.moveTo(start);
            text(tool, path, until(close), json);
        }
    }

    private void text(String tool, List<String> path, String text, JsonGenerator json) {
        if (text.isBlank()) {
            String type = tools.types(tool, path).stream().sorted().findFirst().orElse("");
            if (type.equals("object")) {
                json.writeRawValue("{}");
                return;
            }
            if (type.equals("array")) {
                json.writeRawValue("[]");
                return;
            }
        }
        tools.writeValue(tool, path, text, json);
    }

    /** The name of the opening tag here. */
    private String tag(String close) throws NoCall {
        if (!at.skips(MARK + "<")) {
            throw new NoCall(at.failed(close, MARK + "<").incomplete());
        }
        String name = until(">");
        if (!TaggedCalls.isName(name) || name.startsWith("/")) {
            throw new NoCall(false);
        }
        return name;
    }

    private static List<String> with(List<String> path, String name) {
        List<String> longer = new ArrayList<>(path);
        longer.add(name);
        return longer;
    }

    private String until(String mark) throws NoCall {
        String found = at.until(mark);
        if (found == null) {
            throw new NoCall(true);
        }
        return found;
    }

    private void expect(String expected) throws NoCall {
        if (!at.skips(expected)) {
            throw new NoCall(at.failed(expected).incomplete());
        }
    }
}
