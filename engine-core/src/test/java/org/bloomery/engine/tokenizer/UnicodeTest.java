package org.bloomery.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class UnicodeTest {

    @Test
    void everyCodePointHasOneAtom() {
        for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
            int atom = Unicode.atom(codePoint);
            assertThat(Integer.bitCount(atom) == 1 && (atom & Unicode.ALL) == atom)
                    .as("U+%04X", codePoint)
                    .isTrue();
        }
    }

    @Test
    void classesAreThoseOfUnicode15() {
        assertThat(Unicode.atom(' ')).isEqualTo(Unicode.BLANK);
        assertThat(Unicode.atom('\r')).isEqualTo(Unicode.NEWLINE);
        assertThat(Unicode.atom(0x85)).isEqualTo(Unicode.OTHER_SPACE);
        assertThat(Unicode.atom(0x3000)).isEqualTo(Unicode.OTHER_SPACE);
        assertThat(Unicode.atom(0x200B)).isEqualTo(Unicode.OTHER);
        assertThat(Unicode.atom(0x1C)).isEqualTo(Unicode.OTHER);
        assertThat(Unicode.atom(0x4E00)).isEqualTo(Unicode.OTHER_LETTER);
        assertThat(Unicode.atom(0x0660)).isEqualTo(Unicode.OTHER_NUMBER);
        assertThat(Unicode.atom(0x1C88)).isEqualTo(Unicode.OTHER_LETTER);
        assertThat(Unicode.atom(0x1C89)).as("a letter since Unicode 16").isEqualTo(Unicode.OTHER);
        assertThat(Unicode.lowerCase(0x1C89)).isEqualTo(0x1C89);
        assertThat(Unicode.lowerCase(0xC9)).isEqualTo(0xE9);
    }
}
