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
        return each(tools, tool -> {
            Shape name = member("name", Shape.text(quoted(tool.name())));
            Shape arguments = member("arguments", json(tool));
            return Shape.oneOf(List.of(braces(name, arguments), braces(arguments, name)));
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
        Shape id = new Shape.Pattern("\"[A-Za-z0-9]{1,32}\"");
        Shape older = brackets(each(
                tools,
                tool -> Shape.sequence(
                        Shape.text("{"),
                        SPACE,
                        member("name", Shape.text(quoted(tool.name()))),
                        COMMA,
                        member("arguments", json(tool)),
                        Shape.optional(Shape.sequence(COMMA, member("id", id))),
                        SPACE,
                        Shape.text("}"))));
        Shape newer = each(
                tools,
                tool -> Shape.sequence(
                        Shape.text(tool.name()),
                        Shape.optional(Shape.sequence(Shape.mark("[CALL_ID]"), new Shape.Pattern("[A-Za-z0-9]{1,32}"))),
                        Shape.mark("[ARGS]"),
                        json(tool)));
        return Shape.oneOf(List.of(older, Shape.several(newer, Shape.mark("[TOOL_CALLS]"))));
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

    /** {@code <function=NAME><parameter=P>value</parameter>…</function>}, once or several times. */
    static Shape functions(List<ToolSpec> tools) {
        Shape.Layout layout = new Shape.Layout(
                Shape.mark("<parameter="),
                Shape.text(">\n"),
                Shape.text(">\n"),
                Shape.sequence(Shape.text("\n"), Shape.mark("</parameter>")),
                Shape.text("\n"),
                List.of("</parameter>", "<parameter=", "</function>", "<tool_call>", "</tool_call>"));
        return spaced(Shape.several(
                each(
                        tools,
                        tool -> Shape.sequence(
                                Shape.mark("<function="),
                                Shape.text(tool.name() + ">"),
                                SPACE,
                                arguments(tool, layout),
                                SPACE,
                                Shape.mark("</function>"))),
                SPACE));
    }

    /** {@code NAME<arg_key>K</arg_key><arg_value>V</arg_value>…}. */
    static Shape keysAndValues(List<ToolSpec> tools) {
        Shape value = Shape.sequence(Shape.mark("</arg_key>"), SPACE, Shape.mark("<arg_value>"));
        Shape.Layout layout = new Shape.Layout(
                Shape.mark("<arg_key>"),
                value,
                value,
                Shape.mark("</arg_value>"),
                SPACE,
                List.of("</arg_value>", "<arg_key>", "<tool_call>", "</tool_call>"));
        return spaced(
                each(tools, tool -> Shape.sequence(Shape.text(tool.name()), SPACE, arguments(tool, layout), SPACE)));
    }

    /** A Python list of calls with keyword arguments. */
    static Shape python(List<ToolSpec> tools) {
        Shape.Layout layout =
                new Shape.Layout(Shape.NOTHING, Shape.text("="), Shape.text("="), Shape.NOTHING, COMMA, List.of());
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
