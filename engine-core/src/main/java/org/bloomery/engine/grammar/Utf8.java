package org.bloomery.engine.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Ranges of characters as ranges of their UTF-8 bytes. */
final class Utf8 {

    private Utf8() {}

    /**
     * A set as sequences of byte ranges that match exactly its characters' encodings.
     *
     * @return each first and last byte of the first, second, … byte, in turns
     */
    static List<int[]> sequences(CodePoints set) {
        List<int[]> sequences = new ArrayList<>();
        for (int i = 0; i < set.ranges(); i++) {
            add(set.first(i), set.last(i), sequences);
        }
        return sequences;
    }

    /**
     * Where a byte leads a reader of UTF-8: 0 between characters, {@link #BROKEN} where it fits no character, else how many
     * bytes of the character are missing, and the first and last that may come next.
     *
     * @param state 0 at the beginning
     */
    static int next(int state, int value) {
        if (state == 0) {
            return switch (value >> 4) {
                case 0, 1, 2, 3, 4, 5, 6, 7 -> 0;
                case 0xC, 0xD -> value < 0xC2 ? BROKEN : missing(1, 0x80, 0xBF);
                case 0xE -> missing(2, value == 0xE0 ? 0xA0 : 0x80, value == 0xED ? 0x9F : 0xBF);
                case 0xF ->
                    value > 0xF4 ? BROKEN : missing(3, value == 0xF0 ? 0x90 : 0x80, value == 0xF4 ? 0x8F : 0xBF);
                default -> BROKEN;
            };
        }
        if (state == BROKEN || value < first(state) || value > last(state)) {
            return BROKEN;
        }
        int left = (state >> 16) - 1;
        return left == 0 ? 0 : missing(left, 0x80, 0xBF);
    }

    static final int BROKEN = -1;

    private static int missing(int bytes, int first, int last) {
        return bytes << 16 | first << 8 | last;
    }

    /** The first byte that may come next within a character. */
    static int first(int state) {
        return state >> 8 & 0xFF;
    }

    /** The last one. */
    static int last(int state) {
        return state & 0xFF;
    }

    private static void add(int first, int last, List<int[]> sequences) {
        // Encodings of one length
        for (int limit : new int[] {0x7F, 0x7FF, 0xFFFF}) {
            if (first <= limit && last > limit) {
                add(first, limit, sequences);
                add(limit + 1, last, sequences);
                return;
            }
        }
        // Ranges whose later bytes are all free, or whose earlier bytes are all equal
        for (int shift : new int[] {6, 12, 18}) {
            int mask = (1 << shift) - 1;
            if (last > 0x7F && (first & ~mask) != (last & ~mask)) {
                if ((first & mask) != 0) {
                    add(first, first | mask, sequences);
                    add((first | mask) + 1, last, sequences);
                    return;
                }
                if ((last & mask) != mask) {
                    add(first, (last & ~mask) - 1, sequences);
                    add(last & ~mask, last, sequences);
                    return;
                }
            }
        }
        byte[] low = Character.toString(first).getBytes(StandardCharsets.UTF_8);
        byte[] high = Character.toString(last).getBytes(StandardCharsets.UTF_8);
        int[] sequence = new int[2 * low.length];
        for (int i = 0; i < low.length; i++) {
            sequence[2 * i] = low[i] & 0xFF;
            sequence[2 * i + 1] = high[i] & 0xFF;
        }
        sequences.add(sequence);
    }
}
