package org.bloomery.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import org.bloomery.engine.format.ModelFormatException;
import org.junit.jupiter.api.Test;

class UnigramTokenizerTest extends TokenizerContract {

    @Override
    VocabularyFixture fixture() {
        return VocabularyFixture.unigrams();
    }

    @Override
    String control() {
        return "</s>";
    }

    @Test
    void takesTheBestSumOfScores() {
        assertThat(spellings("hello")).containsExactly("▁hello");
        assertThat(spellings("hellohello")).containsExactly("▁hello", "hello");
    }

    @Test
    void mergesBlanksAndUnknownCharacters() {
        assertThat(spellings("  hello   hello ")).containsExactly("▁hello", "▁hello");
        assertThat(spellings("zzz")).containsExactly("▁", "<unk>");
    }

    @Test
    void addsEosUnlessToldNot() {
        assertThat(tokenizer().encode("", false, true)).containsExactly(1);
        assertThat(fixture().set("add_eos_token", false).build().encode("", false, true))
                .isEmpty();
    }

    @Test
    void normalisesByItsCharacterMap() {
        // A trie of one key, "H" → "h": root base 0, so the child stands at 'H', its value one step further.
        int[] units = new int[256];
        units['H'] = 'H' | (1 << 8) | (1 << 10); // leaf, base 1
        units['H' ^ 1] = 0; // replacement at 0
        units[0] = 0;
        Tokenizer normalising =
                fixture().set("precompiled_charsmap", charsmap(units, "h\0")).build();
        assertThat(normalising.encode("Hello", false, false))
                .isEqualTo(tokenizer().encode("hello", false, false));
    }

    @Test
    void refusesBrokenCharacterMap() {
        assertRefused(fixture().set("precompiled_charsmap", new int[] {1, 2}), "precompiled_charsmap");
        assertRefused(fixture().set("precompiled_charsmap", new int[] {100, 0, 0, 0, 1, 0}), "precompiled_charsmap");
        Tokenizer wild = fixture()
                .set("precompiled_charsmap", charsmap(new int[] {0x3FF << 10}, "h\0"))
                .build();
        assertThatThrownBy(() -> wild.encode("hello", false, false))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("precompiled_charsmap");
    }

    @Test
    void refusesWrongScores() {
        assertRefused(fixture().without("scores"), "scores");
        assertRefused(fixture().set("scores", new float[] {1, 2}), "scores");
    }

    private static int[] charsmap(int[] units, String replacements) {
        int[] bytes = new int[4 + 4 * units.length + replacements.length()];
        for (int i = 0; i < 4; i++) {
            bytes[i] = ((4 * units.length) >>> (8 * i)) & 0xFF;
        }
        for (int i = 0; i < 4 * units.length; i++) {
            bytes[4 + i] = (units[i / 4] >>> (8 * (i % 4))) & 0xFF;
        }
        for (int i = 0; i < replacements.length(); i++) {
            bytes[4 + 4 * units.length + i] = replacements.charAt(i);
        }
        return bytes;
    }

    private List<String> spellings(String text) {
        return Arrays.stream(tokenizer().encode(text, false, false))
                .mapToObj(tokenizer()::spelling)
                .toList();
    }
}
