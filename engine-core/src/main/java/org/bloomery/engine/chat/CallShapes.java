package org.bloomery.engine.chat;

import java.io.StringWriter;
import java.util.List;
import java.util.function.Function;
import org.bloomery.engine.grammar.Shape;
import tools.jackson.core.JsonGenerator;

/**
 * What stands between the marks of a model family's tool calls, so that an answer can be held to it: names of offered tools,
 * and arguments that are valid for their schemas. Each shape is written here as models of the family write calls, and read by
 * the {@link CallReader} beside it in {@link AnswerSyntax}.
 */
final class CallShapes {

    private static final Shape SPACE = Shape.SPACE;
    private static final Shape COMMA = Shape.sequence(Shape.text(","), SPACE);

    /** What a tool without a schema takes. */
    private static final String NO_ARGUMENTS = "{\"type\":\"object\",\"properties\":{}}";

    private CallShapes() {}

    /** {@code {"name": NAME, "arguments": {…}}}, in this order or the other. */
    static Shape object(List<ToolSpec> tools) {
        return spaced(anyObject(tools));
    }

    /** As {@link #object}, once or several times. */
    static Shape objects(List<ToolSpec> tools) {
        return spaced(Shape.several(anyObject(tools), SPACE));
    }

    private static Shape anyObject(List<ToolSpec> tools) {
        Shape id = Shape.optional(Shape.sequence(COMMA, member("id", new Shape.Pattern("\"[A-Za-z0-9_-]{1,32}\""))));
        return each(tools, tool -> {
            Shape name = member("name", Shape.text(quoted(tool.name())));
            Shape arguments = member("arguments", json(tool));
            return Shape.oneOf(List.of(braces(name, Shape.sequence(arguments, id)), braces(arguments, name)));
        });
    }

    /** {@code {"name": NAME, "parameters": {…}}}, once or several times. */
    static Shape parameterObjects(List<ToolSpec> tools) {
        Shape call = each(
                tools,
                tool -> braces(member("name", Shape.text(quoted(tool.name()))), member("parameters", json(tool))));
        return spaced(Shape.several(call, SPACE));
    }

    /** A list of calls. */
    static Shape list(List<ToolSpec> tools) {
        return brackets(anyObject(tools));
    }

    /** A list of calls, or calls one behind the other. */
    static Shape listOrObjects(List<ToolSpec> tools) {
        return Shape.oneOf(List.of(list(tools), objects(tools)));
    }

    /** A list of Cohere's calls, which have a number. */
    static Shape numberedList(List<ToolSpec> tools) {
        return brackets(each(
                tools,
                tool -> braces(
                        member("tool_call_id", new Shape.Pattern("\"[0-9]{1,4}\"")),
                        member("tool_name", Shape.text(quoted(tool.name()))),
                        member("parameters", json(tool)))));
    }

    /** {@code [{NAME: {…}}, …]}. */
    static Shape keyed(List<ToolSpec> tools) {
        return brackets(each(tools, tool -> braces(member(tool.name(), json(tool)))));
    }

    /** {@code NAME>{…}}. */
    static Shape nameThenObject(List<ToolSpec> tools) {
        return each(tools, tool -> Shape.sequence(Shape.text(tool.name() + ">"), SPACE, json(tool)));
    }

    /** Mistral's: a list of calls with or without an id, or a name, perhaps an id, and the arguments. */
    static Shape mistral(List<ToolSpec> tools) {
        Shape newer = each(
                tools,
                tool -> Shape.sequence(
                        Shape.text(tool.name()),
                        Shape.optional(Shape.sequence(Shape.mark("[CALL_ID]"), new Shape.Pattern("[A-Za-z0-9]{1,32}"))),
                        Shape.mark("[ARGS]"),
                        json(tool)));
        return Shape.oneOf(List.of(list(tools), Shape.several(newer, Shape.mark("[TOOL_CALLS]"))));
    }

    /** Kimi's: an id with the name and a count, then the arguments, once or several times. */
    static Shape kimi(List<ToolSpec> tools) {
        return spaced(Shape.several(
                each(
                        tools,
                        tool -> Shape.sequence(
                                Shape.mark("<|tool_call_begin|>"),
                                Shape.text("functions." + tool.name()),
                                new Shape.Pattern(":[0-9]{1,4}"),
                                Shape.mark("<|tool_call_argument_begin|>"),
                                json(tool),
                                Shape.mark("<|tool_call_end|>"))),
                SPACE));
    }

    /** DeepSeek's: of V3.1 the name, then the arguments; of R1 a type, then the name, then a block of code. */
    static Shape deepSeek(List<ToolSpec> tools) {
        Shape open = Shape.mark("<｜tool▁call▁begin｜>");
        Shape separator = Shape.mark("<｜tool▁sep｜>");
        Shape close = Shape.mark("<｜tool▁call▁end｜>");
        return spaced(Shape.several(
                each(
                        tools,
                        tool -> Shape.sequence(
                                open,
                                Shape.oneOf(List.of(
                                        Shape.sequence(Shape.text(tool.name()), separator, json(tool)),
                                        Shape.sequence(
                                                Shape.text("function"),
                                                separator,
                                                Shape.text(tool.name() + "\n```json\n"),
                                                json(tool),
                                                Shape.text("\n```")))),
                                close)),
                SPACE));
    }

    /** {@code <function=NAME><parameter=P>value</parameter>…</function>}, once or several times, values on lines of their own. */
    static Shape functions(List<ToolSpec> tools) {
        return functions(tools, "\n");
    }

    /** As {@link #functions}, with values between their marks. */
    static Shape inlineFunctions(List<ToolSpec> tools) {
        return functions(tools, "");
    }

    private static Shape functions(List<ToolSpec> tools, String lineBreak) {
        Shape before = Shape.text(">" + lineBreak);
        Shape after = Shape.sequence(Shape.text(lineBreak), Shape.mark("</parameter>"));
        String marks = Shape.anyOf(List.of("</parameter>", "<parameter=", "</function>", "tool_call>"));
        Shape.Layout layout = new Shape.Layout(
                Shape.mark("<parameter="),
                before,
                after,
                before,
                after,
                SPACE,
                // A line break at an edge belongs to the marks
                lineBreak.isEmpty() ? marks + "|^\n|\n$" : marks,
                false);
        return spaced(Shape.several(
                each(
                        tools,
                        tool -> Shape.sequence(
                                Shape.mark("<function="),
                                Shape.text(tool.name() + ">"),
                                spaced(arguments(tool, layout)),
                                Shape.mark("</function>"))),
                SPACE));
    }

    /** {@code NAME<arg_key>K</arg_key><arg_value>V</arg_value>…}. */
    static Shape keysAndValues(List<ToolSpec> tools) {
        Shape.Layout layout = keysAndValues("");
        return spaced(
                each(tools, tool -> Shape.sequence(Shape.text(tool.name()), SPACE, arguments(tool, layout), SPACE)));
    }

    private static Shape.Layout keysAndValues(String kind) {
        Shape before =
                Shape.sequence(Shape.mark("</arg_key" + kind + ">"), SPACE, Shape.mark("<arg_value" + kind + ">"));
        Shape after = Shape.mark("</arg_value" + kind + ">");
        return new Shape.Layout(
                Shape.mark("<arg_key" + kind + ">"),
                before,
                after,
                before,
                after,
                SPACE,
                Shape.anyOf(List.of("</arg_value" + kind, "<arg_key" + kind, "tool_call" + kind, "tool_calls" + kind)),
                false);
    }

    /** A Python list of calls with keyword arguments. */
    static Shape python(List<ToolSpec> tools) {
        Shape.Layout layout = new Shape.Layout(
                Shape.NOTHING,
                Shape.text("='"),
                Shape.text("'"),
                Shape.text("="),
                Shape.NOTHING,
                COMMA,
                "['\\\\\\n\\r]",
                true);
        return brackets(each(
                tools,
                tool -> Shape.sequence(Shape.text(tool.name() + "("), arguments(tool, layout), Shape.text(")"))));
    }

    /** Gemma's {@code call:NAME{key:value,…}}. */
    static Shape gemma(List<ToolSpec> tools) {
        return spaced(each(
                tools,
                tool -> Shape.sequence(
                        Shape.text("call:" + tool.name()),
                        new Shape.Json(schema(tool), subject(tool), GemmaCalls.QUOTE))));
    }

    /** {@code <invoke name="NAME"><parameter name="P">value</parameter>…</invoke>}, once or several times. */
    static Shape invocations(List<ToolSpec> tools) {
        return invocations(tools, Shape.NOTHING, "", Shape.text("\">"), Shape.text("\">"));
    }

    /** As {@link #invocations}, with DeepSeek's mark, and with a word on each value that says whether it is a string. */
    static Shape deepSeekInvocations(List<ToolSpec> tools) {
        return invocations(
                tools,
                Shape.mark("｜DSML｜"),
                "｜DSML｜",
                Shape.text("\" string=\"true\">"),
                Shape.text("\" string=\"false\">"));
    }

    private static Shape invocations(
            List<ToolSpec> tools, Shape kind, String spelling, Shape beforeText, Shape beforeJson) {
        Shape after = Shape.sequence(Shape.text("</"), kind, Shape.text("parameter>"));
        Shape.Layout layout = new Shape.Layout(
                Shape.sequence(Shape.text("<"), kind, Shape.text("parameter name=\"")),
                beforeText,
                after,
                beforeJson,
                after,
                SPACE,
                Shape.anyOf(List.of(
                        "</" + spelling + "parameter>",
                        "<" + spelling + "parameter name=",
                        "</" + spelling + "invoke>",
                        "tool_call>",
                        "tool_calls>",
                        "function_calls>")),
                false);
        return spaced(Shape.several(
                each(
                        tools,
                        tool -> Shape.sequence(
                                Shape.text("<"),
                                kind,
                                Shape.text("invoke name=\"" + tool.name() + "\">"),
                                spaced(arguments(tool, layout)),
                                Shape.text("</"),
                                kind,
                                Shape.text("invoke>"))),
                SPACE));
    }

    /** MiniMax M3's: each argument an element; what is no string is JSON inside it. */
    static Shape elements(List<ToolSpec> tools) {
        Shape mark = Shape.mark(ElementCalls.MARK);
        Shape after = Shape.sequence(mark, Shape.text("</"), Shape.NAME, Shape.text(">"));
        Shape.Layout layout = new Shape.Layout(
                Shape.sequence(mark, Shape.text("<")),
                Shape.text(">"),
                after,
                Shape.text(">"),
                after,
                SPACE,
                Shape.anyOf(List.of(ElementCalls.MARK, "tool_call>")),
                false);
        return spaced(Shape.several(
                each(
                        tools,
                        tool -> Shape.sequence(
                                mark,
                                Shape.text("<invoke name=\"" + tool.name() + "\">"),
                                spaced(arguments(tool, layout)),
                                mark,
                                Shape.text("</invoke>"))),
                SPACE));
    }

    /** Hunyuan's: a name and its keys and values, once or several times. */
    static Shape hunyuan(String kind, List<ToolSpec> tools) {
        Shape.Layout layout = keysAndValues(kind);
        return spaced(Shape.several(
                each(
                        tools,
                        tool -> Shape.sequence(
                                Shape.mark("<tool_call" + kind + ">"),
                                Shape.text(tool.name()),
                                Shape.mark("<tool_sep" + kind + ">"),
                                spaced(arguments(tool, layout)),
                                Shape.mark("</tool_call" + kind + ">"))),
                SPACE));
    }

    // Messages with headers

    /** Harmony's: the tool's name in the header. */
    static Shape harmonyMessages(List<ToolSpec> tools) {
        Shape channel = Shape.mark("<|channel|>");
        Shape type = Shape.optional(
                Shape.sequence(Shape.text(" "), Shape.optional(Shape.mark("<|constrain|>")), Shape.text("json")));
        return each(tools, tool -> {
            String recipient = " to=functions." + tool.name();
            return Shape.sequence(
                    Shape.oneOf(List.of(
                            Shape.sequence(channel, Shape.text("commentary" + recipient)),
                            Shape.sequence(Shape.text(recipient), channel, Shape.text("commentary")))),
                    type,
                    Shape.mark("<|message|>"),
                    json(tool));
        });
    }

    /** Muse's: a message whose recipient is the tool. */
    static Shape museMessages(List<ToolSpec> tools) {
        return each(
                tools,
                tool -> Shape.sequence(
                        Shape.text(" to=" + tool.name()),
                        Shape.mark("<|message|>"),
                        Shape.text("<atem:function_calls>"),
                        invocations(List.of(tool), Shape.text("atem:"), "atem:", Shape.text("\">"), Shape.text("\">")),
                        Shape.text("</atem:function_calls>")));
    }

    /** Solar's: one message with ids, names and arguments. */
    static Shape solarMessage(List<ToolSpec> tools) {
        return Shape.sequence(
                Shape.mark("<|tool_calls|>"),
                Shape.several(
                        each(
                                tools,
                                tool -> Shape.sequence(
                                        Shape.mark("<|tool_call:begin|>"),
                                        new Shape.Pattern("[a-z0-9]{1,16}"),
                                        Shape.mark("<|tool_call:name|>"),
                                        Shape.text(tool.name()),
                                        Shape.mark("<|tool_call:args|>"),
                                        json(tool),
                                        Shape.mark("<|tool_call:end|>"))),
                        Shape.NOTHING));
    }

    /** GigaChat's: a message of a role of its own. */
    static Shape gigaChatMessage(List<ToolSpec> tools) {
        return Shape.sequence(
                Shape.text("function call"), Shape.mark("<|role_sep|>"), Shape.text("\n"), anyObject(tools));
    }

    /** Functionary's: a line with the name, then the arguments. */
    static Shape functionaryMessages(List<ToolSpec> tools) {
        return each(tools, tool -> Shape.sequence(Shape.text(tool.name() + "\n"), json(tool)));
    }

    // Parts

    private static Shape spaced(Shape inside) {
        return Shape.sequence(SPACE, inside, SPACE);
    }

    private static Shape each(List<ToolSpec> tools, Function<ToolSpec, Shape> call) {
        return Shape.oneOf(tools.stream().map(call).toList());
    }

    private static Shape brackets(Shape call) {
        return spaced(Shape.sequence(Shape.text("["), SPACE, Shape.several(call, COMMA), SPACE, Shape.text("]")));
    }

    private static Shape braces(Shape... members) {
        Shape inside = members[0];
        for (int i = 1; i < members.length; i++) {
            inside = Shape.sequence(inside, COMMA, members[i]);
        }
        return Shape.sequence(Shape.text("{"), SPACE, inside, SPACE, Shape.text("}"));
    }

    private static Shape member(String name, Shape value) {
        return Shape.sequence(Shape.text(quoted(name) + ":"), SPACE, value);
    }

    static Shape json(ToolSpec tool) {
        return new Shape.Json(schema(tool), subject(tool), null);
    }

    static Shape arguments(ToolSpec tool, Shape.Layout layout) {
        return new Shape.Arguments(schema(tool), subject(tool), layout);
    }

    private static String schema(ToolSpec tool) {
        return tool.parameters().isBlank() ? NO_ARGUMENTS : tool.parameters();
    }

    private static String subject(ToolSpec tool) {
        return "The schema of tool '" + tool.name() + "'";
    }

    /** A JSON string. */
    private static String quoted(String text) {
        StringWriter written = new StringWriter();
        try (JsonGenerator json = JsonCalls.generator(written)) {
            json.writeString(text);
        }
        return written.toString();
    }
}
