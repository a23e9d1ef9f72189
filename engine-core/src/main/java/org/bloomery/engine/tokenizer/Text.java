package org.bloomery.engine.tokenizer;

import java.util.List;
import org.bloomery.engine.TextSpan;

/**
 * A prompt as code points, with their classes and the runs that may hold control tokens. Used by one thread, for one
 * encoding. A surrogate without its partner counts as U+FFFD, for it has no UTF-8 form.
 */
final class Text {

    private final int[] codePoints;
    private final short[] atoms;
    private final int length;

    /** Starts and ends of trusted runs, alternating and ascending; adjacent trusted spans are one run. */
    private final Ints trusted = new Ints();

    private int spacesFrom;
    private int spacesTo;
    private int newlinesTo;
    private int spacesLimit;

    Text(List<TextSpan> spans) {
        int capacity = 0;
        for (TextSpan span : spans) {
            capacity = Math.addExact(capacity, span.text().length());
        }
        codePoints = new int[capacity];
        int count = 0;
        int high = -1; // a high surrogate that waits for its partner
        boolean highTrusted = false;
        for (TextSpan span : spans) {
            String text = span.text();
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                if (high >= 0) {
                    boolean pair = Character.isLowSurrogate(c);
                    count = append(
                            count,
                            pair ? Character.toCodePoint((char) high, c) : 0xFFFD,
                            highTrusted && (!pair || span.trusted()));
                    high = -1;
                    if (pair) {
                        continue;
                    }
                }
                if (Character.isHighSurrogate(c)) {
                    high = c;
                    highTrusted = span.trusted();
                } else {
                    count = append(count, Character.isLowSurrogate(c) ? 0xFFFD : c, span.trusted());
                }
            }
        }
        length = high >= 0 ? append(count, 0xFFFD, highTrusted) : count;
        atoms = new short[length];
        for (int i = 0; i < length; i++) {
            atoms[i] = (short) Unicode.atom(codePoints[i]);
        }
    }

    private int append(int at, int codePoint, boolean isTrusted) {
        codePoints[at] = codePoint;
        if (isTrusted) {
            if (trusted.size() > 0 && trusted.get(trusted.size() - 1) == at) {
                trusted.truncate(trusted.size() - 1);
            } else {
                trusted.add(at);
            }
            trusted.add(at + 1);
        }
        return at + 1;
    }

    int length() {
        return length;
    }

    int codePoint(int index) {
        return codePoints[index];
    }

    /** The {@link Unicode} atom of a code point. */
    int atom(int index) {
        return atoms[index];
    }

    int trustedRuns() {
        return trusted.size() / 2;
    }

    /** Whether all of {@code [from, to)} is trusted. */
    boolean isTrusted(int from, int to) {
        int low = 0;
        int high = trustedRuns();
        while (low < high) { // the first run that ends at or after 'to'
            int middle = (low + high) >>> 1;
            if (trusted.get(2 * middle + 1) < to) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low < trustedRuns() && trusted.get(2 * low) <= from;
    }

    /** End of the run of white space at an index, not beyond {@code limit}. */
    int spacesEnd(int index, int limit) {
        scanSpaces(index, limit);
        return spacesTo;
    }

    /** End of the last newline in the run of white space at an index; not above the index where it holds none. */
    int newlinesEnd(int index, int limit) {
        scanSpaces(index, limit);
        return newlinesTo;
    }

    /** Remembers the run, so that rules that take a long run piece by piece stay linear. */
    private void scanSpaces(int index, int limit) {
        if (index >= spacesFrom && index < spacesTo && limit == spacesLimit) {
            return;
        }
        spacesFrom = index;
        spacesLimit = limit;
        newlinesTo = index;
        spacesTo = index;
        while (spacesTo < limit && (atoms[spacesTo] & Unicode.SPACE) != 0) {
            if (atoms[spacesTo++] == Unicode.NEWLINE) {
                newlinesTo = spacesTo;
            }
        }
    }

    /** Writes the UTF-8 bytes of a code point and returns their number. */
    static int utf8(int codePoint, byte[] into, int at) {
        if (codePoint < 0x80) {
            into[at] = (byte) codePoint;
            return 1;
        }
        if (codePoint < 0x800) {
            into[at] = (byte) (0xC0 | (codePoint >>> 6));
            into[at + 1] = (byte) (0x80 | (codePoint & 0x3F));
            return 2;
        }
        if (codePoint < 0x10000) {
            into[at] = (byte) (0xE0 | (codePoint >>> 12));
            into[at + 1] = (byte) (0x80 | ((codePoint >>> 6) & 0x3F));
            into[at + 2] = (byte) (0x80 | (codePoint & 0x3F));
            return 3;
        }
        into[at] = (byte) (0xF0 | (codePoint >>> 18));
        into[at + 1] = (byte) (0x80 | ((codePoint >>> 12) & 0x3F));
        into[at + 2] = (byte) (0x80 | ((codePoint >>> 6) & 0x3F));
        into[at + 3] = (byte) (0x80 | (codePoint & 0x3F));
        return 4;
    }
}
