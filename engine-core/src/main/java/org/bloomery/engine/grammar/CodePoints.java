package org.bloomery.engine.grammar;

import java.util.Arrays;

/**
 * A set of characters as sorted, disjoint, not adjacent ranges. Surrogates are no characters: they are in no set.
 *
 * @param bounds first and last character of each range, in turns
 */
record CodePoints(int[] bounds) {

    static final CodePoints NONE = new CodePoints(new int[0]);
    static final CodePoints ALL = new CodePoints(new int[] {0, 0xD7FF, 0xE000, 0x10FFFF});

    static CodePoints of(int only) {
        return range(only, only);
    }

    static CodePoints range(int first, int last) {
        return new Collector().add(first, last).build();
    }

    /** The characters of a text, each once. */
    static CodePoints of(String characters) {
        Collector collector = new Collector();
        characters.codePoints().forEach(c -> collector.add(c, c));
        return collector.build();
    }

    int ranges() {
        return bounds.length / 2;
    }

    int first(int range) {
        return bounds[2 * range];
    }

    int last(int range) {
        return bounds[2 * range + 1];
    }

    boolean isEmpty() {
        return bounds.length == 0;
    }

    boolean contains(int c) {
        int at = Arrays.binarySearch(bounds, c);
        return at >= 0 || (-at - 1) % 2 == 1;
    }

    CodePoints or(CodePoints other) {
        return new Collector().add(this).add(other).build();
    }

    CodePoints not() {
        Collector collector = new Collector();
        int next = 0;
        for (int i = 0; i < ranges(); i++) {
            if (first(i) > next) {
                collector.add(next, first(i) - 1);
            }
            next = last(i) + 1;
        }
        if (next <= Character.MAX_CODE_POINT) {
            collector.add(next, Character.MAX_CODE_POINT);
        }
        return collector.build();
    }

    CodePoints minus(CodePoints other) {
        return and(other.not());
    }

    CodePoints and(CodePoints other) {
        Collector collector = new Collector();
        int i = 0;
        int j = 0;
        while (i < ranges() && j < other.ranges()) {
            int from = Math.max(first(i), other.first(j));
            int to = Math.min(last(i), other.last(j));
            if (from <= to) {
                collector.add(from, to);
            }
            if (last(i) < other.last(j)) {
                i++;
            } else {
                j++;
            }
        }
        return collector.build();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CodePoints that && Arrays.equals(bounds, that.bounds);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bounds);
    }

    /** Collects ranges in any order. Not safe for use by several threads. */
    static final class Collector {

        private long[] ranges = new long[8];
        private int size;

        Collector add(int first, int last) {
            if (first < Character.MIN_SURROGATE && last >= Character.MIN_SURROGATE) {
                add(first, Character.MIN_SURROGATE - 1);
                return last > Character.MAX_SURROGATE ? add(Character.MAX_SURROGATE + 1, last) : this;
            }
            if (first >= Character.MIN_SURROGATE && first <= Character.MAX_SURROGATE) {
                return last > Character.MAX_SURROGATE ? add(Character.MAX_SURROGATE + 1, last) : this;
            }
            if (size == ranges.length) {
                ranges = Arrays.copyOf(ranges, 2 * size);
            }
            ranges[size++] = (long) first << 32 | last;
            return this;
        }

        Collector add(CodePoints set) {
            for (int i = 0; i < set.ranges(); i++) {
                add(set.first(i), set.last(i));
            }
            return this;
        }

        CodePoints build() {
            Arrays.sort(ranges, 0, size);
            int[] bounds = new int[2 * size];
            int length = 0;
            for (int i = 0; i < size; i++) {
                int first = (int) (ranges[i] >>> 32);
                int last = (int) ranges[i];
                if (length > 0 && first <= bounds[length - 1] + 1) {
                    bounds[length - 1] = Math.max(bounds[length - 1], last);
                } else {
                    bounds[length++] = first;
                    bounds[length++] = last;
                }
            }
            return new CodePoints(Arrays.copyOf(bounds, length));
        }
    }
}
