package org.bloomery.engine.chat;

import java.io.StringWriter;
import java.util.List;
import tools.jackson.core.JsonGenerator;

/**
 * A call as Gemma 4 writes it: {@code call:NAME{key:value,…}}, where keys are bare, strings stand between marks of their own
 * and have no escapes, and all else is as in JSON.
 */
final class GemmaCalls {

    static final String QUOTE = "<|\"|>";

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

    private GemmaCalls(String text) {
        this.at = new Cursor(text);
    }

    /** Reads one call and nothing else. */
    static CallReader.Reading read(String body, OfferedTools tools) {
        try {
            return new CallReader.Reading(false, List.of(new GemmaCalls(body).call()), body.length());
        } catch (NoCall e) {
            return e.incomplete ? CallReader.Reading.INCOMPLETE : CallReader.Reading.NONE;
        }
    }

    private CallReader.Call call() throws NoCall {
        expect("call:");
        String name = word("{");
        if (name.isEmpty()) {
            throw new NoCall(at.atEnd());
        }
        StringWriter arguments = new StringWriter();
        try (JsonGenerator json = JsonCalls.generator(arguments)) {
            expect("{");
            object(json, 0);
        }
        at.skipsSpace();
        if (!at.atEnd()) {
            throw new NoCall(false);
        }
        return new CallReader.Call(name, arguments.toString());
    }

    /** The rest of an object, behind its bracket. */
    private void object(JsonGenerator json, int depth) throws NoCall {
        json.writeStartObject();
        while (!skips("}")) {
            json.writeName(skips(QUOTE) ? string() : word(":"));
            expect(":");
            value(json, depth + 1);
            if (!skips(",")) {
                expect("}");
                break;
            }
        }
        json.writeEndObject();
    }

    private void value(JsonGenerator json, int depth) throws NoCall {
        if (depth > MAX_DEPTH) {
            throw new NoCall(false);
        }
        if (skips(QUOTE)) {
            json.writeString(string());
        } else if (skips("{")) {
            object(json, depth);
        } else if (skips("[")) {
            json.writeStartArray();
            while (!skips("]")) {
                value(json, depth + 1);
                if (!skips(",")) {
                    expect("]");
                    break;
                }
            }
            json.writeEndArray();
        } else {
            String scalar = word(",}]");
            if (at.atEnd()) {
                throw new NoCall(true);
            }
            if (!JsonCalls.isValue(scalar)) {
                throw new NoCall(false);
            }
            json.writeRawValue(scalar);
        }
    }

    /** The rest of a string, behind its first quote. */
    private String string() throws NoCall {
        String string = at.until(QUOTE);
        if (string == null) {
            throw new NoCall(true);
        }
        return string;
    }

    /** What stands before one of these characters: text without brackets, marks and line breaks. */
    private String word(String ends) throws NoCall {
        at.skipsSpace();
        StringBuilder word = new StringBuilder();
        while (!at.atEnd() && ends.indexOf(at.peek()) < 0) {
            char c = at.next();
            if ("{}[]<>\n".indexOf(c) >= 0) {
                throw new NoCall(false);
            }
            word.append(c);
        }
        return word.toString().strip();
    }

    private boolean skips(String expected) {
        return at.skipsSpace() && at.skips(expected);
    }

    private void expect(String expected) throws NoCall {
        if (!skips(expected)) {
            throw new NoCall(at.atEnd());
        }
    }
}
