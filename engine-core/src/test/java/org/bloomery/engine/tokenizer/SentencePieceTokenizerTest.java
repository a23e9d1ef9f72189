package org.bloomery.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SentencePieceTokenizerTest extends TokenizerContract {

    @Override
    VocabularyFixture fixture() {
        return VocabularyFixture.sentencePiece();
    }

    @Override
    String control() {
        return "</s>";
    }

    @Test
    void mergesByScoreAndFallsBackToBytes() {
        assertThat(spellings(tokenizer(), "hello")).containsExactly("▁hello");
        assertThat(spellings(tokenizer(), "é")).containsExactly("▁", "<0xC3>", "<0xA9>");
        assertThat(spellings(tokenizer(), "hellaaaaa")).containsExactly("▁", "hell", "aaaa", "a");
    }

    @Test
    void prefixesBlankAtTheStartAndAfterSpecialTokens() {
        assertThat(spellings(tokenizer(), "<tool>hello")).containsExactly("<tool>", "▁hello");
        Tokenizer bare = fixture().set("add_space_prefix", false).build();
        assertThat(spellings(bare, "hello")).containsExactly("hello");
        assertThat(spellings(bare, " hello")).containsExactly("▁hello");
    }

    @Test
    void plainTextNeverMergesIntoControlOrByteTokens() {
        assertThat(spellings(tokenizer(), "</s>")).containsExactly("▁", "</s", ">");
        assertThat(decode(tokenizer().encode("<0x41>", false, false))).isEqualTo(" <0x41>");
    }

    @Test
    void keepsTheBlankAtTheBeginningOfAnAnswer() {
        assertThat(tokenizer().decoder().accept(tokenizer().idOf("▁hello"))).isEqualTo(" hello");
    }

    @Test
    void assemblesCharactersFromByteTokens() {
        StreamingDecoder decoder = tokenizer().decoder();
        assertThat(decoder.accept(tokenizer().idOf("<0xC3>"))).isEmpty();
        assertThat(decoder.accept(tokenizer().idOf("<0xA9>"))).isEqualTo("é");
    }

    @Test
    void addsBosUnlessToldNot() {
        assertThat(tokenizer().encode("", false, true)).containsExactly(1);
        assertThat(fixture().set("add_bos_token", false).build().encode("", false, true))
                .isEmpty();
        assertThat(fixture().set("add_eos_token", true).build().encode("", false, true))
                .containsExactly(1, 2);
    }

    @Test
    void swallowsWhiteSpaceAfterControlTokensOfPhi3() {
        Tokenizer phi = fixture()
                .token("<|user|>", VocabularyFixture.CONTROL, 0)
                .set("general.name", "Phi-3 mini")
                .build();
        assertThat(spellings(phi, "<|user|> \n hello")).containsExactly("<|user|>", "▁hello");
        assertThat(spellings(phi, "<s> hello")).containsExactly("<s>", "▁", "▁hello");
    }

    @Test
    void refusesWrongScores() {
        assertRefused(fixture().without("scores"), "scores");
        assertRefused(fixture().set("scores", new float[] {1, 2}), "scores");
        assertRefused(fixture().set("scores", List.of("a")), "scores");
        float[] scores = new float[fixture().size()];
        scores[3] = Float.NaN;
        assertRefused(fixture().set("scores", scores), "scores");
    }

    @Test
    void refusesPieceTooLongToMerge() {
        assertRefused(fixture().token("a".repeat(513), VocabularyFixture.NORMAL, 0), "513");
        assertThat(fixture()
                        .token("a".repeat(513), VocabularyFixture.CONTROL, 0)
                        .build()
                        .vocabSize())
                .isEqualTo(fixture().size() + 1);
    }

    @Test
    void readsScoresOfIntegers() {
        int[] scores = new int[fixture().size()];
        for (int id = 0; id < scores.length; id++) {
            scores[id] = -id;
        }
        assertThat(spellings(fixture().set("scores", scores).build(), "hello")).containsExactly("▁hello");
    }

    private static List<String> spellings(Tokenizer tokenizer, String text) {
        return Arrays.stream(tokenizer.encode(text, tokenizer.idOf("<|user|>") >= 0, false))
                .mapToObj(tokenizer::spelling)
                .toList();
    }
}
