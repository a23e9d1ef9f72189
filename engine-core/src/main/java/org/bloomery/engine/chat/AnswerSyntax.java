package org.bloomery.engine.chat;

import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.grammar.Shape;

/**
 * How a model's answers mark what is not plain text. Add a family of models by adding it to one of the
 * tables here, and answers of it to the corpus of the tests.
 *
 * @param reasoning how thinking is marked
 * @param toolCalls how calls are marked
 */
record AnswerSyntax(Reasoning reasoning, ToolCalls toolCalls) {

    static final AnswerSyntax PLAIN = new AnswerSyntax(Reasoning.NONE, ToolCalls.NONE);

    /** How thinking is marked, where a template's text holds one of the marks. */
    enum Reasoning {
        /** ByteDance Seed. */
        SEED("<seed:think>", "</seed:think>"),
        /** DeepSeek, Qwen and many others. */
        THINK("<think>", "</think>"),
        /** Mistral. */
        MISTRAL("[THINK]", "[/THINK]"),
        /** Cohere. */
        COHERE("<|START_THINKING|>", "<|END_THINKING|>"),
        /** Apertus. */
        APERTUS("<|inner_prefix|>", "<|inner_suffix|>"),
        /** Gemma 4. */
        GEMMA("<|channel>thought", "<channel|>"),
        /** Tencent Hy3, whose template puts its marks together. */
        HUNYUAN("<think:opensource>", "</think:opensource>", "<think{}>"),
        /** MiniMax M3. */
        MINIMAX("<mm:think>", "</mm:think>"),
        NONE("", "");

        private final String open;
        private final String close;
        private final String sign;

        Reasoning(String open, String close) {
            this(open, close, open);
        }

        Reasoning(String open, String close, String sign) {
            this.open = open;
            this.close = close;
            this.sign = sign;
        }

        String open() {
            return open;
        }

        String close() {
            return close;
        }

        static Reasoning of(String template) {
            return Stream.of(values())
                    .filter(each -> template.contains(each.close) || template.contains(each.sign))
                    .findFirst()
                    .orElse(NONE);
        }
    }

    /**
     * How calls are marked.
     *
     * @param family a name for people
     * @param signs what a template's text holds where this is its syntax
     * @param framing how messages are framed; where they are, calls need no further marks
     * @param open before each call or list of calls
     * @param close behind it; empty where the calls go on to the end of the answer
     * @param innerMarks marks of names and arguments that vocabularies may spell as control tokens
     * @param beginning how an answer begins that is a call without marks; empty where calls have marks
     * @param reader reads what stands between the marks
     * @param shape what stands between the marks, for calls of these tools; messages with their headers where there are any
     */
    record ToolCalls(
            String family,
            List<String> signs,
            Framing framing,
            String open,
            String close,
            List<String> innerMarks,
            String beginning,
            CallReader reader,
            Function<List<ToolSpec>, Shape> shape) {

        /** Text only. */
        static final ToolCalls NONE = new ToolCalls(
                "none", List.of(), Framing.NONE, "", "", List.of(), "", JsonCalls::one, tools -> Shape.NOTHING);

        /** A JSON object with name and arguments: Hermes, Qwen. */
        static final ToolCalls HERMES =
                marked("hermes", "<tool_call>", "</tool_call>", JsonCalls::one, CallShapes::object);

        /** The families; the first whose signs are all there is a template's own. */
        private static final List<ToolCalls> FAMILIES = List.of(
                marked(
                        "kimi",
                        "<|tool_calls_section_begin|>",
                        "<|tool_calls_section_end|>",
                        TaggedCalls::kimi,
                        CallShapes::kimi,
                        "<|tool_call_begin|>",
                        "<|tool_call_argument_begin|>",
                        "<|tool_call_end|>"),
                // V3, V3.1 and R1
                marked(
                        "deepseek",
                        "<｜tool▁calls▁begin｜>",
                        "<｜tool▁calls▁end｜>",
                        TaggedCalls::deepSeek,
                        CallShapes::deepSeek,
                        "<｜tool▁call▁begin｜>",
                        "<｜tool▁sep｜>",
                        "<｜tool▁call▁end｜>"),
                // V3.2, then V4
                marked(
                                "deepseek-v3.2",
                                "<｜DSML｜function_calls>",
                                "</｜DSML｜function_calls>",
                                InvokeCalls::deepSeek,
                                CallShapes::deepSeekInvocations,
                                "｜DSML｜")
                        .knownBy("｜DSML｜", "function_calls>"),
                marked(
                                "deepseek-v4",
                                "<｜DSML｜tool_calls>",
                                "</｜DSML｜tool_calls>",
                                InvokeCalls::deepSeek,
                                CallShapes::deepSeekInvocations,
                                "｜DSML｜")
                        .knownBy("｜DSML｜", "tool_calls>"),
                framed("gpt-oss", Framing.HARMONY, TaggedCalls::nameLineObject, CallShapes::harmonyMessages)
                        .knownBy("<|start|>", "<|channel|>", "<|message|>"),
                framed("muse", Framing.MUSE, InvokeCalls::muse, CallShapes::museMessages)
                        .knownBy("<|start|>", "<|message|>", "<atem:"),
                framed(
                                "solar",
                                Framing.SOLAR,
                                TaggedCalls::solar,
                                CallShapes::solarMessage,
                                "<|tool_call:begin|>",
                                "<|tool_call:name|>",
                                "<|tool_call:args|>",
                                "<|tool_call:end|>")
                        .knownBy("<|begin|>assistant", "<|tool_call:begin|>"),
                framed(
                                "functionary-3.2",
                                Framing.FUNCTIONARY,
                                TaggedCalls::nameLineObject,
                                CallShapes::functionaryMessages)
                        .knownBy(">>>all"),
                // Cohere's Command R7B and later
                marked("cohere", "<|START_ACTION|>", "<|END_ACTION|>", JsonCalls::several, CallShapes::numberedList),
                marked("apertus", "<|tools_prefix|>", "<|tools_suffix|>", JsonCalls::keyed, CallShapes::keyed),
                // Before the families whose marks end alike
                marked(
                                "minimax-m3",
                                ElementCalls.MARK + "<tool_call>",
                                ElementCalls.MARK + "</tool_call>",
                                ElementCalls::read,
                                CallShapes::elements,
                                ElementCalls.MARK,
                                "<tool_call>",
                                "</tool_call>")
                        .knownBy(ElementCalls.MARK),
                marked(
                        "minimax-m2",
                        "<minimax:tool_call>",
                        "</minimax:tool_call>",
                        InvokeCalls::miniMax,
                        CallShapes::invocations),
                // Liquid LFM2.5, then LFM2, whose template shows no call
                marked("lfm2.5", "<|tool_call_start|>", "<|tool_call_end|>", PythonCalls::read, CallShapes::python),
                marked("lfm2", "<|tool_call_start|>", "<|tool_call_end|>", PythonCalls::read, CallShapes::python)
                        .knownBy("<|tool_list_start|>"),
                // Gemma 4
                marked("gemma", "<|tool_call>", "<tool_call|>", GemmaCalls::read, CallShapes::gemma, GemmaCalls.QUOTE),
                marked("nemotron", "<TOOLCALL>", "</TOOLCALL>", JsonCalls::several, CallShapes::list),
                // ByteDance Seed
                marked(
                        "seed",
                        "<seed:tool_call>",
                        "</seed:tool_call>",
                        TaggedCalls::functions,
                        CallShapes::inlineFunctions),
                // Older and newer
                marked("mistral", "[TOOL_CALLS]", "", TaggedCalls::mistral, CallShapes::mistral, "[CALL_ID]", "[ARGS]"),
                // Tencent Hy3, whose template puts its marks together
                marked(
                                "hunyuan",
                                "<tool_calls:opensource>",
                                "</tool_calls:opensource>",
                                (body, tools) -> TaggedCalls.hunyuan(body, ":opensource", tools),
                                tools -> CallShapes.hunyuan(":opensource", tools),
                                "<tool_call:opensource>",
                                "</tool_call:opensource>",
                                "<tool_sep:opensource>",
                                "<arg_key:opensource>",
                                "</arg_key:opensource>",
                                "<arg_value:opensource>",
                                "</arg_value:opensource>")
                        .knownBy(":opensource", "<tool_calls{}>"),
                // Apriel with a list, MiniMax M1 with a call a line
                marked("tool-calls", "<tool_calls>", "</tool_calls>", JsonCalls::several, CallShapes::listOrObjects),
                // Qwen3 Coder, Qwen 3.5, Step
                marked("function-tags", "<tool_call>", "</tool_call>", TaggedCalls::functions, CallShapes::functions)
                        .knownBy("<tool_call>", "<function="),
                // GLM, Laguna, Ling, Spark and others
                marked(
                                "glm",
                                "<tool_call>",
                                "</tool_call>",
                                TaggedCalls::keysAndValues,
                                CallShapes::keysAndValues,
                                "<arg_key>",
                                "</arg_key>",
                                "<arg_value>",
                                "</arg_value>")
                        .knownBy("<tool_call>", "<arg_key>"),
                HERMES,
                // Microsoft Phi-4 mini, whose template shows no call
                new ToolCalls(
                        "phi",
                        List.of("<|/tool|>"),
                        Framing.NONE,
                        "<|tool_call|>",
                        "<|/tool_call|>",
                        List.of(),
                        "functools[",
                        JsonCalls::functools,
                        CallShapes::list),
                // IBM Granite 3
                marked("granite", "<|tool_call|>", "", JsonCalls::list, CallShapes::list),
                marked("gigachat-3.1", "<|function_call|>", "", JsonCalls::several, CallShapes::objects),
                framed("gigachat-3", Framing.GIGACHAT, JsonCalls::one, CallShapes::gigaChatMessage)
                        .knownBy("<|role_sep|>", "function call"),
                // MeetKai
                marked(
                        "functionary-3.1",
                        "<function=",
                        "</function>",
                        TaggedCalls::nameThenObject,
                        CallShapes::nameThenObject),
                // Llama 3
                new ToolCalls(
                        "llama",
                        List.of("{\"name\": function name, \"parameters\":"),
                        Framing.NONE,
                        "<|python_tag|>",
                        "",
                        List.of(),
                        "{\"name\":",
                        JsonCalls::offered,
                        CallShapes::parameterObjects));

        /** A family whose templates hold its opening mark. */
        private static ToolCalls marked(
                String family,
                String open,
                String close,
                CallReader reader,
                Function<List<ToolSpec>, Shape> shape,
                String... innerMarks) {
            return new ToolCalls(
                    family, List.of(open), Framing.NONE, open, close, List.of(innerMarks), "", reader, shape);
        }

        /** A family whose answers are messages with headers. */
        private static ToolCalls framed(
                String family,
                Framing framing,
                CallReader reader,
                Function<List<ToolSpec>, Shape> shape,
                String... innerMarks) {
            return new ToolCalls(family, List.of(), framing, "", "", List.of(innerMarks), "", reader, shape);
        }

        private ToolCalls knownBy(String... otherSigns) {
            return new ToolCalls(
                    family, List.of(otherSigns), framing, open, close, innerMarks, beginning, reader, shape);
        }

        /** One or more calls of these tools, with their marks. */
        Shape calls(List<ToolSpec> tools) {
            Shape inside = shape.apply(tools);
            if (!framing.equals(Framing.NONE)) {
                return inside;
            }
            Shape marked = Shape.sequence(markShape(open), inside, markShape(close));
            if (!beginning.isEmpty()) {
                // The beginning ends with the bracket that calls begin with
                String word = beginning.startsWith("{") ? "" : beginning.substring(0, beginning.length() - 1);
                return Shape.oneOf(List.of(
                        beginning.startsWith("{") ? marked : Shape.several(marked, Shape.SPACE),
                        Shape.sequence(Shape.text(word), inside)));
            }
            return close.isEmpty() ? marked : Shape.several(marked, Shape.SPACE);
        }

        /** Text beside calls. */
        Shape text() {
            String forbidden = Shape.quoted(open);
            return new Shape.Free(
                    beginning.isEmpty()
                            ? forbidden
                            : forbidden + "|^\\s*"
                                    + String.join(
                                            "\\s*",
                                            beginning
                                                    .chars()
                                                    .mapToObj(Character::toString)
                                                    .map(Shape::quoted)
                                                    .toList()));
        }

        /** A mark that is a token, or that has one inside. */
        private Shape markShape(String mark) {
            for (String inner : innerMarks) {
                int at = mark.indexOf(inner);
                if (at >= 0 && inner.length() < mark.length()) {
                    return Shape.sequence(
                            markShape(mark.substring(0, at)),
                            Shape.mark(inner),
                            markShape(mark.substring(at + inner.length())));
                }
            }
            return Shape.mark(mark);
        }

        /** Whether what began as a call has a mark, so that it is no text where it is no call. */
        boolean isMarked(String opened) {
            return !opened.isEmpty() || !beginning.startsWith("{");
        }

        /** Whether a text is one of the marks of a call, inner ones included. */
        boolean isMark(String text) {
            return text.equals(open) || text.equals(close) || innerMarks.contains(text);
        }

        static ToolCalls of(String template) {
            return FAMILIES.stream()
                    .filter(family -> family.signs.stream().allMatch(template::contains))
                    .findFirst()
                    .orElse(NONE);
        }
    }

    /** The syntax that a template's text speaks of. */
    static AnswerSyntax of(String template) {
        return new AnswerSyntax(Reasoning.of(template), ToolCalls.of(template));
    }

    /** Whether answers can mark reasoning. */
    boolean thinks() {
        return reasoning != Reasoning.NONE
                || !toolCalls.framing().reasoningEnd().isEmpty();
    }

    /** Whether a prompt ends with the mark that begins the reasoning. */
    boolean opensReasoning(List<TextSpan> prompt) {
        return reasoning != Reasoning.NONE
                && !prompt.isEmpty()
                && prompt.getLast().trusted()
                && prompt.getLast().text().stripTrailing().endsWith(reasoning.open());
    }
}
