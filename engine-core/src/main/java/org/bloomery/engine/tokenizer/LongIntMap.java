package org.bloomery.engine.tokenizer;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * A map from non-negative {@code long} to {@code int} in two arrays (open addressing, linear probing). The multiplier
 * is random per map, so that keys from a hostile file cannot be chosen to collide.
 */
final class LongIntMap {

    private static final long EMPTY = -1;

    private final long multiplier = RandomGenerator.getDefault().nextLong() | 1;
    private long[] keys;
    private int[] values;
    private int size;

    LongIntMap(int expected) {
        int capacity = Integer.highestOneBit(Math.max(8, expected)) << 2;
        keys = new long[capacity];
        Arrays.fill(keys, EMPTY);
        values = new int[capacity];
    }

    /** The value of a key, or -1. */
    int get(long key) {
        int mask = keys.length - 1;
        for (int slot = slot(key, mask); ; slot = (slot + 1) & mask) {
            long found = keys[slot];
            if (found == key) {
                return values[slot];
            }
            if (found == EMPTY) {
                return -1;
            }
        }
    }

    /** Keeps the value a key already has. */
    void putIfAbsent(long key, int value) {
        if (insert(key, value) && ++size * 2 > keys.length) {
            grow();
        }
    }

    private boolean insert(long key, int value) {
        int mask = keys.length - 1;
        int slot = slot(key, mask);
        while (keys[slot] != EMPTY) {
            if (keys[slot] == key) {
                return false;
            }
            slot = (slot + 1) & mask;
        }
        keys[slot] = key;
        values[slot] = value;
        return true;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldValues = values;
        keys = new long[oldKeys.length * 2];
        Arrays.fill(keys, EMPTY);
        values = new int[keys.length];
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != EMPTY) {
                insert(oldKeys[i], oldValues[i]);
            }
        }
    }

    private int slot(long key, int mask) {
        long mixed = (key ^ (key >>> 29)) * multiplier;
        return (int) (mixed ^ (mixed >>> 32)) & mask;
    }
}
