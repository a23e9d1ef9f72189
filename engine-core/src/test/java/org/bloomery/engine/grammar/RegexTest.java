package org.bloomery.engine.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegexTest {

    private static final String[] ATOMS = {
        "a",
        "b",
        "é",
        "😀",
        ".",
        "[ab]",
        "[^a]",
        "[a-cé]",
        "\\d",
        "\\w",
        "\\S",
        "\\.",
        "[^\\d\\s]",
        "(a|b)",
        "(?:ab|)",
        "\\u00e9",
        "[\\w-]",
        "\\x61"
    };
    private static final String[] QUANTIFIERS = {"", "", "", "*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "{0}"
    };
    private static final int[] ALPHABET = "abé😀1. \u00df".codePoints().toArray();

    private static boolean matches(Grammar grammar, String text) {
        return grammar.matches(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String randomPattern(Random random, int depth) {
        StringBuilder pattern = new StringBuilder();
        for (int i = random.nextInt(4); i >= 0; i--) {
            int kind = random.nextInt(10);
            if (kind < 2 && depth < 2) {
                pattern.append('(').append(randomPattern(random, depth + 1)).append(')');
            } else if (kind == 2 && depth < 2) {
                pattern.append("(?:")
                        .append(randomPattern(random, depth + 1))
                        .append('|')
                        .append(randomPattern(random, depth + 1))
                        .append(')');
            } else {
                pattern.append(ATOMS[random.nextInt(ATOMS.length)]);
            }
            pattern.append(QUANTIFIERS[random.nextInt(QUANTIFIERS.length)]);
        }
        return pattern.toString();
    }

    private static List<String> texts(Random random) {
        List<String> texts = new ArrayList<>(List.of(""));
        for (int first : ALPHABET) {
            texts.add(Character.toString(first));
            for (int second : ALPHABET) {
                texts.add(Character.toString(first) + Character.toString(second));
            }
        }
        for (int i = 0; i < 300; i++) {
            StringBuilder text = new StringBuilder();
            for (int k = random.nextInt(2, 9); k >= 0; k--) {
                text.appendCodePoint(ALPHABET[random.nextInt(random.nextBoolean() ? 2 : ALPHABET.length)]);
            }
            texts.add(text.toString());
        }
        return texts;
    }

    @Test
    void agreesWithJavaOnRandomPatterns() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<String> texts = texts(random);
        int matched = 0;
        int refused = 0;
        for (int i = 0; i < 400; i++) {
            String pattern = randomPattern(random, 0);
            Pattern expected = Pattern.compile(pattern);
            Grammar grammar;
            try {
                grammar = Grammar.regex(pattern);
            } catch (GrammarException e) {
                // Chance also makes patterns that are too large, or match nothing
                refused++;
                continue;
            }
            for (String text : texts) {
                boolean wanted = expected.matcher(text).matches();
                matched += wanted ? 1 : 0;
                assertThat(matches(grammar, text))
                        .as("'%s' against '%s', seed %d", text, pattern, seed)
                        .isEqualTo(wanted);
            }
        }
        assertThat(matched).as("texts that matched, seed %d", seed).isGreaterThan(400);
        assertThat(refused).as("patterns that were refused, seed %d", seed).isLessThan(40);
    }

    @Test
    void anchorsAreUnderstoodWhereTheyCanMatchAndWhereTheyCannot() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<String> texts = texts(random);
        String[] patterns = {
            "^a", "a$", "^$", "^a$|b", "(^a|b)*", "a(b|$)", "a^b", "(^|a)b", "(a|^b$)$", "^^a$$", "$", "(a*$|b)+"
        };
        for (String pattern : patterns) {
            Pattern expected = Pattern.compile(pattern);
            CharDfa whole = Regex.matching(pattern, new Budget("The pattern"));
            CharDfa within = Regex.within(pattern, new Budget("The pattern"));
            for (String text : texts) {
                assertThat(whole.matches(text))
                        .as("'%s' against '%s', seed %d", text, pattern, seed)
                        .isEqualTo(expected.matcher(text).matches());
                assertThat(within.matches(text))
                        .as("'%s' in '%s', seed %d", pattern, text, seed)
                        .isEqualTo(expected.matcher(text).find());
            }
        }
    }

    @Test
    void patternsWithoutAnchorsMatchAnywhere() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<String> texts = texts(random);
        for (int i = 0; i < 100; i++) {
            String pattern = randomPattern(random, 1);
            CharDfa within = Regex.within(pattern, new Budget("The pattern"));
            Pattern expected = Pattern.compile(pattern);
            for (String text : texts) {
                assertThat(within.matches(text))
                        .as("'%s' in '%s', seed %d", pattern, text, seed)
                        .isEqualTo(expected.matcher(text).find());
            }
        }
    }

    @Test
    void automataIntersectAndComplement() {
        Budget budget = new Budget("The test");
        CharDfa letters = Regex.matching("[a-z]{2,5}", budget);
        CharDfa noB = Regex.within("b", budget).not(budget);
        CharDfa both = letters.and(noB, budget);
        assertThat(both.matches("acd")).isTrue();
        assertThat(both.matches("abd")).isFalse();
        assertThat(both.matches("a")).isFalse();
        assertThat(noB.matches("")).isTrue();
        assertThat(letters.and(Regex.matching("[0-9]+", budget), budget).isEmpty())
                .isTrue();
        assertThat(CharDfa.ofLength(2, Integer.MAX_VALUE, budget).matches("a😀é"))
                .isTrue();
        assertThat(CharDfa.ofLength(2, 3, budget).matches("😀")).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "(?=a)b look-ahead",
                "(?<!a)b look-behind",
                "a\\b boundary",
                "(a)\\1 back",
                "(?i)a flag",
                "a++ possessive",
                "a** quantifier",
                "x{1000}{1000} quantifier",
                "a{3,2} bounds",
                "[b-a] range",
                "[a ']'",
                "(a ')'",
                "a) '('",
                "*a nothing",
                "\\p{Greek} Greek",
                "\\q unknown",
                "\\ud800 surrogate"
            })
    void refusesByNameWhatAnAutomatonCannotDecide(String pattern, String named) {
        assertThatThrownBy(() -> Grammar.regex(pattern))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining(named)
                .hasMessageContaining("character");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(?:x{1000}){1000}",
                "(x{1000}){1000}",
                "((a{100}){100}){100}",
                "(a|b)*a(a|b){40}",
                "(.*a){30}b(.|c){30}",
                "x{100000}",
                "a{200000}",
                "(a?){5000}a{5000}",
                "[^a]{40000}"
            })
    void refusesExponentialPatternsByBudget(String pattern) {
        assertThatThrownBy(() -> Grammar.regex(pattern))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("more than");
    }

    @Test
    void refusesDeepNesting() {
        assertThatThrownBy(() -> Grammar.regex("(".repeat(100_000) + "a" + ")".repeat(100_000)))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("deeper than 64");
    }

    @Test
    void acceptsOnlyExactUtf8() {
        Grammar any = Grammar.regex("[^\\n]*");
        assertThat(any.matches(new byte[] {(byte) 0xC0, (byte) 0x80}))
                .as("overlong")
                .isFalse();
        assertThat(any.matches(new byte[] {(byte) 0xE0, (byte) 0x80, (byte) 0x80}))
                .as("overlong")
                .isFalse();
        assertThat(any.matches(new byte[] {(byte) 0xED, (byte) 0xA0, (byte) 0x80}))
                .as("surrogate")
                .isFalse();
        assertThat(any.matches(new byte[] {(byte) 0xF4, (byte) 0x90, (byte) 0x80, (byte) 0x80}))
                .as("beyond")
                .isFalse();
        assertThat(any.matches(new byte[] {(byte) 0xE6, (byte) 0x97}))
                .as("half")
                .isFalse();
        for (int c : new int[] {0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF}) {
            assertThat(any.matches(Character.toString(c).getBytes(StandardCharsets.UTF_8)))
                    .as("U+%X", c)
                    .isTrue();
        }
    }

    @Test
    void rangesOfCharactersBecomeExactRangesOfBytes() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 200; i++) {
            CodePoints.Collector collector = new CodePoints.Collector();
            for (int k = random.nextInt(3); k >= 0; k--) {
                int limit = new int[] {0x100, 0x900, 0x11000, 0x110000}[random.nextInt(4)];
                int first = random.nextInt(limit);
                collector.add(first, random.nextInt(first, limit));
            }
            CodePoints set = collector.build();
            List<int[]> sequences = Utf8.sequences(set);
            for (int k = 0; k < 400; k++) {
                int c = random.nextInt(new int[] {0x100, 0x900, 0x11000, 0x110000}[random.nextInt(4)]);
                if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
                    continue;
                }
                byte[] bytes = Character.toString(c).getBytes(StandardCharsets.UTF_8);
                long covering = sequences.stream().filter(s -> covers(s, bytes)).count();
                assertThat(covering).as("U+%X, seed %d", c, seed).isEqualTo(set.contains(c) ? 1 : 0);
            }
        }
    }

    private static boolean covers(int[] sequence, byte[] bytes) {
        boolean covers = sequence.length == 2 * bytes.length;
        for (int i = 0; covers && i < bytes.length; i++) {
            int b = bytes[i] & 0xFF;
            covers = b >= sequence[2 * i] && b <= sequence[2 * i + 1];
        }
        return covers;
    }
}
