package org.bloomery.engine.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GbnfTest {

    private static final String ARITHMETIC = """
            # sums of products
            root   ::= sum
            sum    ::= product (("+" | "-") product)*
            product ::= value ("*" value)*
            value  ::= number
                | "(" sum ")"   # nested
            number ::= [0-9]+ ("." [0-9]{1,2})?
            """;

    private static boolean matches(Grammar grammar, String text) {
        return grammar.matches(text.getBytes(StandardCharsets.UTF_8));
    }

    /** What {@link #ARITHMETIC} says, by hand. */
    private static final class Calculator {
        private final String text;
        private int at;

        Calculator(String text) {
            this.text = text;
        }

        static boolean accepts(String text) {
            Calculator calculator = new Calculator(text);
            return calculator.sum() && calculator.at == text.length();
        }

        private boolean take(String any) {
            boolean there = at < text.length() && any.indexOf(text.charAt(at)) >= 0;
            at += there ? 1 : 0;
            return there;
        }

        private boolean sum() {
            boolean right = product();
            while (right && take("+-")) {
                right = product();
            }
            return right;
        }

        private boolean product() {
            boolean right = value();
            while (right && take("*")) {
                right = value();
            }
            return right;
        }

        private boolean value() {
            if (take("(")) {
                return sum() && take(")");
            }
            if (!take("0123456789")) {
                return false;
            }
            while (take("0123456789")) {
                // digits before the point
            }
            if (take(".")) {
                if (!take("0123456789")) {
                    return false;
                }
                take("0123456789");
            }
            return true;
        }
    }

    @Test
    void agreesWithAParserWrittenByHand() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Grammar grammar = Grammar.gbnf(ARITHMETIC);
        int accepted = 0;
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int k = random.nextInt(8); k >= 0; k--) {
                text.append("01.+*()".charAt(random.nextInt(7)));
            }
            boolean expected = Calculator.accepts(text.toString());
            accepted += expected ? 1 : 0;
            assertThat(matches(grammar, text.toString()))
                    .as("'%s', seed %d", text, seed)
                    .isEqualTo(expected);
        }
        assertThat(accepted).isGreaterThan(200);
    }

    @Test
    void everyAnswerIsOfTheLanguage() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        RandomAnswers answers = new RandomAnswers(new TestVocabulary(random, 2_000), random);
        TokenGrammar grammar = answers.over(Grammar.gbnf(ARITHMETIC));
        int whole = 0;
        for (int i = 0; i < 200; i++) {
            byte[] answer = answers.write(grammar, 60);
            if (answer != null) {
                whole++;
                assertThat(Calculator.accepts(new String(answer, StandardCharsets.UTF_8)))
                        .as("'%s', seed %d", new String(answer, StandardCharsets.UTF_8), seed)
                        .isTrue();
            }
        }
        assertThat(whole).as("answers that ended, seed %d", seed).isGreaterThan(100);
    }

    @Test
    void readsWhatTheNotationHas() {
        Grammar grammar = Grammar.gbnf("""
                root ::= greeting{2,3} end?
                greeting ::= "h\\u00e9llo" [^a-z"]+ |
                  "\\"hi\\"" .
                end ::= [\\x41-\\x43\\]] ("" | "!")
                """);
        assertThat(matches(grammar, "héllo \"hi\"x")).isTrue();
        assertThat(matches(grammar, "\"hi\"x\"hi\"yA!")).isTrue();
        assertThat(matches(grammar, "\"hi\"x\"hi\"y]")).isTrue();
        assertThat(matches(grammar, "héllo ")).isFalse();
        assertThat(matches(grammar, "\"hi\"x\"hi\"yD")).isFalse();
    }

    @Test
    void rulesMayContainThemselves() {
        Grammar brackets = Grammar.gbnf("root ::= \"(\" root \")\" | \"\"");
        assertThat(matches(brackets, "(".repeat(500) + ")".repeat(500))).isTrue();
        assertThat(matches(brackets, "(".repeat(500) + ")".repeat(499))).isFalse();
        Grammar right = Grammar.gbnf("root ::= \"a\" root | \"b\"");
        assertThat(matches(right, "a".repeat(5_000) + "b")).isTrue();
    }

    @Test
    void repetitionsAreCountedExactly() {
        Grammar grammar = Grammar.gbnf("root ::= (pair \",\"){3,5} [x]{1000}\npair ::= [a-z] [0-9]{0,2}");
        assertThat(matches(grammar, "a1,b22,c," + "x".repeat(1000))).isTrue();
        assertThat(matches(grammar, "a1,b22," + "x".repeat(1000))).isFalse();
        assertThat(matches(grammar, "a,".repeat(6) + "x".repeat(1000))).isFalse();
        assertThat(matches(grammar, "a,".repeat(5) + "x".repeat(999))).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "root ::= other;'other' in line 1",
                "start ::= \"a\";'root'",
                "root ::= root \"a\" | \"b\";rule 'root' with itself",
                "root ::= \"a;literal",
                "root ::= (\"a\";')'",
                "root ::= [a;']'",
                "root = \"a\";'::='",
                "root ::= \"a\"{3,2};bounds",
                "root ::= \"a\"{};number",
                "root ::= *;nothing",
                "root ::= \"\\q\";escape",
                "root ::= \"\\ud800\";character",
                "root ::= <think>;token",
                "root ::= \"a\" root;no answer",
                "`root ::= \"a\"\nroot ::= \"b\"`;twice"
            })
    void refusesBrokenGrammarsByNameAndLine(String grammar, String named) {
        assertThatThrownBy(() -> Grammar.gbnf(grammar))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining(named);
    }

    @ParameterizedTest
    @ValueSource(ints = {65, 1_000, 100_000})
    void refusesDeepNesting(int depth) {
        assertThatThrownBy(() -> Grammar.gbnf("root ::= " + "(".repeat(depth) + "\"a\"" + ")".repeat(depth)))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("deeper than 64");
    }

    @Test
    void refusesTooManyStates() {
        assertThatThrownBy(() -> Grammar.gbnf("root ::= \"" + "a".repeat(60_000) + "\""))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("more than 50000 states");
    }

    @Test
    void refusesAmbiguityThatWouldTakeForEver() {
        Grammar grammar = Grammar.gbnf("root ::= (\"a\" root | \"a\" root \"a\" | \"a\" root \"b\" | \"c\")");
        assertThatThrownBy(() -> grammar.matches("a".repeat(2_000).getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("ambiguous");
    }
}
