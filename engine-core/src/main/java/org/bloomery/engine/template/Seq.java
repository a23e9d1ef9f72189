package org.bloomery.engine.template;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A Python list or tuple; immutable, as the sandbox refuses every method that would change one. */
final class Seq implements Value {

    /** What Python calls it; a group is a tuple whose two items have names. */
    enum Kind {
        LIST,
        TUPLE,
        GROUP
    }

    private final List<Value> items;
    private final Kind kind;
    private final int depth;
    private final long weight;

    private Seq(List<Value> items, Kind kind) {
        this.items = items;
        this.kind = kind;
        this.depth = Dict.depthOver(items);
        long sum = 1;
        for (Value item : items) {
            sum += Python.weight(item);
        }
        this.weight = Math.min(sum, Dict.MAX_WEIGHT);
    }

    /** Takes the list over; the caller must not change it any more. */
    static Seq list(List<Value> items) {
        return new Seq(items, Kind.LIST);
    }

    /** Takes the list over; the caller must not change it any more. */
    static Seq tuple(List<Value> items) {
        return new Seq(items, Kind.TUPLE);
    }

    static Seq pair(Value first, Value second) {
        return tuple(Arrays.asList(first, second));
    }

    static Seq group(Value grouper, Seq members) {
        return new Seq(Arrays.asList(grouper, members), Kind.GROUP);
    }

    /** The same kind with other items; a part of a group is a tuple. */
    Seq with(List<Value> other) {
        return kind == Kind.LIST ? list(other) : tuple(other);
    }

    List<Value> items() {
        return items;
    }

    int size() {
        return items.size();
    }

    Kind kind() {
        return kind;
    }

    boolean isList() {
        return kind == Kind.LIST;
    }

    int depth() {
        return depth;
    }

    /** How much there is to look at, with all that is inside as often as it is. */
    long weight() {
        return weight;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Seq seq && isList() == seq.isList() && items.equals(seq.items);
    }

    @Override
    public int hashCode() {
        return items.hashCode();
    }
}
