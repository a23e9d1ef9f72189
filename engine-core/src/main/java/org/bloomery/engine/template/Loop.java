package org.bloomery.engine.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop} of a for statement. */
final class Loop implements Value {

    private final List<Value> items;
    private final int depth0;
    private final Callable.@Nullable Body recursion;
    private int index0 = -1;
    private @Nullable Seq lastChanged;

    Loop(List<Value> items, int depth0, Callable.@Nullable Body recursion) {
        this.items = items;
        this.depth0 = depth0;
        this.recursion = recursion;
    }

    void advance() {
        index0++;
    }

    int depth0() {
        return depth0;
    }

    int size() {
        return items.size();
    }

    int index() {
        return index0 + 1;
    }

    /** An attribute, or null where there is none of that name. */
    @Nullable
    Value attribute(String name) {
        return switch (name) {
            case "index" -> Int.of(index0 + 1);
            case "index0" -> Int.of(index0);
            case "revindex" -> Int.of(items.size() - index0);
            case "revindex0" -> Int.of(items.size() - index0 - 1);
            case "first" -> Bool.of(index0 == 0);
            case "last" -> Bool.of(index0 == items.size() - 1);
            case "length" -> Int.of(items.size());
            case "depth" -> Int.of(depth0 + 1);
            case "depth0" -> Int.of(depth0);
            case "previtem" -> index0 == 0 ? new Undefined("there is no previous item") : items.get(index0 - 1);
            case "nextitem" ->
                index0 + 1 < items.size() ? items.get(index0 + 1) : new Undefined("there is no next item");
            case "cycle" -> Callable.function("cycle", (in, arguments) -> cycle(arguments));
            case "changed" -> Callable.function("changed", (in, arguments) -> changed(in, arguments));
            default -> null;
        };
    }

    private Value cycle(Arguments arguments) {
        arguments.refuseNamed("cycle");
        List<Value> values = arguments.positional();
        if (values.isEmpty()) {
            throw new Failure("no items for cycling given");
        }
        return values.get(index0 % values.size());
    }

    private Value changed(Interpreter in, Arguments arguments) {
        arguments.refuseNamed("changed");
        Seq values = Seq.tuple(arguments.positional());
        if (lastChanged != null && Python.equal(values, lastChanged, in.fuel())) {
            return Bool.FALSE;
        }
        lastChanged = values;
        return Bool.TRUE;
    }

    /** Calls the loop recursively. */
    Value call(Interpreter interpreter, Arguments arguments) {
        if (recursion == null) {
            throw new Failure("The loop must have the 'recursive' marker to be called recursively.");
        }
        return recursion.call(interpreter, arguments);
    }
}
