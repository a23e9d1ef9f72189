package org.bloomery.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.UnsupportedModelException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BytePairTokenizerTest extends TokenizerContract {

    @Override
    VocabularyFixture fixture() {
        return VocabularyFixture.bytePairs("gpt-2");
    }

    @Override
    String control() {
        return "<|im_end|>";
    }

    @Test
    void mergesByRankAndThenFromTheLeft() {
        assertThat(spellings("hello hello aaaaa wo")).containsExactly("hello", "Ġhello", "Ġ", "aaaa", "a", "Ġwo");
        assertThat(spellings("aaa")).containsExactly("aa", "a");
    }

    @Test
    void keepsNoMergeAcrossWords() {
        assertThat(spellings("1234's")).containsExactly("123", "4", "'s");
        assertThat(spellings("he'll")).containsExactly("he", "'", "ll");
    }

    @Test
    void prefersLongerSpecialTokens() {
        assertThat(tokenizer().encode("<|im_start|><|im<|im_", true, false))
                .startsWith(
                        tokenizer().idOf("<|im_start|>"),
                        tokenizer().idOf("<|im"),
                        tokenizer().idOf("<|im"));
    }

    @Test
    void addsWhatTheMetadataAsksFor() {
        assertThat(tokenizer().encode("hello", false, true)).hasSize(1);
        Tokenizer adding =
                fixture().set("add_bos_token", true).set("add_eos_token", true).build();
        assertThat(adding.addsBos()).isTrue();
        assertThat(adding.encode("hello", false, true))
                .containsExactly(adding.bosToken(), adding.idOf("hello"), adding.eosToken());
        assertThat(adding.encode("hello", false, false)).hasSize(1);
    }

    @Test
    void decodesWhatItEncodes() {
        Random random = new Random(4);
        for (int round = 0; round < 3_000; round++) {
            String text = hostile(random);
            assertThat(decode(tokenizer().encode(text, false, false)))
                    .as("seed 4, round %d", round)
                    .isEqualTo(new String(text.getBytes(StandardCharsets.UTF_16BE), StandardCharsets.UTF_16BE));
        }
    }

    @Test
    void neverShowsHalfACharacter() {
        StreamingDecoder decoder = tokenizer().decoder();
        int[] ids = tokenizer().encode("🚀", false, false);
        assertThat(ids).hasSize(4);
        assertThat(decoder.accept(ids[0])).isEmpty();
        assertThat(decoder.accept(ids[1])).isEmpty();
        assertThat(decoder.accept(ids[2])).isEmpty();
        assertThat(decoder.accept(ids[3])).isEqualTo("🚀");
        assertThat(decoder.accept(ids[0])).isEmpty();
        assertThat(decoder.accept(tokenizer().idOf("hello"))).isEqualTo("\uFFFDhello");
        assertThat(decoder.accept(ids[0])).isEmpty();
        assertThat(decoder.finish()).isEqualTo("\uFFFD");
        assertThat(decoder.finish()).isEmpty();
        assertThat(decoder.accept(tokenizer().idOf("hello"))).isEqualTo("hello");
    }

    @Test
    void takesWholeWordBeforeMergesWhereThePreTokenizerSaysSo() {
        VocabularyFixture merging = VocabularyFixture.bytePairs("gpt-2").token("world", VocabularyFixture.NORMAL, 0);
        assertThat(merging.build().encode("world", false, false)).hasSizeGreaterThan(1);
        VocabularyFixture whole = VocabularyFixture.bytePairs("llama-bpe").token("world", VocabularyFixture.NORMAL, 0);
        assertThat(whole.build().encode("world", false, false)).containsExactly(whole.id("world"));
        assertThat(whole.build().addsBos()).isTrue();
    }

    @Test
    void cutsWordsByThePatternOfItsName() {
        assertThat(cut("gpt-2", "a  b 12345's'S\n\nx  "))
                .containsExactly("a", " ", " b", " 12345", "'s", "'", "S", "\n", "\n", "x", "  ");
        assertThat(cut("llama-bpe", "a  b 12345's'S\n\nx  "))
                .containsExactly("a", " ", " b", " ", "123", "45", "'s", "'S", "\n\n", "x", "  ");
        assertThat(cut("qwen2", "a 12(b)\n")).containsExactly("a", " ", "1", "2", "(b", ")\n");
        assertThat(cut("qwen35", "e\u0301a b")).containsExactly("e\u0301a", " b");
        assertThat(cut("qwen2", "e\u0301a b")).containsExactly("e", "\u0301a", " b");
        assertThat(cut("deepseek-v3", "a 1234(b)\u4E2D\u3042"))
                .containsExactly("a", " ", "123", "4", "(b", ")", "\u4E2D\u3042");
        assertThat(cut("deepseek-llm", "Hi, \u4E2D12  ")).containsExactly("Hi", ",", " ", "\u4E2D", "12", "  ");
        assertThat(cut("falcon", "a==1234")).containsExactly("a", "==", "123", "4");
        assertThat(cut("starcoder", "a 12")).containsExactly("a", " ", "1", "2");
        assertThat(cut("gpt-4o", "camelCase's XMLHttp")).containsExactly("camel", "Case's", " XMLHttp");
        assertThat(cut("tekken", "it's 12")).containsExactly("it", "'s", " ", "1", "2");
        assertThat(cut("gpt-4o", "\u00C4BC")).containsExactly("\u00C4", "BC");
        assertThat(cut("superbpe", "a 1234567 b")).containsExactly("a ", "1", "234", "567", " b");
        assertThat(cut("bloom", "a.b c|")).containsExactly("a", ".", "b", " c", "|");
        assertThat(cut("exaone-moe", "ab cd 1")).containsExactly("ab cd", " ", "1");
        assertThat(cut("kimi-k2", "a\u4E2Db's")).containsExactly("a", "\u4E2D", "b's");
        assertThat(cut("laguna", "a\n b")).containsExactly("a", "\n", " b");
    }

    @ParameterizedTest
    @EnumSource(PreTokenizer.class)
    void everyPreTokenizerCoversTheText(PreTokenizer pre) {
        Random random = new Random(31);
        for (int round = 0; round < 300; round++) {
            String text = hostile(random).replaceAll("[\uD800-\uDFFF]", "");
            assertThat(String.join("", cut(pre, text)))
                    .as("seed 31, round %d", round)
                    .isEqualTo(text);
        }
    }

    @ParameterizedTest
    @EnumSource(PreTokenizer.class)
    void everyPreTokenizerStaysLinear(PreTokenizer pre) {
        for (String unit :
                List.of("a", "A", " ", "7", "\n", ".", "<", "é", "\u0301", "中", " a", " \n", "'s", "aB", "1a")) {
            String text = unit.repeat(200_000 / unit.length());
            List<String> words = assertTimeoutPreemptively(Duration.ofSeconds(20), () -> cut(pre, text));
            assertThat(words.stream().mapToInt(String::length).sum()).isEqualTo(text.length());
        }
    }

    @Test
    void refusesUnknownPreTokenizerAndNamesTheKnown() {
        assertThatThrownBy(() -> VocabularyFixture.bytePairs("abacus").build())
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("abacus")
                .hasMessageContaining("llama-bpe");
    }

    @Test
    void refusesWrongMerges() {
        assertRefused(fixture().without("merges"), "merges");
        assertRefused(fixture().set("merges", new int[] {1}), "merges");
        assertRefused(fixture().set("merges", List.of("h e", "he")), "entry 1");
        assertRefused(fixture().set("merges", List.of("nowhere e")), "entry 0");
        assertRefused(fixture().set("merges", List.of("h nowhere")), "entry 0");
        assertRefused(fixture().set("merges", List.of("h h")), "entry 0");
    }

    private List<String> spellings(String text) {
        return Arrays.stream(tokenizer().encode(text, false, false))
                .mapToObj(tokenizer()::spelling)
                .toList();
    }

    private static List<String> cut(String pre, String text) {
        return cut(Objects.requireNonNull(PreTokenizer.named(pre)), text);
    }

    private static List<String> cut(PreTokenizer preTokenizer, String text) {
        Text points = new Text(List.of(TextSpan.trusted(text)));
        if (points.length() == 0) {
            return List.of();
        }
        Ints ends = preTokenizer.words(points, 0, points.length());
        List<String> words = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < ends.size(); i++) {
            StringBuilder word = new StringBuilder();
            for (int at = start; at < ends.get(i); at++) {
                word.appendCodePoint(points.codePoint(at));
            }
            words.add(word.toString());
            start = ends.get(i);
        }
        return words;
    }
}
