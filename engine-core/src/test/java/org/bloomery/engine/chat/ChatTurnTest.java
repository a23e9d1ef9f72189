package org.bloomery.engine.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.grammar.Grammar;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChatTurnTest {

    private static final String HERMES = "{#<think></think><tool_call>#}{{ tools }}{{ messages[0].content }}"
            + "{% if enable_thinking is defined %}[{{ enable_thinking }}]{% endif %}";
    private static final String IGNORANT = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}";

    private static final ToolSpec WEATHER = new ToolSpec(
            "get_weather",
            "Weather",
            "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}");
    private static final ToolSpec NOW = new ToolSpec("now", "The time", "{}");
    private static final ToolSpec BROKEN =
            new ToolSpec("broken", "", "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"objekt\"}}}");

    private static final String CALL =
            "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>";

    private static ChatTurn turn(String template, List<ToolSpec> tools, ToolChoice choice, Thinking thinking) {
        return ChatFormat.of(template, FewTokens.CHATML)
                .turn(List.of(ChatMessage.user("Hi")), tools, choice, thinking, Map.of());
    }

    private static boolean allows(ChatTurn turn, String answer) {
        return Grammar.of(null, Objects.requireNonNull(turn.shape(false)))
                .matches(answer.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(List<TextSpan> spans) {
        return String.join("", spans.stream().map(TextSpan::text).toList());
    }

    @Test
    void textAndCallsAreAllowedWhereTheModelChooses() {
        ChatTurn turn = turn(HERMES, List.of(WEATHER, NOW), ToolChoice.AUTO, Thinking.AUTO);
        assertThat(allows(turn, "Just <tool> text, {\"name\": 1}")).isTrue();
        assertThat(allows(turn, "Let me look.\n" + CALL)).isTrue();
        assertThat(allows(turn, "<think>About <tool_call> marks</think>\n\n" + CALL + "\n" + CALL + " Done."))
                .isTrue();
        assertThat(allows(turn, CALL.replace("Paris\"}", "Paris\", \"x\": 1}"))).isFalse();
        assertThat(allows(turn, CALL.replace("get_weather", "get_whether"))).isFalse();
        assertThat(allows(turn, "<tool_call>")).isFalse();
    }

    @Test
    void aCallCanBeDemanded() {
        ChatTurn turn = turn(HERMES, List.of(WEATHER, NOW), ToolChoice.REQUIRED, Thinking.AUTO);
        assertThat(allows(turn, CALL)).isTrue();
        assertThat(allows(turn, "<think>Hm</think>" + CALL)).isTrue();
        assertThat(allows(turn, "No.")).isFalse();
        ChatTurn named = turn(HERMES, List.of(WEATHER, NOW), ToolChoice.named("now"), Thinking.AUTO);
        assertThat(allows(named, CALL)).isFalse();
        assertThat(allows(named, "<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>"))
                .isTrue();
    }

    @Test
    void toolsThatMayNotBeCalledAreNotOffered() {
        ChatTurn turn = turn(HERMES, List.of(WEATHER), ToolChoice.NONE, Thinking.AUTO);
        assertThat(text(turn.prompt())).doesNotContain("get_weather");
        assertThat(turn.shape(false)).isNull();
    }

    @Test
    void aBrokenToolIsLeftOutAndSparesTheOthers() {
        ChatTurn turn = turn(HERMES, List.of(BROKEN, WEATHER), ToolChoice.AUTO, Thinking.AUTO);
        assertThat(text(turn.prompt())).contains("get_weather").doesNotContain("broken");
        assertThatThrownBy(() -> turn(HERMES, List.of(BROKEN), ToolChoice.AUTO, Thinking.AUTO))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("tool 'broken'")
                .hasMessageContaining("#/properties/a/type");
        assertThatThrownBy(() -> turn(HERMES, List.of(BROKEN, WEATHER), ToolChoice.named("broken"), Thinking.AUTO))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("tool 'broken'");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "not json",
                "[1]",
                "{\"type\":\"string\"}",
                "{\"type\":\"object\",\"properties\":{\"a\":{\"not\":{}}}}",
                "{\"type\":\"object\",\"properties\":{\"a\":{\"pattern\":\"(\",\"type\":\"string\"}}}",
                "{\"type\":\"object\",\"required\":\"a\"}"
            })
    void everyWrongSchemaNamesItsTool(String schema) {
        ToolSpec tool = new ToolSpec("odd_tool", "", schema);
        assertThatThrownBy(() -> turn(HERMES, List.of(tool), ToolChoice.AUTO, Thinking.AUTO))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("'odd_tool'");
    }

    @Test
    void deepSchemasEndInAnError() {
        String deep = "{\"items\":".repeat(100_000) + "{}" + "}".repeat(100_000);
        assertThatThrownBy(() -> turn(HERMES, List.of(new ToolSpec("deep", "", deep)), ToolChoice.AUTO, Thinking.AUTO))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("'deep'");
    }

    @Test
    void unusualNamesAndChoicesAreRefused() {
        assertThatThrownBy(
                        () -> turn(HERMES, List.of(new ToolSpec("my tool", "", "{}")), ToolChoice.AUTO, Thinking.AUTO))
                .hasMessageContaining("'my tool'");
        assertThatThrownBy(() -> turn(HERMES, List.of(NOW, NOW), ToolChoice.AUTO, Thinking.AUTO))
                .hasMessageContaining("'now'");
        assertThatThrownBy(() -> turn(HERMES, List.of(NOW), ToolChoice.named("later"), Thinking.AUTO))
                .hasMessageContaining("'later'");
        assertThatThrownBy(() -> turn(HERMES, List.of(), ToolChoice.REQUIRED, Thinking.AUTO))
                .hasMessageContaining("no tools are offered");
    }

    @Test
    void aTemplateThatIgnoresToolsHasThemDescribed() {
        ChatFormat format = ChatFormat.of(IGNORANT, FewTokens.CHATML);
        ToolCall call = new ToolCall("1", "get_weather", "{\"city\":\"Paris\"}");
        ChatTurn turn = format.turn(
                List.of(
                        ChatMessage.system("Be brief."),
                        ChatMessage.user("Weather?"),
                        ChatMessage.assistant("Looking.", null, List.of(call)),
                        ChatMessage.toolResult("1", "get_weather", "{\"sky\":\"clear\"}"),
                        ChatMessage.user("And?")),
                List.of(WEATHER),
                ToolChoice.AUTO,
                Thinking.AUTO,
                Map.of());
        assertThat(text(turn.prompt()))
                .contains("<system>")
                .contains("\"name\":\"get_weather\"")
                .contains("\"city\"")
                .contains("Be brief.")
                .contains(
                        "<assistant>Looking.\n<tool_call>\n{\"name\":\"get_weather\",\"arguments\":{\"city\":\"Paris\"}}\n</tool_call>")
                .contains("<user><tool_response>\n{\"sky\":\"clear\"}\n</tool_response>\nAnd?")
                .doesNotContain("<tool>");
        assertThat(allows(turn, CALL)).isTrue();
    }

    @Test
    void thinkingIsToldToTheTemplateAndBegun() {
        ChatTurn on = turn(HERMES, List.of(), ToolChoice.AUTO, Thinking.ON);
        assertThat(text(on.prompt())).endsWith("[True]");
        assertThat(on.beginning()).isEqualTo("<think>\n");
        assertThat(on.reasoningLimit()).isEqualTo(-1);
        ChatTurn off = turn(HERMES, List.of(), ToolChoice.AUTO, Thinking.OFF);
        assertThat(text(off.prompt())).endsWith("[False]");
        assertThat(off.beginning()).isEmpty();
        assertThat(off.reasoningLimit()).isZero();
        assertThat(turn(HERMES, List.of(), ToolChoice.AUTO, Thinking.AUTO).reasoningLimit())
                .isEqualTo(-1);
        assertThatThrownBy(() -> turn(IGNORANT, List.of(), ToolChoice.AUTO, Thinking.ON))
                .hasMessageContaining("'thinking'");
    }

    @Test
    void aConstrainedAnswerStandsBehindThinkingThatWasAskedFor() {
        ChatTurn turn = turn(HERMES, List.of(), ToolChoice.AUTO, Thinking.ON);
        Grammar grammar =
                Grammar.of(new Constraint.Choices(List.of("yes", "no")), Objects.requireNonNull(turn.shape(true)));
        assertThat(grammar.matches("<think>\nHm.</think>\n\nyes".getBytes(StandardCharsets.UTF_8)))
                .isTrue();
        assertThat(grammar.matches("yes".getBytes(StandardCharsets.UTF_8))).isFalse();
    }
}
