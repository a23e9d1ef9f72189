package org.bloomery.engine.tokenizer;

import java.util.Arrays;

/** A growing list of {@code int}s without boxes. */
final class Ints {

    private int[] values = new int[16];
    private int size;

    void add(int value) {
        if (size == values.length) {
            // Half again, not twice: these lists reach tens of megabytes for a long text.
            values = Arrays.copyOf(values, Math.addExact(size, Math.max(16, size >> 1)));
        }
        values[size++] = value;
    }

    int get(int index) {
        return values[index];
    }

    void set(int index, int value) {
        values[index] = value;
    }

    int size() {
        return size;
    }

    void clear() {
        size = 0;
    }

    /** Forgets all elements from {@code newSize} on. */
    void truncate(int newSize) {
        size = newSize;
    }

    void reverse(int from, int to) {
        for (int i = from, j = to - 1; i < j; i++, j--) {
            int kept = values[i];
            values[i] = values[j];
            values[j] = kept;
        }
    }

    int[] toArray() {
        return Arrays.copyOf(values, size);
    }
}
