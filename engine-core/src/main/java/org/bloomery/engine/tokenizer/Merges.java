package org.bloomery.engine.tokenizer;

/**
 * The merge rules of a vocabulary, and merging by them: of all neighbours that form a pair, the one of least rank goes
 * first, the leftmost of equals. Immutable.
 *
 * <p>Symbols are ids. A text in the making is one {@code int} per unit (a byte or a code point): the id at the first
 * unit of a symbol, at its last unit the id encoded as {@code -3 - id}, {@link #INSIDE} between; a single unit holds
 * its id, or {@link #UNKNOWN}. So neighbours are found by lengths alone and ten million units need 40 MB.
 */
final class Merges {

    /** A unit that is no symbol of the vocabulary; it merges with nothing. */
    static final int UNKNOWN = -1;

    private static final int INSIDE = -2;

    private final LongIntMap rules;
    private final int[] ranks;
    private final int[] results;
    private final int[] lengths;

    /**
     * @param rules index of a rule by {@link #pair}
     * @param ranks rank of each rule, the least first
     * @param results symbol that each rule makes
     * @param lengths units of each symbol
     */
    Merges(LongIntMap rules, int[] ranks, int[] results, int[] lengths) {
        this.rules = rules;
        this.ranks = ranks;
        this.results = results;
        this.lengths = lengths;
    }

    /** The key of two neighbours, both known. */
    static long pair(int left, int right) {
        return (long) left << 32 | right;
    }

    /** Merges {@code units[0, count)} in place until no rule applies. */
    void merge(int[] units, int count, MergeQueue queue) {
        for (int i = 0; i + 1 < count; i++) {
            offer(units[i], units[i + 1], i, queue);
        }
        for (long next = queue.poll(); next >= 0; next = queue.poll()) {
            int at = (int) next;
            int left = units[at];
            if (left < 0) {
                continue; // swallowed by another symbol since
            }
            int middle = at + lengths[left];
            int rule = middle < count && units[middle] >= 0 ? rules.get(pair(left, units[middle])) : -1;
            if (rule < 0 || ranks[rule] != (int) (next >>> 32)) {
                continue; // one of the two has grown since
            }
            int end = middle + lengths[units[middle]];
            int merged = results[rule];
            units[middle - 1] = INSIDE;
            units[middle] = INSIDE;
            units[end - 1] = -3 - merged;
            units[at] = merged;
            if (at > 0) {
                int before = units[at - 1];
                int previous = before <= -3 ? at - lengths[-3 - before] : at - 1;
                offer(units[previous], merged, previous, queue);
            }
            if (end < count) {
                offer(merged, units[end], at, queue);
            }
        }
    }

    /** Units of the symbol that starts at a merged unit. */
    int length(int symbol) {
        return symbol == UNKNOWN ? 1 : lengths[symbol];
    }

    private void offer(int left, int right, int position, MergeQueue queue) {
        if (left >= 0 && right >= 0) {
            int rule = rules.get(pair(left, right));
            if (rule >= 0) {
                queue.add(ranks[rule], position);
            }
        }
    }
}
