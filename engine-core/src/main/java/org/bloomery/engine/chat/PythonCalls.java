package org.bloomery.engine.chat;

import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JsonGenerator;

/** Calls written as a Python list of calls with keyword arguments whose values are literals: {@code [f(a="x", n=3)]}. */
final class PythonCalls {

    private static final int MAX_DEPTH = 64;

    /** Where the text is no Python list of calls. */
    private static final class NoCalls extends Exception {
        private static final long serialVersionUID = 1L;

        private final boolean incomplete;

        NoCalls(boolean incomplete) {
            super(null, null, false, false);
            this.incomplete = incomplete;
        }
    }

    private final Cursor at;

    private PythonCalls(String text) {
        this.at = new Cursor(text);
    }

    static CallReader.Reading read(String body, OfferedTools tools) {
        try {
            return new CallReader.Reading(false, new PythonCalls(body).calls(), body.length());
        } catch (NoCalls e) {
            return e.incomplete ? CallReader.Reading.INCOMPLETE : CallReader.Reading.NONE;
        }
    }

    private List<CallReader.Call> calls() throws NoCalls {
        List<CallReader.Call> calls = new ArrayList<>();
        boolean list = skips("[");
        while (!list || !skips("]")) {
            String name = name();
            expect("(");
            StringWriter arguments = new StringWriter();
            try (JsonGenerator json = JsonCalls.generator(arguments)) {
                json.writeStartObject();
                while (!skips(")")) {
                    json.writeName(name());
                    expect("=");
                    value(json, 0);
                    if (!skips(",")) {
                        expect(")");
                        break;
                    }
                }
                json.writeEndObject();
            }
            calls.add(new CallReader.Call(name, arguments.toString()));
            if (!skips(",")) {
                if (list) {
                    expect("]");
                }
                break;
            }
        }
        at.skipsSpace();
        if (!at.atEnd()) {
            throw new NoCalls(false);
        }
        return calls;
    }

    private void value(JsonGenerator json, int depth) throws NoCalls {
        if (depth > MAX_DEPTH) {
            throw new NoCalls(false);
        }
        at.skipsSpace();
        char first = at.peek();
        if (first == '"' || first == '\'') {
            json.writeString(string());
        } else if (skips("[")) {
            sequence(json, "]", depth);
        } else if (skips("(")) {
            sequence(json, ")", depth);
        } else if (skips("{")) {
            json.writeStartObject();
            while (!skips("}")) {
                at.skipsSpace();
                json.writeName(string());
                expect(":");
                value(json, depth + 1);
                if (!skips(",")) {
                    expect("}");
                    break;
                }
            }
            json.writeEndObject();
        } else {
            json.writeRawValue(scalar());
        }
    }

    private void sequence(JsonGenerator json, String close, int depth) throws NoCalls {
        json.writeStartArray();
        while (!skips(close)) {
            value(json, depth + 1);
            if (!skips(",")) {
                expect(close);
                break;
            }
        }
        json.writeEndArray();
    }

    /** A number or one of Python's or JSON's words, as JSON. */
    private String scalar() throws NoCalls {
        StringBuilder word = new StringBuilder();
        while (Character.isLetterOrDigit(at.peek()) || (at.peek() != 0 && "+-.".indexOf(at.peek()) >= 0)) {
            word.append(at.next());
        }
        if (at.atEnd()) {
            throw new NoCalls(true);
        }
        return switch (word.toString()) {
            case "True", "true" -> "true";
            case "False", "false" -> "false";
            case "None", "null" -> "null";
            default -> {
                String number = word.toString();
                if (number.isEmpty() || !JsonCalls.isValue(number)) {
                    throw new NoCalls(false);
                }
                yield number;
            }
        };
    }

    private String string() throws NoCalls {
        char quote = at.next();
        if (quote != '"' && quote != '\'') {
            throw new NoCalls(at.atEnd());
        }
        StringBuilder string = new StringBuilder();
        while (true) {
            if (at.atEnd()) {
                throw new NoCalls(true);
            }
            char c = at.next();
            if (c == quote) {
                return string.toString();
            }
            if (c != '\\') {
                string.append(c);
                continue;
            }
            char escaped = at.next();
            switch (escaped) {
                case 'n' -> string.append('\n');
                case 't' -> string.append('\t');
                case 'r' -> string.append('\r');
                case 'b' -> string.append('\b');
                case 'f' -> string.append('\f');
                case 'x' -> string.append((char) hexadecimal(2));
                case 'u' -> string.append((char) hexadecimal(4));
                case '\\', '\'', '"', '/' -> string.append(escaped);
                case 0 -> throw new NoCalls(true);
                default -> string.append('\\').append(escaped);
            }
        }
    }

    private int hexadecimal(int digits) throws NoCalls {
        int code = 0;
        for (int i = 0; i < digits; i++) {
            if (at.atEnd()) {
                throw new NoCalls(true);
            }
            int digit = Character.digit(at.next(), 16);
            if (digit < 0) {
                throw new NoCalls(false);
            }
            code = code * 16 + digit;
        }
        return code;
    }

    private String name() throws NoCalls {
        at.skipsSpace();
        StringBuilder name = new StringBuilder();
        while (Character.isLetterOrDigit(at.peek()) || (at.peek() != 0 && "_.-".indexOf(at.peek()) >= 0)) {
            name.append(at.next());
        }
        if (name.isEmpty()) {
            throw new NoCalls(at.atEnd());
        }
        return name.toString();
    }

    private boolean skips(String expected) {
        return at.skipsSpace() && at.skips(expected);
    }

    private void expect(String expected) throws NoCalls {
        if (!skips(expected)) {
            throw new NoCalls(at.atEnd());
        }
    }
}
