package org.bloomery.engine.chat;

import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** Calls written as {@code <invoke name="NAME"><parameter name="P">value</parameter>…</invoke>}, with marks of one kind. */
final class InvokeCalls {

    private InvokeCalls() {}

    /** Reads DeepSeek's calls of V3.2 and V4, which say of each value whether it is a string or JSON. */
    static CallReader.Reading deepSeek(String body, OfferedTools tools) {
        return read(body, "｜DSML｜", tools);
    }

    /** Reads MiniMax M2's calls. */
    static CallReader.Reading miniMax(String body, OfferedTools tools) {
        return read(body, "", tools);
    }

    /** Reads Muse's calls, which stand between a pair of marks of their own. */
    static CallReader.Reading muse(String body, OfferedTools tools) {
        String open = "<atem:function_calls>";
        String close = "</atem:function_calls>";
        String text = body.strip();
        if (!text.startsWith(open)) {
            return open.startsWith(text) ? CallReader.Reading.INCOMPLETE : CallReader.Reading.NONE;
        }
        if (!text.endsWith(close)) {
            return CallReader.Reading.INCOMPLETE;
        }
        CallReader.Reading found = read(text.substring(open.length(), text.length() - close.length()), "atem:", tools);
        return new CallReader.Reading(found.incomplete(), found.calls(), body.length());
    }

    /**
     * Reads calls one behind the other and nothing else.
     *
     * @param kind what the name of each mark begins with
     */
    private static CallReader.Reading read(String body, String kind, OfferedTools tools) {
        String open = "<" + kind + "invoke name=\"";
        String close = "</" + kind + "invoke>";
        String parameter = "<" + kind + "parameter name=\"";
        List<CallReader.Call> calls = new ArrayList<>();
        Cursor at = new Cursor(body);
        while (at.skipsSpace() && !at.atEnd()) {
            if (!at.skips(open)) {
                return at.failed(open);
            }
            String name = at.until("\">");
            if (name == null) {
                return CallReader.Reading.INCOMPLETE;
            }
            if (!TaggedCalls.isName(name)) {
                return CallReader.Reading.NONE;
            }
            StringWriter arguments = new StringWriter();
            try (JsonGenerator json = JsonCalls.generator(arguments)) {
                json.writeStartObject();
                while (at.skipsSpace() && !at.skips(close)) {
                    if (!at.skips(parameter)) {
                        return at.failed(close, parameter);
                    }
                    String head = at.until(">");
                    String value = head == null ? null : at.untilBefore("</" + kind + "parameter>", parameter, close);
                    if (head == null || value == null) {
                        return CallReader.Reading.INCOMPLETE;
                    }
                    if (!writes(name, head, value, tools, json)) {
                        return CallReader.Reading.NONE;
                    }
                }
                json.writeEndObject();
            }
            calls.add(new CallReader.Call(name, arguments.toString()));
        }
        return new CallReader.Reading(calls.isEmpty(), calls, body.length());
    }

    /**
     * Writes an argument.
     *
     * @param head the rest of the opening mark, from the argument's name on
     * @return false where the argument is malformed
     */
    private static boolean writes(String tool, String head, String value, OfferedTools tools, JsonGenerator json) {
        Cursor at = new Cursor(head);
        String key = at.until("\"");
        if (key == null || key.isEmpty()) {
            return false;
        }
        String string = stringAttribute(head.substring(at.index()).strip());
        if (string == null) {
            return false;
        }
        switch (string) {
            case "true" -> json.writeStringProperty(key, value);
            case "false" -> {
                if (!JsonCalls.isValue(value)) {
                    return false;
                }
                json.writeName(key);
                json.writeRawValue(value.strip());
            }
            default -> tools.writeArgument(tool, key, value, json);
        }
        return true;
    }

    /** The value of the attribute that says whether an argument is a string; empty without it, null for anything else. */
    private static @Nullable String stringAttribute(String attributes) {
        return switch (attributes) {
            case "" -> "";
            case "string=\"true\"" -> "true";
            case "string=\"false\"" -> "false";
            default -> null;
        };
    }
}
