package org.bloomery.engine.tokenizer;

import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Finds the id of a spelling. Holds one {@code int} array beside the spellings themselves; the hash is seeded, so that
 * a hostile vocabulary cannot make lookups slow.
 */
final class SpellingIndex {

    private final List<String> spellings;
    private final int[] ids;
    private final long multiplier = RandomGenerator.getDefault().nextLong() | 1;
    private final int longest;

    private SpellingIndex(List<String> spellings) {
        this.spellings = spellings;
        this.ids = new int[Integer.highestOneBit(Math.max(8, spellings.size())) << 2];
        Arrays.fill(ids, -1);
        this.longest = spellings.stream().mapToInt(String::length).max().orElse(0);
    }

    /**
     * Indexes all spellings.
     *
     * @param duplicates takes the second of two ids with one spelling
     */
    static SpellingIndex of(List<String> spellings, Ints duplicates) {
        SpellingIndex index = new SpellingIndex(spellings);
        for (int id = 0; id < spellings.size(); id++) {
            String spelling = spellings.get(id);
            int slot = index.slot(spelling, 0, spelling.length());
            if (index.ids[slot] >= 0) {
                duplicates.add(id);
            } else {
                index.ids[slot] = id;
            }
        }
        return index;
    }

    /** Length of the longest spelling, in {@code char}s. */
    int longest() {
        return longest;
    }

    /** The id of this spelling, or -1. */
    int find(CharSequence spelling) {
        return find(spelling, 0, spelling.length());
    }

    /** The id of the spelling {@code [from, to)} of a longer text, or -1. */
    int find(CharSequence text, int from, int to) {
        return to - from > longest ? -1 : ids[slot(text, from, to)];
    }

    /** The id of the spelling that a text is without the character at {@code gap}, or -1. */
    int findWithout(String text, int gap) {
        int length = text.length() - 1;
        if (length > longest) {
            return -1;
        }
        long hash = 0;
        for (int i = 0; i < length; i++) {
            hash = next(hash, text.charAt(i < gap ? i : i + 1));
        }
        int mask = ids.length - 1;
        int slot = start(hash);
        while (ids[slot] >= 0) {
            String spelling = spellings.get(ids[slot]);
            if (spelling.length() == length
                    && spelling.regionMatches(0, text, 0, gap)
                    && spelling.regionMatches(gap, text, gap + 1, length - gap)) {
                return ids[slot];
            }
            slot = (slot + 1) & mask;
        }
        return -1;
    }

    /** For each length up to the whole, the id of the text's beginning of that length, or -1; one pass. */
    int[] findBeginnings(CharSequence text) {
        int[] found = new int[text.length() + 1];
        found[0] = -1;
        long hash = 0;
        for (int i = 0; i < text.length(); i++) {
            hash = next(hash, text.charAt(i));
            found[i + 1] = ids[slot(hash, text, 0, i + 1)];
        }
        return found;
    }

    /** The slot that holds this spelling, or the free one where it would go. */
    private int slot(CharSequence text, int from, int to) {
        long hash = 0;
        for (int i = from; i < to; i++) {
            hash = next(hash, text.charAt(i));
        }
        return slot(hash, text, from, to);
    }

    private long next(long hash, char c) {
        long mixed = (hash ^ c) * multiplier;
        return mixed ^ (mixed >>> 31);
    }

    private int start(long hash) {
        return (int) (hash ^ (hash >>> 17)) & (ids.length - 1);
    }

    private int slot(long hash, CharSequence text, int from, int to) {
        int mask = ids.length - 1;
        int slot = start(hash);
        while (ids[slot] >= 0 && !equal(spellings.get(ids[slot]), text, from, to)) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private static boolean equal(String spelling, CharSequence text, int from, int to) {
        if (spelling.length() != to - from) {
            return false;
        }
        for (int i = 0; i < spelling.length(); i++) {
            if (spelling.charAt(i) != text.charAt(from + i)) {
                return false;
            }
        }
        return true;
    }
}
