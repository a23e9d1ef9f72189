package org.bloomery.engine.template;

import java.util.List;

/** What {@code cycler(…)} gives: its items one after the other, again and again. */
final class Cycler implements Value {

    private final List<Value> items;
    private int position;

    Cycler(List<Value> items) {
        this.items = items;
    }

    Value current() {
        return items.get(position);
    }

    Value next() {
        Value value = current();
        position = (position + 1) % items.size();
        return value;
    }

    void reset() {
        position = 0;
    }
}
