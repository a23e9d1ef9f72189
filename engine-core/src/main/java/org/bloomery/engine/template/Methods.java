package org.bloomery.engine.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The attributes and methods that Python's types have, as far as the immutable sandbox lets templates use them. */
final class Methods {

    private static final Set<String> DICT_CHANGES = Set.of("clear", "pop", "popitem", "setdefault", "update");
    private static final Set<String> LIST_CHANGES =
            Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");

    /** Attributes that every Python object has; the sandbox refuses them, other names with underscores are looked up. */
    private static final Set<String> INTERNAL = Set.of(
            "__class__",
            "__init__",
            "__doc__",
            "__dict__",
            "__module__",
            "__subclasshook__",
            "__init_subclass__",
            "__new__",
            "__repr__",
            "__str__",
            "__eq__",
            "__ne__",
            "__lt__",
            "__le__",
            "__gt__",
            "__ge__",
            "__hash__",
            "__getattribute__",
            "__setattr__",
            "__delattr__",
            "__format__",
            "__sizeof__",
            "__reduce__",
            "__reduce_ex__",
            "__dir__");

    private Methods() {}

    /** The attribute of a value, or null where it has none of that name. */
    static @Nullable Value attribute(Value value, String name, Fuel fuel) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (INTERNAL.contains(name) && !(value instanceof Namespace)) {
            return unsafe(value, name);
        }
        return switch (value) {
            case Text text -> TextMethods.bound(text, name);
            case Dict dict -> ofDict(dict, name);
            case Seq seq -> ofSeq(seq, name);
            case Int number -> ofInteger(value, name);
            case Bool truth -> ofInteger(value, name);
            case Real number -> ofReal(number, name);
            case Range range -> ofRange(range, name);
            case Namespace namespace -> namespace.attributes().get(name);
            case Loop loop -> loop.attribute(name);
            case Callable callable -> callable.attributes().get(name);
            case Cycler cycler ->
                switch (name) {
                    case "current" -> cycler.current();
                    case "next" -> method(name, 0, (in, bound) -> cycler.next());
                    case "reset" ->
                        method(name, 0, (in, bound) -> {
                            cycler.reset();
                            return None.NONE;
                        });
                    default -> null;
                };
            case DictView view -> name.equals("mapping") ? view.dict() : null;
            case None none -> null;
            case Slice slice -> null;
            case Generator generator -> null;
            case Undefined undefined -> null;
        };
    }

    private static Undefined unsafe(Value value, String name) {
        return new Undefined(
                "access to attribute '" + name + "' of '" + Python.typeName(value) + "' object is unsafe.");
    }

    /** What a method with plain parameters does. */
    @FunctionalInterface
    private interface Plain {
        Value call(Interpreter in, @Nullable Value[] bound);
    }

    private static Value method(String name, int required, Plain body, String... parameters) {
        return Callable.function(name, (in, arguments) -> {
            arguments.refuseNamed(name);
            return body.call(in, arguments.bind(name, required, parameters));
        });
    }

    private static Value orNone(@Nullable Value value) {
        return value == null ? None.NONE : value;
    }

    private static @Nullable Value ofDict(Dict dict, String name) {
        if (DICT_CHANGES.contains(name)) {
            return unsafe(dict, name);
        }
        return switch (name) {
            case "get" ->
                method(
                        name,
                        1,
                        (in, bound) -> {
                            Value found = dict.get(Python.key(orNone(bound[0]), in.fuel()));
                            return found != null ? found : orNone(bound[1]);
                        },
                        "key",
                        "default");
            case "keys" -> method(name, 0, (in, bound) -> new DictView(dict, DictView.Kind.KEYS));
            case "values" -> method(name, 0, (in, bound) -> new DictView(dict, DictView.Kind.VALUES));
            case "items" -> method(name, 0, (in, bound) -> new DictView(dict, DictView.Kind.ITEMS));
            case "copy" -> method(name, 0, (in, bound) -> dict);
            case "fromkeys" ->
                method(
                        name,
                        1,
                        (in, bound) -> {
                            LinkedHashMap<Value, Value> entries = new LinkedHashMap<>();
                            List<Value> keys = Python.items(orNone(bound[0]), in.fuel());
                            in.fuel().elements(keys.size());
                            keys.forEach(key -> entries.put(Python.key(key, in.fuel()), orNone(bound[1])));
                            return new Dict(entries);
                        },
                        "iterable",
                        "value");
            default -> null;
        };
    }

    private static @Nullable Value ofSeq(Seq seq, String name) {
        if (seq.isList() && LIST_CHANGES.contains(name)) {
            return unsafe(seq, name);
        }
        if (seq.kind() == Seq.Kind.GROUP && (name.equals("grouper") || name.equals("list"))) {
            return seq.items().get(name.equals("grouper") ? 0 : 1);
        }
        return switch (name) {
            case "index" ->
                method(name, 1, (in, bound) -> index(seq.items(), bound, in.fuel()), "value", "start", "stop");
            case "count" -> method(name, 1, (in, bound) -> count(seq.items(), orNone(bound[0]), in.fuel()), "value");
            case "copy" -> seq.isList() ? method(name, 0, (in, bound) -> seq.with(new ArrayList<>(seq.items()))) : null;
            default -> null;
        };
    }

    private static Value index(List<Value> items, @Nullable Value[] bound, Fuel fuel) {
        Value wanted = orNone(bound[0]);
        int from = position(bound[1], 0, items.size());
        int to = position(bound[2], items.size(), items.size());
        for (int i = from; i < to; i++) {
            fuel.work(1);
            if (Python.equal(items.get(i), wanted, fuel)) {
                return Int.of(i);
            }
        }
        throw new Failure("the value is not in the list");
    }

    private static Value count(List<Value> items, Value wanted, Fuel fuel) {
        int count = 0;
        for (Value item : items) {
            fuel.work(1);
            count += Python.equal(item, wanted, fuel) ? 1 : 0;
        }
        return Int.of(count);
    }

    /** A start or end index as Python's methods take it: negative from the end, clamped. */
    static int position(@Nullable Value index, int otherwise, int size) {
        if (index == null || index == None.NONE) {
            return otherwise;
        }
        BigInteger number = Numbers.integer(Python.requireDefined(index));
        if (number == null) {
            throw new Failure("slice indices must be integers or None or have an __index__ method");
        }
        long at = number.bitLength() > 31 ? (number.signum() < 0 ? -1L << 32 : 1L << 32) : number.longValue();
        return (int) Math.clamp(at < 0 ? at + size : at, 0L, (long) size);
    }

    private static @Nullable Value ofInteger(Value value, String name) {
        BigInteger number = Numbers.integer(value);
        if (number == null) {
            return null;
        }
        return switch (name) {
            case "real", "numerator" -> new Int(number);
            case "imag" -> Int.of(0);
            case "denominator" -> Int.of(1);
            case "conjugate" -> method(name, 0, (in, bound) -> new Int(number));
            case "bit_length" ->
                method(name, 0, (in, bound) -> Int.of(number.abs().bitLength()));
            case "bit_count" ->
                method(name, 0, (in, bound) -> Int.of(number.abs().bitCount()));
            case "as_integer_ratio" -> method(name, 0, (in, bound) -> Seq.pair(new Int(number), Int.of(1)));
            default -> null;
        };
    }

    private static @Nullable Value ofReal(Real number, String name) {
        return switch (name) {
            case "real" -> number;
            case "imag" -> new Real(0);
            case "conjugate" -> method(name, 0, (in, bound) -> number);
            case "is_integer" ->
                method(
                        name,
                        0,
                        (in, bound) -> Bool.of(
                                number.value() == Math.rint(number.value()) && !Double.isInfinite(number.value())));
            default -> null;
        };
    }

    private static @Nullable Value ofRange(Range range, String name) {
        return switch (name) {
            case "start" -> Int.of(range.start());
            case "stop" -> Int.of(range.stop());
            case "step" -> Int.of(range.step());
            case "index" ->
                method(name, 1, (in, bound) -> index(range.items(), bound, in.fuel()), "value", "start", "stop");
            case "count" -> method(name, 1, (in, bound) -> count(range.items(), orNone(bound[0]), in.fuel()), "value");
            default -> null;
        };
    }
}
