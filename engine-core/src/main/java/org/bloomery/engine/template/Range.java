package org.bloomery.engine.template;

import java.util.AbstractList;
import java.util.List;

/** Python's range, of at most 100,000 numbers as in the sandbox. */
record Range(long start, long stop, long step, int size) implements Value {

    static final int MAX_SIZE = 100_000;

    List<Value> items() {
        return new AbstractList<>() {
            @Override
            public Value get(int index) {
                return Int.of(start + index * step);
            }

            @Override
            public int size() {
                return size;
            }
        };
    }
}
