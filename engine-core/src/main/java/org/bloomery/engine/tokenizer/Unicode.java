package org.bloomery.engine.tokenizer;

import java.util.Arrays;

/**
 * Character classes as the reference tokenizers see them: the Unicode 15.1 general categories and the White_Space
 * property. Each code point belongs to exactly one atom; classes of a pre-tokenizer are sets of atoms (bit masks).
 *
 * <p>The categories come from {@link Character} (Unicode 16 in Java 25) less what was assigned after 15.1, since a model's
 * vocabulary was made with tables that did not know those characters. llama.cpp's {@code unicode-data.cpp} agrees at
 * every code point.
 */
final class Unicode {

    static final int BLANK = 1;
    /** Carriage return and line feed. */
    static final int NEWLINE = 1 << 1;
    /** White space other than blank and newline. */
    static final int OTHER_SPACE = 1 << 2;

    static final int ASCII_UPPER = 1 << 3;
    static final int ASCII_LOWER = 1 << 4;
    static final int OTHER_LETTER = 1 << 5;
    static final int ASCII_DIGIT = 1 << 6;
    static final int OTHER_NUMBER = 1 << 7;
    static final int MARK = 1 << 8;
    static final int SLASH = 1 << 9;
    /** ASCII punctuation other than the slash. */
    static final int ASCII_PUNCTUATION = 1 << 10;

    static final int OTHER_PUNCTUATION = 1 << 11;
    static final int ASCII_SYMBOL = 1 << 12;
    static final int OTHER_SYMBOL = 1 << 13;
    /** Controls, format characters, private use, unassigned. */
    static final int OTHER = 1 << 14;

    static final int ALL = (1 << 15) - 1;
    static final int SPACE = BLANK | NEWLINE | OTHER_SPACE;
    static final int LETTER = ASCII_UPPER | ASCII_LOWER | OTHER_LETTER;
    static final int NUMBER = ASCII_DIGIT | OTHER_NUMBER;
    static final int PUNCTUATION = SLASH | ASCII_PUNCTUATION | OTHER_PUNCTUATION;
    static final int SYMBOL = ASCII_SYMBOL | OTHER_SYMBOL;

    /** First and last code point of ranges assigned in Unicode 16, ascending. */
    private static final int[] ASSIGNED_LATER = {
        0x897, 0x897, 0x1B4E, 0x1B4F, 0x1B7F, 0x1B7F, 0x1C89, 0x1C8A, 0x2427, 0x2429, 0x31E4, 0x31E5,
        0xA7CB, 0xA7CD, 0xA7DA, 0xA7DC, 0x105C0, 0x105F3, 0x10D40, 0x10D65, 0x10D69, 0x10D85, 0x10D8E, 0x10D8F,
        0x10EC2, 0x10EC4, 0x10EFC, 0x10EFC, 0x11380, 0x11389, 0x1138B, 0x1138B, 0x1138E, 0x1138E, 0x11390, 0x113B5,
        0x113B7, 0x113C0, 0x113C2, 0x113C2, 0x113C5, 0x113C5, 0x113C7, 0x113CA, 0x113CC, 0x113D5, 0x113D7, 0x113D8,
        0x113E1, 0x113E2, 0x116D0, 0x116E3, 0x11BC0, 0x11BE1, 0x11BF0, 0x11BF9, 0x11F5A, 0x11F5A, 0x13460, 0x143FA,
        0x16100, 0x16139, 0x16D40, 0x16D79, 0x18CFF, 0x18CFF, 0x1CC00, 0x1CCF9, 0x1CD00, 0x1CEB3, 0x1E5D0, 0x1E5FA,
        0x1E5FF, 0x1E5FF, 0x1F8B2, 0x1F8BB, 0x1F8C0, 0x1F8C1, 0x1FA89, 0x1FA89, 0x1FA8F, 0x1FA8F, 0x1FABE, 0x1FABE,
        0x1FAC6, 0x1FAC6, 0x1FADC, 0x1FADC, 0x1FADF, 0x1FADF, 0x1FAE9, 0x1FAE9, 0x1FBCB, 0x1FBEF,
    };

    private static final short[] ASCII = new short[128];

    static {
        for (int i = 0; i < ASCII.length; i++) {
            ASCII[i] = (short) classify(i);
        }
    }

    private Unicode() {}

    /** The one atom of a code point. */
    static int atom(int codePoint) {
        return codePoint < 128 ? ASCII[codePoint] : classify(codePoint);
    }

    static boolean isAssignedLater(int codePoint) {
        int at = Arrays.binarySearch(ASSIGNED_LATER, codePoint);
        return at >= 0 || (-at - 1) % 2 == 1;
    }

    /** Simple lower case, one code point for one. */
    static int lowerCase(int codePoint) {
        return isAssignedLater(codePoint) ? codePoint : Character.toLowerCase(codePoint);
    }

    static boolean isWhiteSpace(int codePoint) {
        return switch (codePoint) {
            case '\t', '\n', 0x0B, '\f', '\r', ' ', 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000 -> true;
            default -> codePoint >= 0x2000 && codePoint <= 0x200A;
        };
    }

    private static int classify(int codePoint) {
        if (isWhiteSpace(codePoint)) {
            return codePoint == ' ' ? BLANK : codePoint == '\n' || codePoint == '\r' ? NEWLINE : OTHER_SPACE;
        }
        if (codePoint >= 128 && isAssignedLater(codePoint)) {
            return OTHER;
        }
        boolean ascii = codePoint < 128;
        return switch (Character.getType(codePoint)) {
            case Character.UPPERCASE_LETTER -> ascii ? ASCII_UPPER : OTHER_LETTER;
            case Character.LOWERCASE_LETTER -> ascii ? ASCII_LOWER : OTHER_LETTER;
            case Character.TITLECASE_LETTER, Character.MODIFIER_LETTER, Character.OTHER_LETTER -> OTHER_LETTER;
            case Character.DECIMAL_DIGIT_NUMBER -> ascii ? ASCII_DIGIT : OTHER_NUMBER;
            case Character.LETTER_NUMBER, Character.OTHER_NUMBER -> OTHER_NUMBER;
            case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.COMBINING_SPACING_MARK -> MARK;
            case Character.CONNECTOR_PUNCTUATION,
                    Character.DASH_PUNCTUATION,
                    Character.START_PUNCTUATION,
                    Character.END_PUNCTUATION,
                    Character.INITIAL_QUOTE_PUNCTUATION,
                    Character.FINAL_QUOTE_PUNCTUATION,
                    Character.OTHER_PUNCTUATION ->
                codePoint == '/' ? SLASH : ascii ? ASCII_PUNCTUATION : OTHER_PUNCTUATION;
            case Character.MATH_SYMBOL, Character.CURRENCY_SYMBOL, Character.MODIFIER_SYMBOL, Character.OTHER_SYMBOL ->
                ascii ? ASCII_SYMBOL : OTHER_SYMBOL;
            default -> OTHER;
        };
    }
}
