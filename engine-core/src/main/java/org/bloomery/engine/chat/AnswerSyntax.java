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
        NONE("", "");

        private final String open;
        private final String close;

        Reasoning(String open, String close) {
            this.open = open;
            this.close = close;
        }

        String open() {
            return open;
        }

        String close() {
            return close;
        }

        static Reasoning of(String template) {
            return Stream.of(values())
                    .filter(each -> template.contains(each.close) || template.contains(each.open))
                    .findFirst()
                    .orElse(NONE);
        }
    }

    /**
     * How calls are marked.
     *
     * @param signs what a template's text holds where this is its syntax
     * @param open before each call or list of calls
     * @param close behind it; empty where the calls go on to the end of the answer
     * @param innerMarks marks of names and arguments that vocabularies may spell as control tokens
     * @param needsNoMark whether an answer that begins as a JSON object with a name may be a call without marks
     * @param reader reads what stands between the marks
     * @param shape what stands between the marks, for calls of these tools
     */
    record ToolCalls(
            List<String> signs,
            String open,
            String close,
            List<String> innerMarks,
            boolean needsNoMark,
            CallReader reader,
            Function<List<ToolSpec>, Shape> shape) {

        /** Text only. */
        static final ToolCalls NONE =
                new ToolCalls(List.of(), "", "", List.of(), false, JsonCalls::one, tools -> Shape.NOTHING);

        /** A JSON object with name and arguments: Hermes, Qwen. */
        static final ToolCalls HERMES = marked("<tool_call>", "</tool_call>", JsonCalls::one, CallShapes::object);

        /** The families; the first whose signs are all there is a template's own. */
        private static final List<ToolCalls> FAMILIES = List.of(
                // Kimi K2
                marked(
                        "<|tool_calls_section_begin|>",
                        "<|tool_calls_section_end|>",
                        TaggedCalls::kimi,
                        CallShapes::kimi,
                        "<|tool_call_begin|>",
                        "<|tool_call_argument_begin|>",
                        "<|tool_call_end|>"),
                // DeepSeek V3, V3.1 and R1
                marked(
                        "<｜tool▁calls▁begin｜>",
                        "<｜tool▁calls▁end｜>",
                        TaggedCalls::deepSeek,
                        CallShapes::deepSeek,
                        "<｜tool▁call▁begin｜>",
                        "<｜tool▁sep｜>",
                        "<｜tool▁call▁end｜>"),
                // Cohere's Command R7B and later
                marked("<|START_ACTION|>", "<|END_ACTION|>", JsonCalls::several, CallShapes::numberedList),
                // Apertus
                marked("<|tools_prefix|>", "<|tools_suffix|>", JsonCalls::keyed, CallShapes::keyed),
                // MiniMax M3, whose marks look like those of Hermes but hold other things: text only
                NONE.knownBy("]<]minimax[>["),
                // Liquid LFM2.5, then LFM2, whose template shows no call
                marked("<|tool_call_start|>", "<|tool_call_end|>", PythonCalls::read, CallShapes::python),
                marked("<|tool_call_start|>", "<|tool_call_end|>", PythonCalls::read, CallShapes::python)
                        .knownBy("<|tool_list_start|>"),
                // Gemma 4
                marked("<|tool_call>", "<tool_call|>", GemmaCalls::read, CallShapes::gemma, GemmaCalls.QUOTE),
                // NVIDIA Nemotron Nano
                marked("<TOOLCALL>", "</TOOLCALL>", JsonCalls::several, CallShapes::list),
                // ByteDance Seed
                marked("<seed:tool_call>", "</seed:tool_call>", TaggedCalls::functions, CallShapes::functions),
                // Mistral, older and newer
                marked("[TOOL_CALLS]", "", TaggedCalls::mistral, CallShapes::mistral, "[CALL_ID]", "[ARGS]"),
                // Apriel with a list, MiniMax M1 with a call a line
                marked("<tool_calls>", "</tool_calls>", JsonCalls::several, CallShapes::list),
                // Qwen3 Coder, Qwen 3.5, Step
                marked("<tool_call>", "</tool_call>", TaggedCalls::functions, CallShapes::functions)
                        .knownBy("<tool_call>", "<function="),
                // GLM, Laguna, Ling and others
                marked(
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
                // IBM Granite 3
                marked("<|tool_call|>", "", JsonCalls::list, CallShapes::list),
                // GigaChat 3.1
                marked("<|function_call|>", "", JsonCalls::several, CallShapes::objects),
                // MeetKai Functionary 3.1
                marked("<function=", "</function>", TaggedCalls::nameThenObject, CallShapes::nameThenObject),
                // Llama 3
                new ToolCalls(
                        List.of("{\"name\": function name, \"parameters\":"),
                        "<|python_tag|>",
                        "",
                        List.of(),
                        true,
                        JsonCalls::offered,
                        CallShapes::parameterObjects));

        /** A family whose templates hold its opening mark. */
        private static ToolCalls marked(
                String open,
                String close,
                CallReader reader,
                Function<List<ToolSpec>, Shape> shape,
                String... innerMarks) {
            return new ToolCalls(List.of(open), open, close, List.of(innerMarks), false, reader, shape);
        }

        private ToolCalls knownBy(String... otherSigns) {
            return new ToolCalls(List.of(otherSigns), open, close, innerMarks, needsNoMark, reader, shape);
        }

        /** One or more calls of these tools, with their marks. */
        Shape calls(List<ToolSpec> tools) {
            Shape inside = shape.apply(tools);
            Shape marked = Shape.sequence(Shape.mark(open), inside, Shape.mark(close));
            if (needsNoMark) {
                return Shape.oneOf(List.of(marked, inside));
            }
            return close.isEmpty() ? marked : Shape.several(marked, Shape.SPACE);
        }

        /** Text beside calls. */
        Shape text() {
            String forbidden = Shape.quoted(open);
            return new Shape.Free(needsNoMark ? forbidden + "|^\\s*\\{\\s*\"name\"\\s*:" : forbidden);
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

    /** Whether a prompt ends with the mark that begins the reasoning. */
    boolean opensReasoning(List<TextSpan> prompt) {
        return reasoning != Reasoning.NONE
                && !prompt.isEmpty()
                && prompt.getLast().trusted()
                && prompt.getLast().text().stripTrailing().endsWith(reasoning.open());
    }
}
