package org.bloomery.engine.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenMaskTest {

    private static final String SCHEMA = """
            {"type":"object","properties":{
              "name":{"type":"string","maxLength":12},
              "tags":{"type":"array","items":{"enum":["a","bc","é"]},"maxItems":3},
              "next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},
             "required":["name","next"]}""";

    /** Whether some text of the language begins so, asked of the language itself: byte by byte, without the trie. */
    private static boolean begins(Grammar grammar, byte[] text) {
        Automaton automaton = new Automaton(grammar.network());
        Automaton.State state = automaton.start();
        for (byte b : text) {
            state = automaton.next(state, b & 0xFF);
        }
        return state != automaton.refused();
    }

    private static byte[] joined(byte[] a, byte[] b) {
        byte[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    @Test
    void allowsExactlyTheTokensThatKeepToTheGrammar() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        TestVocabulary vocabulary = new TestVocabulary(random, 1_500);
        TokenTrie trie = TokenTrie.of(vocabulary);
        for (Grammar grammar : List.of(
                Grammar.jsonSchema(SCHEMA),
                Grammar.regex("([a-zé]+ ?){2,4}\\."),
                Grammar.jsonSchema("{\"type\":\"string\"}"),
                Grammar.jsonSchema("{\"type\":\"array\",\"items\":{\"type\":\"string\",\"maxLength\":30}}"),
                Grammar.regex("[^\"q日]*"),
                Grammar.regex("[a-z日本 ]{0,40}"),
                Grammar.regex("[^\\x00-\\x1f😀]{3,9}"),
                Grammar.choices(List.of("yes", "yes!", "no", "日本")))) {
            GrammarMatcher matcher = TokenGrammar.of(grammar, trie).matcher();
            byte[] text = {};
            for (int step = 0; step < 25; step++) {
                TokenMask mask = matcher.mask();
                int count = 0;
                int chosen = -1;
                for (int token = 0; token < vocabulary.vocabSize(); token++) {
                    byte[] bytes = vocabulary.bytes(token);
                    boolean expected = token == TestVocabulary.END
                            ? grammar.matches(text)
                            : bytes.length > 0 && begins(grammar, joined(text, bytes));
                    assertThat(mask.allows(token))
                            .as("token %d behind '%s', seed %d", token, new String(text, StandardCharsets.UTF_8), seed)
                            .isEqualTo(expected);
                    if (expected && token != TestVocabulary.END && random.nextInt(++count) == 0) {
                        chosen = token;
                    }
                }
                assertThat(matcher.mayEnd()).isEqualTo(grammar.matches(text));
                if (chosen < 0) {
                    assertThat(matcher.complete()).isTrue();
                    break;
                }
                matcher.accept(chosen);
                text = joined(text, vocabulary.bytes(chosen));
            }
        }
    }

    @Test
    void controlTokensAreNeverAllowedAndTheEndOnlyWhereTheAnswerMayEnd() {
        TokenTrie trie = TokenTrie.of(new TestVocabulary(new Random(1), 400));
        GrammarMatcher matcher = TokenGrammar.of(Grammar.regex("ab?"), trie).matcher();
        assertThat(matcher.mask().count()).isEqualTo(1);
        assertThat(matcher.mask().allows(TestVocabulary.END)).isFalse();
        matcher.accept(TestVocabulary.TURN + 1 + 'a');
        assertThat(matcher.mask().allows(TestVocabulary.END)).isTrue();
        assertThat(matcher.mask().allows(TestVocabulary.BEGIN)).isFalse();
        assertThat(matcher.mask().allows(TestVocabulary.TURN)).isFalse();
        assertThat(matcher.complete()).isFalse();
        matcher.accept(TestVocabulary.TURN + 1 + 'b');
        assertThat(matcher.complete()).isTrue();
    }

    @Test
    void aTokenThatIsNotAllowedCannotBeAccepted() {
        TokenTrie trie = TokenTrie.of(new TestVocabulary(new Random(1), 400));
        GrammarMatcher matcher = TokenGrammar.of(Grammar.regex("ab?"), trie).matcher();
        assertThatThrownBy(() -> matcher.accept(TestVocabulary.TURN + 1 + 'b'))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> matcher.accept(TestVocabulary.TURN)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[a-z]", "x", "[^x]*"})
    void forbiddenLogitsBecomeImpossibleAndAllowedOnesStay(String pattern) {
        TestVocabulary vocabulary = new TestVocabulary(new Random(3), 1_401);
        TokenMask mask = TokenGrammar.of(Grammar.regex(pattern), TokenTrie.of(vocabulary))
                .matcher()
                .mask();
        float[] logits = new float[1_500];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = i;
        }
        mask.apply(logits, 1_480);
        for (int token = 0; token < logits.length; token++) {
            assertThat(logits[token]).isEqualTo(token >= 1_480 || mask.allows(token) ? token : Float.NEGATIVE_INFINITY);
        }
    }

    @Test
    void rememberedStatesAreBoundedAndForgettingThemChangesNothing() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        TestVocabulary vocabulary = new TestVocabulary(random, 3_000);
        TokenTrie trie = TokenTrie.of(vocabulary);
        // Every character of the text is another state, so that many masks are computed
        TokenGrammar grammar = TokenGrammar.of(Grammar.regex("([a-z]{0,3000}é)*"), trie);
        for (int round = 0; round < 5; round++) {
            GrammarMatcher matcher = grammar.matcher();
            for (int i = 0; i < 2_500; i++) {
                TokenMask mask = matcher.mask();
                assertThat(mask.allows(TestVocabulary.TURN + 1 + 'q')).isTrue();
                matcher.accept(TestVocabulary.TURN + 1 + 'a' + random.nextInt(26));
                assertThat(grammar.byteSize()).as("seed %d", seed).isLessThan(2 * TokenGrammar.MAX_REMEMBERED);
            }
        }
    }

    @Test
    void choicesAllowTheseTextsOnly() {
        Grammar choices = Grammar.choices(List.of("a", "ab", "\u65e5", ""));
        assertThat(choices.matches(new byte[0])).isTrue();
        assertThat(choices.matches("ab".getBytes(StandardCharsets.UTF_8))).isTrue();
        assertThat(choices.matches("b".getBytes(StandardCharsets.UTF_8))).isFalse();
        assertThatThrownBy(() -> Grammar.choices(List.of()))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("empty");
        assertThatThrownBy(() -> Grammar.choices(List.of("\ud800")))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("surrogate");
    }

    @Test
    void saysWhereTheVocabularyCannotGoOn() {
        TokenGrammar grammar = TokenGrammar.of(Grammar.regex("a"), TokenTrie.of(new TestVocabulary("b", "cd")));
        assertThatThrownBy(() -> grammar.matcher().mask())
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("vocabulary");
    }
}
