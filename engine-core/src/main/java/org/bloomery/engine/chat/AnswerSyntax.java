package org.bloomery.engine.chat;

import java.util.List;
import java.util.stream.Stream;
import org.bloomery.engine.TextSpan;

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
     */
    record ToolCalls(
            String family,
            List<String> signs,
            Framing framing,
            String open,
            String close,
            List<String> innerMarks,
            String beginning,
            CallReader reader) {

        /** Text only. */
        static final ToolCalls NONE =
                new ToolCalls("none", List.of(), Framing.NONE, "", "", List.of(), "", JsonCalls::one);

        /** A JSON object with name and arguments: Hermes, Qwen. */
        static final ToolCalls HERMES = marked("hermes", "<tool_call>", "</tool_call>", JsonCalls::one);

        /** The families; the first whose signs are all there is a template's own. */
        private static final List<ToolCalls> FAMILIES = List.of(
                marked(
                        "kimi",
                        "<|tool_calls_section_begin|>",
                        "<|tool_calls_section_end|>",
                        TaggedCalls::kimi,
                        "<|tool_call_begin|>",
                        "<|tool_call_argument_begin|>",
                        "<|tool_call_end|>"),
                // V3, V3.1 and R1
                marked(
                        "deepseek",
                        "<｜tool▁calls▁begin｜>",
                        "<｜tool▁calls▁end｜>",
                        TaggedCalls::deepSeek,
                        "<｜tool▁call▁begin｜>",
                        "<｜tool▁sep｜>",
                        "<｜tool▁call▁end｜>"),
                // V3.2, then V4
                marked(
                                "deepseek-v3.2",
                                "<｜DSML｜function_calls>",
                                "</｜DSML｜function_calls>",
                                InvokeCalls::deepSeek,
                                "｜DSML｜")
                        .knownBy("｜DSML｜", "function_calls>"),
                marked("deepseek-v4", "<｜DSML｜tool_calls>", "</｜DSML｜tool_calls>", InvokeCalls::deepSeek, "｜DSML｜")
                        .knownBy("｜DSML｜", "tool_calls>"),
                framed("gpt-oss", Framing.HARMONY, TaggedCalls::nameLineObject)
                        .knownBy("<|start|>", "<|channel|>", "<|message|>"),
                framed("muse", Framing.MUSE, InvokeCalls::muse).knownBy("<|start|>", "<|message|>", "<atem:"),
                framed(
                                "solar",
                                Framing.SOLAR,
                                TaggedCalls::solar,
                                "<|tool_call:begin|>",
                                "<|tool_call:name|>",
                                "<|tool_call:args|>",
                                "<|tool_call:end|>")
                        .knownBy("<|begin|>assistant", "<|tool_call:begin|>"),
                framed("functionary-3.2", Framing.FUNCTIONARY, TaggedCalls::nameLineObject)
                        .knownBy(">>>all"),
                // Cohere's Command R7B and later
                marked("cohere", "<|START_ACTION|>", "<|END_ACTION|>", JsonCalls::several),
                marked("apertus", "<|tools_prefix|>", "<|tools_suffix|>", JsonCalls::keyed),
                // Before the families whose marks end alike
                marked(
                                "minimax-m3",
                                ElementCalls.MARK + "<tool_call>",
                                ElementCalls.MARK + "</tool_call>",
                                ElementCalls::read,
                                ElementCalls.MARK,
                                "<tool_call>",
                                "</tool_call>")
                        .knownBy(ElementCalls.MARK),
                marked("minimax-m2", "<minimax:tool_call>", "</minimax:tool_call>", InvokeCalls::miniMax),
                // Liquid LFM2.5, then LFM2, whose template shows no call
                marked("lfm2.5", "<|tool_call_start|>", "<|tool_call_end|>", PythonCalls::read),
                marked("lfm2", "<|tool_call_start|>", "<|tool_call_end|>", PythonCalls::read)
                        .knownBy("<|tool_list_start|>"),
                // Gemma 4
                marked("gemma", "<|tool_call>", "<tool_call|>", GemmaCalls::read, GemmaCalls.QUOTE),
                marked("nemotron", "<TOOLCALL>", "</TOOLCALL>", JsonCalls::several),
                // ByteDance Seed
                marked("seed", "<seed:tool_call>", "</seed:tool_call>", TaggedCalls::functions),
                // Older and newer
                marked("mistral", "[TOOL_CALLS]", "", TaggedCalls::mistral, "[CALL_ID]", "[ARGS]"),
                // Tencent Hy3, whose template puts its marks together
                marked(
                                "hunyuan",
                                "<tool_calls:opensource>",
                                "</tool_calls:opensource>",
                                (body, tools) -> TaggedCalls.hunyuan(body, ":opensource", tools),
                                "<tool_call:opensource>",
                                "</tool_call:opensource>",
                                "<tool_sep:opensource>",
                                "<arg_key:opensource>",
                                "</arg_key:opensource>",
                                "<arg_value:opensource>",
                                "</arg_value:opensource>")
                        .knownBy(":opensource", "<tool_calls{}>"),
                // Apriel with a list, MiniMax M1 with a call a line
                marked("tool-calls", "<tool_calls>", "</tool_calls>", JsonCalls::several),
                // Qwen3 Coder, Qwen 3.5, Step
                marked("function-tags", "<tool_call>", "</tool_call>", TaggedCalls::functions)
                        .knownBy("<tool_call>", "<function="),
                // GLM, Laguna, Ling, Spark and others
                marked(
                                "glm",
                                "<tool_call>",
                                "</tool_call>",
                                TaggedCalls::keysAndValues,
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
                        JsonCalls::functools),
                // IBM Granite 3
                marked("granite", "<|tool_call|>", "", JsonCalls::list),
                marked("gigachat-3.1", "<|function_call|>", "", JsonCalls::several),
                framed("gigachat-3", Framing.GIGACHAT, JsonCalls::one).knownBy("<|role_sep|>", "function call"),
                // MeetKai
                marked("functionary-3.1", "<function=", "</function>", TaggedCalls::nameThenObject),
                // Llama 3
                new ToolCalls(
                        "llama",
                        List.of("{\"name\": function name, \"parameters\":"),
                        Framing.NONE,
                        "<|python_tag|>",
                        "",
                        List.of(),
                        "{\"name\":",
                        JsonCalls::offered));

        /** A family whose templates hold its opening mark. */
        private static ToolCalls marked(
                String family, String open, String close, CallReader reader, String... innerMarks) {
            return new ToolCalls(family, List.of(open), Framing.NONE, open, close, List.of(innerMarks), "", reader);
        }

        /** A family whose answers are messages with headers. */
        private static ToolCalls framed(String family, Framing framing, CallReader reader, String... innerMarks) {
            return new ToolCalls(family, List.of(), framing, "", "", List.of(innerMarks), "", reader);
        }

        private ToolCalls knownBy(String... otherSigns) {
            return new ToolCalls(family, List.of(otherSigns), framing, open, close, innerMarks, beginning, reader);
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

    /** Whether a prompt ends with the mark that begins the reasoning. */
    boolean opensReasoning(List<TextSpan> prompt) {
        return reasoning != Reasoning.NONE
                && !prompt.isEmpty()
                && prompt.getLast().trusted()
                && prompt.getLast().text().stripTrailing().endsWith(reasoning.open());
    }
}
