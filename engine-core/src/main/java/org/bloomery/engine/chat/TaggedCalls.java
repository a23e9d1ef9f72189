package org.bloomery.engine.chat;

import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JsonGenerator;

/** Calls whose name, and perhaps each argument, stands between marks of its own. */
final class TaggedCalls {

    private TaggedCalls() {}

    /**
     * Reads {@code <function=NAME><parameter=P>value</parameter>…</function>}, once or several times, and nothing else. One
     * line break on either side of a value belongs to the marks.
     */
    static CallReader.Reading functions(String body, OfferedTools tools) {
        List<CallReader.Call> calls = new ArrayList<>();
        Cursor at = new Cursor(body);
        while (at.skipsSpace() && !at.atEnd()) {
            if (!at.skips("<function=")) {
                return at.failed("<function=");
            }
            String name = at.until(">");
            if (name == null) {
                return CallReader.Reading.INCOMPLETE;
            }
            if (!isName(name)) {
                return CallReader.Reading.NONE;
            }
            StringWriter arguments = new StringWriter();
            try (JsonGenerator json = JsonCalls.generator(arguments)) {
                json.writeStartObject();
                while (at.skipsSpace() && !at.skips("</function>")) {
                    if (!at.skips("<parameter=")) {
                        return at.failed("</function>", "<parameter=");
                    }
                    String key = at.until(">");
                    String value = key == null ? null : at.untilBefore("</parameter>", "<parameter=", "</function>");
                    if (key == null || value == null) {
                        return CallReader.Reading.INCOMPLETE;
                    }
                    tools.writeArgument(name, key, withoutLineBreaks(value), json);
                }
                json.writeEndObject();
            }
            calls.add(new CallReader.Call(name, arguments.toString()));
        }
        return new CallReader.Reading(calls.isEmpty(), calls, body.length());
    }

    /** Reads {@code NAME<arg_key>K</arg_key><arg_value>V</arg_value>…} and nothing else. */
    static CallReader.Reading keysAndValues(String body, OfferedTools tools) {
        return keysAndValues(body, "", tools);
    }

    /**
     * Reads {@code <tool_call>NAME<tool_sep>}, keys and values as others have them, and {@code </tool_call>}, once or several
     * times, and nothing else.
     *
     * @param kind what the name of each mark ends with
     */
    static CallReader.Reading hunyuan(String body, String kind, OfferedTools tools) {
        List<CallReader.Call> calls = new ArrayList<>();
        Cursor at = new Cursor(body);
        String open = "<tool_call" + kind + ">";
        String close = "</tool_call" + kind + ">";
        while (at.skipsSpace() && !at.atEnd()) {
            if (!at.skips(open)) {
                return at.failed(open);
            }
            String name = at.until("<tool_sep" + kind + ">");
            String arguments = name == null ? null : at.untilBefore(close, open, "");
            if (name == null || arguments == null) {
                return CallReader.Reading.INCOMPLETE;
            }
            CallReader.Reading call =
                    arguments.isBlank() ? none(name.strip()) : keysAndValues(name + arguments, kind, tools);
            if (call.calls().isEmpty()) {
                return call;
            }
            calls.addAll(call.calls());
        }
        return new CallReader.Reading(calls.isEmpty(), calls, body.length());
    }

    /** A call without arguments. */
    private static CallReader.Reading none(String name) {
        return isName(name)
                ? new CallReader.Reading(false, List.of(new CallReader.Call(name, "{}")), 0)
                : CallReader.Reading.NONE;
    }

    private static CallReader.Reading keysAndValues(String body, String kind, OfferedTools tools) {
        String keyOpen = "<arg_key" + kind + ">";
        String keyClose = "</arg_key" + kind + ">";
        String valueOpen = "<arg_value" + kind + ">";
        String valueClose = "</arg_value" + kind + ">";
        int firstKey = body.indexOf(keyOpen);
        String name = (firstKey < 0 ? body : body.substring(0, firstKey)).strip();
        // A name alone must be known: anything else between the marks would look like one
        if (!isName(name) || (firstKey < 0 && !tools.has(name))) {
            return CallReader.Reading.NONE;
        }
        Cursor at = new Cursor(body);
        at.moveTo(firstKey < 0 ? body.length() : firstKey);
        StringWriter arguments = new StringWriter();
        try (JsonGenerator json = JsonCalls.generator(arguments)) {
            json.writeStartObject();
            while (at.skipsSpace() && !at.atEnd()) {
                if (!at.skips(keyOpen)) {
                    return at.failed(keyOpen);
                }
                String key = at.until(keyClose);
                if (key == null) {
                    return CallReader.Reading.INCOMPLETE;
                }
                at.skipsSpace();
                if (!at.skips(valueOpen)) {
                    return at.failed(valueOpen);
                }
                String value = at.untilBefore(valueClose, keyOpen, "");
                if (value == null) {
                    return CallReader.Reading.INCOMPLETE;
                }
                tools.writeArgument(name, key.strip(), value, json);
            }
            json.writeEndObject();
        }
        return new CallReader.Reading(false, List.of(new CallReader.Call(name, arguments.toString())), body.length());
    }

    /** Reads {@code NAME>{…}} and nothing else. */
    static CallReader.Reading nameThenObject(String body, OfferedTools tools) {
        return nameThenObject(body, ">");
    }

    /** Reads a name, a line break and a JSON object, and nothing else. */
    static CallReader.Reading nameLineObject(String body, OfferedTools tools) {
        return nameThenObject(body, "\n");
    }

    private static CallReader.Reading nameThenObject(String body, String endOfName) {
        Cursor at = new Cursor(body);
        String name = at.until(endOfName);
        return name == null ? CallReader.Reading.INCOMPLETE : object(name, body, at.index());
    }

    /** Reads Solar's calls: an id, the name, then the arguments. */
    static CallReader.Reading solar(String body, OfferedTools tools) {
        List<CallReader.Call> calls = new ArrayList<>();
        Cursor at = new Cursor(body);
        while (at.skipsSpace() && !at.atEnd()) {
            if (!at.skips("<|tool_call:begin|>")) {
                return at.failed("<|tool_call:begin|>");
            }
            String id = at.until("<|tool_call:name|>");
            String name = id == null ? null : at.until("<|tool_call:args|>");
            if (name == null) {
                return CallReader.Reading.INCOMPLETE;
            }
            CallReader.Reading call = object(name.strip(), body, at.index());
            if (call.calls().isEmpty()) {
                return call;
            }
            calls.addAll(call.calls());
            at.moveTo(call.end());
            at.skipsSpace();
            if (!at.skips("<|tool_call:end|>") && !at.atEnd()) {
                return at.failed("<|tool_call:end|>");
            }
        }
        return new CallReader.Reading(calls.isEmpty(), calls, body.length());
    }

    /** Reads a list of JSON calls or {@code NAME[ARGS]{…}}, with or without an id, at the beginning. */
    static CallReader.Reading mistral(String body, OfferedTools tools) {
        if (body.stripLeading().startsWith("[")) {
            return JsonCalls.list(body, tools);
        }
        Cursor at = new Cursor(body);
        String head = at.until("[ARGS]");
        if (head == null) {
            return CallReader.Reading.INCOMPLETE;
        }
        int id = head.indexOf("[CALL_ID]");
        return object((id < 0 ? head : head.substring(0, id)).strip(), body, at.index());
    }

    /** Reads Kimi's calls: an id that holds the name, then the arguments. */
    static CallReader.Reading kimi(String body, OfferedTools tools) {
        List<CallReader.Call> calls = new ArrayList<>();
        Cursor at = new Cursor(body);
        while (at.skipsSpace() && !at.atEnd()) {
            if (!at.skips("<|tool_call_begin|>")) {
                return at.failed("<|tool_call_begin|>");
            }
            String id = at.until("<|tool_call_argument_begin|>");
            if (id == null) {
                return CallReader.Reading.INCOMPLETE;
            }
            String name = id.strip();
            name = name.startsWith("functions.") ? name.substring("functions.".length()) : name;
            int count = name.lastIndexOf(':');
            CallReader.Reading call = object(count < 0 ? name : name.substring(0, count), body, at.index());
            if (call.calls().isEmpty()) {
                return call;
            }
            calls.addAll(call.calls());
            at.moveTo(call.end());
            at.skipsSpace();
            if (!at.skips("<|tool_call_end|>") && !at.atEnd()) {
                return at.failed("<|tool_call_end|>");
            }
        }
        return new CallReader.Reading(calls.isEmpty(), calls, body.length());
    }

    /** Reads DeepSeek's calls: of V3.1 the name, then the arguments; of R1 a type, then the name, then a block of code. */
    static CallReader.Reading deepSeek(String body, OfferedTools tools) {
        List<CallReader.Call> calls = new ArrayList<>();
        Cursor at = new Cursor(body);
        while (at.skipsSpace() && !at.atEnd()) {
            if (!at.skips("<｜tool▁call▁begin｜>")) {
                return at.failed("<｜tool▁call▁begin｜>");
            }
            String name = at.until("<｜tool▁sep｜>");
            if (name == null) {
                return CallReader.Reading.INCOMPLETE;
            }
            at.skipsSpace();
            boolean block = name.strip().equals("function") && !at.startsWith("{");
            if (block) {
                name = at.until("```json");
                if (name == null) {
                    return CallReader.Reading.INCOMPLETE;
                }
            }
            CallReader.Reading call = object(name.strip(), body, at.index());
            if (call.calls().isEmpty()) {
                return call;
            }
            calls.addAll(call.calls());
            at.moveTo(call.end());
            at.skipsSpace();
            if (block) {
                at.skips("```");
                at.skipsSpace();
            }
            if (!at.skips("<｜tool▁call▁end｜>") && !at.atEnd()) {
                return at.failed("<｜tool▁call▁end｜>");
            }
        }
        return new CallReader.Reading(calls.isEmpty(), calls, body.length());
    }

    private static CallReader.Reading object(String name, String body, int from) {
        if (!isName(name)) {
            return CallReader.Reading.NONE;
        }
        int end = JsonCalls.objectEnd(body, from);
        return switch (end) {
            case JsonCalls.INCOMPLETE -> CallReader.Reading.INCOMPLETE;
            case JsonCalls.NO_OBJECT -> CallReader.Reading.NONE;
            default ->
                new CallReader.Reading(
                        false,
                        List.of(new CallReader.Call(
                                name, body.substring(from, end).strip())),
                        end);
        };
    }

    /** Whether a text may name a tool: it has no white space and no brackets or quotes. */
    static boolean isName(String text) {
        return !text.isEmpty()
                && text.chars().noneMatch(c -> Character.isWhitespace(c) || "<>[]{}()\"'".indexOf(c) >= 0);
    }

    private static String withoutLineBreaks(String value) {
        int start = value.startsWith("\n") ? 1 : 0;
        int end = value.length() > start && value.endsWith("\n") ? value.length() - 1 : value.length();
        return value.substring(start, end);
    }
}
