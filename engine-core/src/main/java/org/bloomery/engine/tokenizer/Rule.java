package org.bloomery.engine.tokenizer;

import static org.bloomery.engine.tokenizer.Unicode.ASCII_LOWER;
import static org.bloomery.engine.tokenizer.Unicode.ASCII_UPPER;
import static org.bloomery.engine.tokenizer.Unicode.BLANK;
import static org.bloomery.engine.tokenizer.Unicode.LETTER;
import static org.bloomery.engine.tokenizer.Unicode.MARK;

/**
 * One alternative of a pre-tokenizer's pattern: where it matches at an index, the end of its longest match. Each
 * mirrors one form of regular expression, which its factory names, and looks at each character a bounded number of
 * times.
 */
@FunctionalInterface
interface Rule {

    /** End of the match that starts at {@code index}, or -1; characters from {@code limit} on do not exist. */
    int end(Text text, int index, int limit);

    /** {@code c+} */
    static Rule run(CharClass of) {
        return (text, index, limit) -> {
            int end = skip(of, text, index, limit);
            return end > index ? end : -1;
        };
    }

    /** {@code p?c+} */
    static Rule run(CharClass prefix, CharClass of) {
        return (text, index, limit) -> runEnd(prefix, of, text, index, limit);
    }

    /** {@code p?c+s*} */
    static Rule run(CharClass prefix, CharClass of, CharClass suffix) {
        return (text, index, limit) -> {
            int end = runEnd(prefix, of, text, index, limit);
            return end < 0 ? -1 : skip(suffix, text, end, limit);
        };
    }

    /** {@code c{1,most}} */
    static Rule upTo(int most, CharClass of) {
        return (text, index, limit) -> {
            int end = skip(of, text, index, Math.min(limit, index + most));
            return end > index ? end : -1;
        };
    }

    /** {@code c{count}} */
    static Rule exactly(int count, CharClass of) {
        return (text, index, limit) ->
                limit - index >= count && skip(of, text, index, index + count) == index + count ? index + count : -1;
    }

    /** {@code first rest+} */
    static Rule pair(CharClass first, CharClass rest) {
        return (text, index, limit) -> {
            if (!first.has(text, index)) {
                return -1;
            }
            int end = skip(rest, text, index + 1, limit);
            return end > index + 1 ? end : -1;
        };
    }

    /** {@code \s*[\r\n]+} */
    static Rule newlines() {
        return (text, index, limit) -> {
            if ((text.atom(index) & Unicode.SPACE) == 0) {
                return -1;
            }
            int end = text.newlinesEnd(index, limit);
            return end > index ? end : -1;
        };
    }

    /** {@code \s+(?!\S)} */
    static Rule spacesBeforeSpace() {
        return (text, index, limit) -> {
            if ((text.atom(index) & Unicode.SPACE) == 0) {
                return -1;
            }
            int end = text.spacesEnd(index, limit);
            return end == limit ? end : end - 1 > index ? end - 1 : -1;
        };
    }

    /** {@code \s{count}(?!\S)} */
    static Rule spacesBeforeSpace(int count) {
        return (text, index, limit) -> {
            if ((text.atom(index) & Unicode.SPACE) == 0) {
                return -1;
            }
            int spaces = text.spacesEnd(index, limit);
            return spaces - index > count || (spaces == limit && spaces - index == count) ? index + count : -1;
        };
    }

    /** {@code \s+} */
    static Rule spaces() {
        return (text, index, limit) -> (text.atom(index) & Unicode.SPACE) == 0 ? -1 : text.spacesEnd(index, limit);
    }

    /** {@code 's|'t|'re|'ve|'m|'ll|'d}, in lower case only or in any. */
    static Rule contraction(boolean anyCase) {
        return (text, index, limit) -> {
            int end = contractionEnd(anyCase, text, index, limit);
            return end > index ? end : -1;
        };
    }

    /**
     * {@code p?U*L+('s|…)?|p?U+L*('s|…)?} with upper-case and lower-case classes that overlap in all letters beyond
     * ASCII.
     */
    static Rule casedWord(CharClass prefix, int upper, int lower, boolean contractions) {
        return (text, index, limit) -> {
            int inner = prefix.has(text, index) ? index + 1 : -1;
            int end = inner < 0 ? -1 : casedEnd(upper, lower, true, text, inner, limit);
            if (end < 0) {
                end = casedEnd(upper, lower, true, text, index, limit);
            }
            if (end < 0 && inner >= 0) {
                end = casedEnd(upper, lower, false, text, inner, limit);
            }
            if (end < 0) {
                end = casedEnd(upper, lower, false, text, index, limit);
            }
            return end >= 0 && contractions ? contractionEnd(true, text, end, limit) : end;
        };
    }

    /** {@code p?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+}: letters with marks, single blanks between. */
    static Rule phrase(CharClass prefix) {
        return (text, index, limit) -> {
            int end = index;
            if ((text.atom(end) & LETTER) == 0) {
                if (!prefix.has(text, end) || ++end == limit || (text.atom(end) & LETTER) == 0) {
                    return -1;
                }
            }
            while (end < limit) {
                int atom = text.atom(end);
                boolean blankInside = atom == BLANK && end + 1 < limit && (text.atom(end + 1) & LETTER) != 0;
                if ((atom & (LETTER | MARK)) == 0 && !blankInside) {
                    break;
                }
                end++;
            }
            return end;
        };
    }

    /** {@code r(?:'s|…)?} */
    static Rule withContraction(Rule rule) {
        return (text, index, limit) -> {
            int end = rule.end(text, index, limit);
            return end < 0 ? -1 : contractionEnd(true, text, end, limit);
        };
    }

    /** {@code rc?} */
    static Rule optionalOne(Rule rule, CharClass of) {
        return (text, index, limit) -> {
            int end = rule.end(text, index, limit);
            return end >= 0 && end < limit && of.has(text, end) ? end + 1 : end;
        };
    }

    /** {@code \p{Han}+}, with the ranges of llama.cpp's {@code unicode_cpt_is_han}. */
    static Rule hanRun() {
        return (text, index, limit) -> {
            int end = index;
            while (end < limit && isHan(text.codePoint(end))) {
                end++;
            }
            return end > index ? end : -1;
        };
    }

    /** {@code p?[\p{L}--\p{Han}]+(?:'s|…)?} */
    static Rule wordWithoutHan(CharClass prefix) {
        return (text, index, limit) -> {
            int start = prefix.has(text, index) ? index + 1 : index;
            int end = start;
            while (end < limit && (text.atom(end) & LETTER) != 0 && !isHan(text.codePoint(end))) {
                end++;
            }
            return end > start ? contractionEnd(true, text, end, limit) : -1;
        };
    }

    /** The words themselves. */
    static Rule literal(String words) {
        int[] wanted = words.codePoints().toArray();
        return (text, index, limit) -> {
            if (limit - index < wanted.length) {
                return -1;
            }
            for (int i = 0; i < wanted.length; i++) {
                if (text.codePoint(index + i) != wanted[i]) {
                    return -1;
                }
            }
            return index + wanted.length;
        };
    }

    /** This rule and then another, without giving back what this one took. */
    default Rule then(Rule next) {
        return (text, index, limit) -> {
            int middle = end(text, index, limit);
            return middle < 0 || middle == limit ? -1 : next.end(text, middle, limit);
        };
    }

    private static int skip(CharClass of, Text text, int index, int limit) {
        int end = index;
        while (end < limit && of.has(text, end)) {
            end++;
        }
        return end;
    }

    private static int runEnd(CharClass prefix, CharClass of, Text text, int index, int limit) {
        if (prefix.has(text, index)) {
            int end = skip(of, text, index + 1, limit);
            if (end > index + 1) {
                return end;
            }
            // Without the prefix the first character must belong to the run, and the second does not.
            return of.has(text, index) ? index + 1 : -1;
        }
        int end = skip(of, text, index, limit);
        return end > index ? end : -1;
    }

    private static int contractionEnd(boolean anyCase, Text text, int index, int limit) {
        if (index + 1 >= limit || text.codePoint(index) != '\'') {
            return index;
        }
        int first = letter(anyCase, text, index + 1);
        if (first == 's' || first == 't' || first == 'm' || first == 'd') {
            return index + 2;
        }
        int second = index + 2 < limit ? letter(anyCase, text, index + 2) : -1;
        boolean two =
                (first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l');
        return two ? index + 3 : index;
    }

    private static int letter(boolean anyCase, Text text, int index) {
        int codePoint = text.codePoint(index);
        return anyCase && text.atom(index) == ASCII_UPPER ? codePoint + ('a' - 'A') : codePoint;
    }

    /** {@code U*L+} or, where {@code needsLower} is false, {@code U+L*}. */
    private static int casedEnd(int upper, int lower, boolean needsLower, Text text, int index, int limit) {
        int end = index;
        int lastLower = -1; // the last of the upper-case run that may count as lower case
        while (end < limit && (text.atom(end) & upper) != 0) {
            if ((text.atom(end) & lower) != 0) {
                lastLower = end;
            }
            end++;
        }
        int uppers = end - index;
        while (end < limit && (text.atom(end) & lower) != 0) {
            end++;
        }
        if (needsLower) {
            return end > index + uppers ? end : lastLower < 0 ? -1 : lastLower + 1;
        }
        return uppers > 0 ? end : -1;
    }

    private static boolean isHan(int codePoint) {
        return (codePoint >= 0x4E00 && codePoint <= 0x9FFF)
                || (codePoint >= 0x3400 && codePoint <= 0x4DBF)
                || (codePoint >= 0x20000 && codePoint <= 0x2A6DF)
                || (codePoint >= 0x2A700 && codePoint <= 0x2EBEF)
                || (codePoint >= 0xF900 && codePoint <= 0xFAFF)
                || (codePoint >= 0x2F800 && codePoint <= 0x2FA1F);
    }

    /** The classes of {@link #casedWord}: letters, with or without marks, that are not lower-case ASCII. */
    static int upperCase(int letters) {
        return letters & ~ASCII_LOWER;
    }

    /** Letters, with or without marks, that are not upper-case ASCII. */
    static int lowerCase(int letters) {
        return letters & ~ASCII_UPPER;
    }
}
