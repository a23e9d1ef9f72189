package org.bloomery.engine.template;

import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A Python dict in insertion order; immutable, as the sandbox refuses every method that would change one. */
final class Dict implements Value {

    /** Weights beyond this are equally hopeless, and so many of them still add up. */
    static final long MAX_WEIGHT = 1L << 32;

    private final Map<Value, Value> entries;
    private final int depth;
    private final long weight;

    /** Takes the map over; the caller must not change it any more. */
    Dict(Map<Value, Value> entries) {
        this.entries = Collections.unmodifiableMap(entries);
        this.depth = depthOver(entries.values());
        long sum = 1;
        for (Map.Entry<Value, Value> entry : entries.entrySet()) {
            sum += Python.weight(entry.getKey()) + Python.weight(entry.getValue());
        }
        this.weight = Math.min(sum, MAX_WEIGHT);
    }

    Map<Value, Value> entries() {
        return entries;
    }

    @Nullable
    Value get(Value key) {
        return entries.get(key);
    }

    int size() {
        return entries.size();
    }

    int depth() {
        return depth;
    }

    /** How much there is to look at, with all that is inside as often as it is. */
    long weight() {
        return weight;
    }

    static int depthOver(Collection<Value> values) {
        int deepest = 0;
        for (Value value : values) {
            deepest = switch (value) {
                case Seq seq -> Math.max(deepest, seq.depth());
                case Dict dict -> Math.max(deepest, dict.depth());
                default -> deepest;
            };
        }
        if (deepest >= Fuel.MAX_DEPTH) {
            throw new Failure("it nests values deeper than " + Fuel.MAX_DEPTH);
        }
        return deepest + 1;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Dict dict && entries.equals(dict.entries);
    }

    @Override
    public int hashCode() {
        return entries.hashCode();
    }
}
