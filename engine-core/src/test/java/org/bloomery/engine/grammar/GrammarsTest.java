package org.bloomery.engine.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.bloomery.engine.Constraint;
import org.junit.jupiter.api.Test;

class GrammarsTest {

    private static final Shape CALL = Shape.sequence(
            Shape.mark("<tool_call>"),
            Shape.SPACE,
            new Shape.Json("""
                    {"type":"object","properties":{"name":{"enum":["f","g"]},"arguments":{"type":"object"}},
                     "required":["name","arguments"]}""", "The schema of tools", null),
            Shape.SPACE,
            Shape.mark("</tool_call>"));

    private static final Shape CALLS = Shape.several(CALL, Shape.SPACE);

    private static Shape reasoned(Shape shape) {
        return Shape.sequence(Shape.without(List.of("</think>")), Shape.mark("</think>"), Shape.SPACE, shape);
    }

    private static boolean matches(Grammar grammar, String text) {
        return grammar.matches(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void forgetsWhatWasUsedLongestAgo() {
        TestVocabulary vocabulary = new TestVocabulary("a", "b");
        Grammars grammars = new Grammars(vocabulary, 200_000);
        for (int i = 0; i < 500; i++) {
            Constraint constraint = new Constraint.Regex("a{" + (i % 7) + "}b{1," + (100 + i) + "}");
            GrammarMatcher matcher = grammars.matcher(constraint, Shape.ANSWER);
            assertThat(matcher.mask().count()).isPositive();
        }
        assertThat(grammars.size()).isBetween(2, 100);
    }

    @Test
    void remembersWhatIsUsedAgain() {
        Grammars grammars = new Grammars(new TestVocabulary("a", "b"));
        for (int i = 0; i < 10; i++) {
            grammars.matcher(new Constraint.JsonSchema("{\"type\":\"null\"}"), Shape.ANSWER);
            grammars.matcher(new Constraint.Regex("a"), Shape.ANSWER);
            grammars.matcher(new Constraint.Regex("a"), reasoned(Shape.ANSWER));
        }
        assertThat(grammars.size()).isEqualTo(3);
    }

    @Test
    void aConstrainedAnswerMayStandBehindReasoning() {
        Grammar grammar = Grammar.of(new Constraint.JsonSchema("{\"type\":\"boolean\"}"), reasoned(Shape.ANSWER));
        assertThat(matches(grammar, "Let me <think> about </thin it.</think>\n\ntrue"))
                .isTrue();
        assertThat(matches(grammar, "</think>false")).isTrue();
        assertThat(matches(grammar, "true")).isFalse();
        assertThat(matches(grammar, "Well.</think>It is true")).isFalse();
        assertThat(matches(grammar, "a</think>b</think>true")).isFalse();
    }

    @Test
    void toolsMayBeCalledInTheAnswersPlace() {
        Grammar grammar = Grammar.of(new Constraint.Choices(List.of("yes")), Shape.oneOf(List.of(Shape.ANSWER, CALLS)));
        String call = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>";
        assertThat(matches(grammar, "yes")).isTrue();
        assertThat(matches(grammar, call)).isTrue();
        assertThat(matches(grammar, call + "\n" + call)).isTrue();
        assertThat(matches(grammar, call + "yes")).isFalse();
        assertThat(matches(grammar, call.replace("\"f\"", "\"h\""))).isFalse();
        assertThat(matches(grammar, "<tool_call>")).isFalse();
    }

    @Test
    void reasoningAndCallsGoTogetherWithRulesOfAnyNotation() {
        Grammar grammar = Grammar.of(
                new Constraint.Gbnf("root ::= list\nlist ::= \"(\" list \")\" | \"x\""),
                reasoned(Shape.oneOf(List.of(Shape.ANSWER, CALLS))));
        assertThat(matches(grammar, "hm</think>((x))")).isTrue();
        assertThat(matches(grammar, "hm</think>((x)")).isFalse();
        assertThat(matches(grammar, "</think><tool_call>{\"name\":\"g\",\"arguments\":{}}</tool_call>"))
                .isTrue();
    }

    @Test
    void refusesEveryTimeWhatItCannotCompile() {
        Grammars grammars = new Grammars(new TestVocabulary("a", "b"));
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> grammars.matcher(new Constraint.Regex("(?=a)"), Shape.ANSWER))
                    .isInstanceOf(GrammarException.class);
        }
        assertThat(grammars.size()).isZero();
    }
}
