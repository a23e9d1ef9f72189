package org.bloomery.engine.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.bloomery.engine.TextSpan;
import org.junit.jupiter.api.Test;

class AnswerParserTest {

    private static final String TEMPLATE = "<think></think><tool_call></tool_call>";
    private static final String CALL =
            "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": [1, \"é\"]}}\n</tool_call>";

    private static final List<ToolSpec> TOOLS = List.of(new ToolSpec("f", "", "{}"));

    /** Collects the parts, neighbours of one kind joined. */
    private static final class Parts implements AnswerParser.Listener {
        private final List<String> parts = new ArrayList<>();

        private void add(String kind, String text) {
            assertThat(text).isNotEmpty();
            String prefix = kind + ":";
            if (!parts.isEmpty() && parts.getLast().startsWith(prefix)) {
                parts.set(parts.size() - 1, parts.getLast() + text);
            } else {
                parts.add(prefix + text);
            }
        }

        @Override
        public void text(String text) {
            add("text", text);
        }

        @Override
        public void reasoning(String text) {
            add("reasoning", text);
        }

        @Override
        public void toolCall(ToolCall call) {
            parts.add("call:" + call.id() + ":" + call.name() + ":" + call.arguments());
        }

        @Override
        public void malformedCall(String raw) {
            parts.add("malformed:" + raw);
        }
    }

    private static AnswerParser parser(String template, boolean tools, String prompt) {
        int[] count = {0};
        return AnswerParser.of(
                template, tools ? TOOLS : List.of(), List.of(TextSpan.trusted(prompt)), () -> "id" + ++count[0]);
    }

    /** The parts of an answer, the same in whatever pieces it comes. */
    private static List<String> parts(boolean tools, String prompt, String answer) {
        Parts whole = new Parts();
        AnswerParser parser = parser(TEMPLATE, tools, prompt);
        parser.accept(answer, whole);
        parser.finish(whole);
        long seed = answer.hashCode();
        Random random = new Random(seed);
        for (int round = 0; round < 20; round++) {
            Parts pieces = new Parts();
            AnswerParser other = parser(TEMPLATE, tools, prompt);
            for (int at = 0; at < answer.length(); ) {
                int end = round == 0 ? at + 1 : Math.min(answer.length(), at + 1 + random.nextInt(9));
                other.accept(answer.substring(at, end), pieces);
                at = end;
            }
            other.finish(pieces);
            assertThat(pieces.parts).as("seed %d", seed).isEqualTo(whole.parts);
        }
        return whole.parts;
    }

    @Test
    void passesPlainText() {
        assertThat(parts(true, "", "Hello <b> a < b, <tool and <think> later </think>\n"))
                .containsExactly("text:Hello <b> a < b, <tool and <think> later </think>\n");
    }

    @Test
    void emitsPlainTextAtOnce() {
        Parts parts = new Parts();
        AnswerParser.plainText().accept("Hi <think> \n", parts);
        assertThat(parts.parts).containsExactly("text:Hi <think> \n");
    }

    @Test
    void tellsReasoningApart() {
        assertThat(parts(false, "", "<think>\nhm\n\nso\n</think>\n\nYes."))
                .containsExactly("reasoning:hm\n\nso", "text:Yes.");
        assertThat(parts(false, "", "\n<think></think>\n\nYes.")).containsExactly("text:Yes.");
        assertThat(parts(false, "", "<think>\nhm")).containsExactly("reasoning:hm");
    }

    @Test
    void beginsInTheReasoningWhereThePromptOpensIt() {
        assertThat(parts(false, "<|im_start|>assistant\n<think>\n", "hm</think>Yes"))
                .containsExactly("reasoning:hm", "text:Yes");
        assertThat(parts(false, "<think>\n\n</think>\n\n", "Yes")).containsExactly("text:Yes");
    }

    @Test
    void readsToolCalls() {
        assertThat(parts(true, "", "Let me look.\n" + CALL + "\n" + CALL + "\n"))
                .containsExactly(
                        "text:Let me look.", "call:id1:f:{\"x\": [1, \"é\"]}", "call:id2:f:{\"x\": [1, \"é\"]}");
        assertThat(parts(true, "", "<think>hm</think>\n\n" + CALL))
                .containsExactly("reasoning:hm", "call:id1:f:{\"x\": [1, \"é\"]}");
        assertThat(parts(true, "", "<tool_call>{\"arguments\": \"{\\\"a\\\": 1}\", \"name\": \"g\"}</tool_call>"))
                .containsExactly("call:id1:g:{\"a\": 1}");
        assertThat(parts(true, "", "<tool_call>{\"name\": \"g\"}</tool_call>")).containsExactly("call:id1:g:{}");
    }

    @Test
    void readsACallWhoseClosingTagIsMissing() {
        assertThat(parts(true, "", "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n"))
                .containsExactly("call:id1:f:{}");
    }

    @Test
    void findsTheEndOfACallThatHoldsTheClosingTag() {
        assertThat(parts(
                        true, "", "<tool_call>{\"name\": \"f\", \"arguments\": {\"s\": \"</tool_call>\"}}</tool_call>"))
                .containsExactly("call:id1:f:{\"s\": \"</tool_call>\"}");
    }

    @Test
    void reportsMalformedCallsAndKeepsThemOutOfTheText() {
        for (String broken : List.of(
                "<tool_call>\n{name: f}\n</tool_call> x",
                "<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>",
                "<tool_call>{\"name\": \"f\"} more</tool_call>",
                "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\"",
                "<tool_call>[]</tool_call>",
                "<tool_call>" + "[".repeat(5000),
                "<tool_call>{\"name\": \"f\", \"arguments\": " + "{\"a\":".repeat(100) + "1" + "}".repeat(101)
                        + "</tool_call>")) {
            String text = broken.endsWith(" x") ? " x" : "";
            String raw = broken.substring(0, broken.length() - text.length());
            assertThat(parts(true, "", broken))
                    .isEqualTo(
                            text.isEmpty()
                                    ? List.of("malformed:" + raw)
                                    : List.of("malformed:" + raw, "text:" + text.strip()));
        }
        assertThat(parts(true, "", "<tool_call>oops</tool_call>" + CALL))
                .containsExactly("malformed:<tool_call>oops</tool_call>", "call:id1:f:{\"x\": [1, \"é\"]}");
    }

    @Test
    void leavesToolCallsAloneWhereNoToolsAreOffered() {
        assertThat(parts(false, "", CALL)).containsExactly("text:" + CALL);
    }

    @Test
    void looksForNoTagsThatTheTemplateDoesNotKnow() {
        Parts parts = new Parts();
        AnswerParser parser = parser("{{ messages }}", true, "");
        parser.accept("<think>a</think>" + CALL, parts);
        parser.finish(parts);
        assertThat(parts.parts).containsExactly("text:<think>a</think>" + CALL);
    }

    @Test
    void holdsBackOnlyWhatMayBeATag() {
        Parts parts = new Parts();
        AnswerParser parser = parser(TEMPLATE, true, "");
        parser.accept("Hello", parts);
        assertThat(parts.parts).containsExactly("text:Hello");
        parser.accept(" <tool", parts);
        assertThat(parts.parts).containsExactly("text:Hello");
        parser.accept(" box", parts);
        assertThat(parts.parts).containsExactly("text:Hello <tool box");
    }

    @Test
    void keepsWordsApartThatAMalformedCallSeparates() {
        assertThat(parts(true, "", "So:\n <tool_call>oops</tool_call>"))
                .containsExactly("text:So:", "malformed:<tool_call>oops</tool_call>");
        assertThat(parts(true, "", "So: <tool_call>oops</tool_call>well"))
                .containsExactly("text:So:", "malformed:<tool_call>oops</tool_call>", "text: well");
        assertThat(parts(true, "", "So: <tool_call>oops</tool_call>\nwell"))
                .containsExactly("text:So:", "malformed:<tool_call>oops</tool_call>", "text:\nwell");
    }

    @Test
    void keepsTheTextBehindACallThatIsTorn() {
        String torn = "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"b</tool_call>";
        assertThat(parts(true, "", torn + " Sorry.")).containsExactly("malformed:" + torn, "text:Sorry.");
        assertThat(parts(true, "", torn + "\n" + CALL))
                .containsExactly("malformed:" + torn, "call:id1:f:{\"x\": [1, \"é\"]}");
    }

    @Test
    void dropsAMarkThatTheEndTears() {
        assertThat(parts(true, "", "So: <tool_c")).containsExactly("text:So:", "malformed:<tool_c");
        assertThat(parts(true, "", "So: <t")).containsExactly("text:So: <t");
        assertThat(parts(true, "", "<think")).isEmpty();
        assertThat(parts(true, "", "<think>hm </think")).containsExactly("reasoning:hm");
    }

    @Test
    void dropsAnEndOfReasoningThatNothingBegan() {
        assertThat(parts(true, "", "</think>\n\nYes")).containsExactly("text:Yes");
        assertThat(parts(true, "", "Yes </think>")).containsExactly("text:Yes </think>");
    }

    @Test
    void dropsACallThatIsTooLong() {
        Parts parts = new Parts();
        AnswerParser parser = parser(TEMPLATE, true, "");
        parser.accept("So: <tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"", parts);
        for (int i = 0; i < 1 << 11; i++) {
            parser.accept("b".repeat(1 << 10), parts);
        }
        parser.accept("\"}}</tool", parts);
        parser.accept("_call> Yes", parts);
        parser.finish(parts);
        assertThat(parts.parts).hasSize(3);
        assertThat(parts.parts.getFirst()).isEqualTo("text:So:");
        assertThat(parts.parts.get(1)).startsWith("malformed:<tool_call>");
        assertThat(parts.parts.getLast()).isEqualTo("text: Yes");
    }

    @Test
    void expectsMarksOnlyWhereTheyMeanSomething() {
        Parts parts = new Parts();
        AnswerParser parser = parser("[THINK] [TOOL_CALLS]", true, "");
        assertThat(parser.expects("[THINK]")).isTrue();
        assertThat(parser.expects("[/THINK]")).isFalse();
        assertThat(parser.expects("[ARGS]")).isFalse();
        assertThat(parser.expects("")).isFalse();
        parser.accept("[THINK]", parts);
        assertThat(parser.expects("[/THINK]")).isTrue();
        assertThat(parser.expects("[TOOL_CALLS]")).isFalse();
        parser.accept("hm[/THINK]", parts);
        assertThat(parser.expects("[/THINK]")).isFalse();
        assertThat(parser.expects("[TOOL_CALLS]")).isTrue();
        parser.accept("[TOOL_CALLS]", parts);
        assertThat(parser.expects("[ARGS]")).isTrue();
        assertThat(parser.expects("</s>")).isFalse();
        assertThat(parser("<channel|>", true, "").expects("<|channel>")).isTrue();
        assertThat(parser("[THINK] [TOOL_CALLS]", false, "").expects("[TOOL_CALLS]"))
                .isFalse();
    }

    @Test
    void expectsTheMarksOfMessages() {
        for (boolean tools : List.of(true, false)) {
            AnswerParser parser = parser("<|start|> <|channel|> <|message|>", tools, "");
            for (String mark :
                    List.of("<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>", "<|call|>")) {
                assertThat(parser.expects(mark)).as(mark).isTrue();
            }
            assertThat(parser.expects("<|endoftext|>")).isFalse();
            assertThat(parser.expects("")).isFalse();
        }
    }

    @Test
    void expectsAControlTokenInsideAMark() {
        Parts parts = new Parts();
        AnswerParser parser = parser("｜DSML｜ tool_calls>", true, "");
        assertThat(parser.expects("｜DSML｜")).isFalse();
        parser.accept("So <", parts);
        assertThat(parser.expects("｜DSML｜")).isTrue();
        parser.accept("｜DSML｜tool_calls>\n<", parts);
        assertThat(parser.expects("｜DSML｜")).isTrue();
    }

    @Test
    void keepsHeadersOutOfTheTextWhereNoToolsAreOffered() {
        AnswerParser parser = parser("<|start|> <|channel|> <|message|>", false, "");
        Parts parts = new Parts();
        parser.accept(
                "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary to=functions.f ",
                parts);
        parser.accept("json<|message|>{}<|call|><|start|>assistant<|channel|>final<|message|>Yes.", parts);
        parser.finish(parts);
        assertThat(parts.parts)
                .containsExactly(
                        "reasoning:hm",
                        "malformed:<|start|>assistant<|channel|>commentary to=functions.f json<|message|>{}",
                        "text:Yes.");
    }
}
