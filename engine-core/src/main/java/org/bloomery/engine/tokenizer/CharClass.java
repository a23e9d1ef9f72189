package org.bloomery.engine.tokenizer;

import java.util.Arrays;
import java.util.stream.IntStream;

/** A set of characters as a pre-tokenizer's rule names it. */
sealed interface CharClass {

    boolean has(Text text, int index);

    /** All characters of some {@link Unicode} atoms. */
    static CharClass of(int atoms) {
        return new Atoms(atoms);
    }

    /** All characters but those of some atoms. */
    static CharClass not(int atoms) {
        return new Atoms(Unicode.ALL & ~atoms);
    }

    /**
     * Ranges of code points, first and last in pairs, with the atoms that count beside them. White space beyond ASCII
     * is in no range: the reference replaces it by a vertical tab before it looks.
     */
    static CharClass ranges(int atoms, String firstsAndLasts) {
        return new Ranges(atoms, firstsAndLasts.codePoints().toArray(), true);
    }

    /** All characters but white space and those listed. */
    static CharClass butSpaceAnd(String listed) {
        int[] pairs =
                listed.codePoints().sorted().flatMap(c -> IntStream.of(c, c)).toArray();
        return new Ranges(Unicode.SPACE, pairs, false);
    }

    record Atoms(int mask) implements CharClass {
        @Override
        public boolean has(Text text, int index) {
            return (text.atom(index) & mask) != 0;
        }
    }

    /** Ascending, disjoint ranges. */
    final class Ranges implements CharClass {

        private final int atoms;
        private final int[] bounds;
        private final boolean inside;

        private Ranges(int atoms, int[] bounds, boolean inside) {
            for (int i = 1; i < bounds.length; i++) {
                if (bounds[i] < bounds[i - 1]) {
                    throw new IllegalArgumentException("ranges must ascend; bound " + i + " does not");
                }
            }
            this.atoms = atoms;
            this.bounds = bounds;
            this.inside = inside;
        }

        @Override
        public boolean has(Text text, int index) {
            boolean found = (text.atom(index) & atoms) != 0 || inRange(text.codePoint(index), text.atom(index));
            return found == inside;
        }

        private boolean inRange(int codePoint, int atom) {
            if (codePoint >= 128 && (atom & Unicode.SPACE) != 0) {
                return false;
            }
            int at = Arrays.binarySearch(bounds, codePoint);
            return at >= 0 || (-at - 1) % 2 == 1;
        }
    }
}
