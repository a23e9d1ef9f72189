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
