package org.bloomery.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class WordPieceTokenizerTest extends TokenizerContract {

    @Override
    VocabularyFixture fixture() {
        return VocabularyFixture.wordPiece();
    }

    @Override
    String control() {
        return "[CLS]";
    }

    @Test
    void coversWordsByTheLongestPieces() {
        assertThat(spellings("hello hellos world!")).containsExactly("▁hello", "▁hello", "s", "▁world", "▁!");
        assertThat(spellings("hellos helling")).containsExactly("▁hello", "s", "▁hell", "ing");
    }

    @Test
    void replacesWordItCannotCoverAsAWhole() {
        assertThat(spellings("helloz world")).containsExactly("[UNK]", "▁world");
    }

    @Test
    void lowerCasesAndStripsAccents() {
        assertThat(spellings("CAFÉ Cafe\u0301")).containsExactly("▁cafe", "▁cafe");
        assertThat(fixture().set("normalizer.lowercase", false).build().encode("CAFÉ", false, false))
                .containsExactly(1);
    }

    @Test
    void cutsAtPunctuationAndChinese() {
        assertThat(spellings("a中a[a]")).containsExactly("▁a", "▁中", "▁a", "▁[", "▁a", "▁]");
    }

    @Test
    void framesPromptsByBeginAndSeparator() {
        assertThat(tokenizer().encode("hello", false, true))
                .containsExactly(2, tokenizer().idOf("▁hello"), 3);
        assertThat(tokenizer().addsBos()).isTrue();
    }

    @Test
    void theUnknownTokenIsNoControlToken() {
        assertThat(tokenizer().isControl(tokenizer().idOf("[UNK]"))).isFalse();
        assertThat(tokenizer().bytes(tokenizer().idOf("[UNK]"))).isEmpty();
    }

    private List<String> spellings(String text) {
        return Arrays.stream(tokenizer().encode(text, false, false))
                .mapToObj(tokenizer()::spelling)
                .toList();
    }
}
