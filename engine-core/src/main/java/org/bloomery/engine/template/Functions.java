package org.bloomery.engine.template;

import java.math.BigInteger;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template can call. */
final class Functions {

    private static final Map<String, Value> GLOBALS = Map.of(
            "range",
            function("range", Functions::range),
            "dict",
            function("dict", (in, arguments) -> new Dict(entries(in, "dict", arguments))),
            "namespace",
            function("namespace", Functions::namespace),
            "cycler",
            function("cycler", Functions::cycler),
            "joiner",
            function("joiner", Functions::joiner),
            "lipsum",
            function("lipsum", (in, arguments) -> {
                throw new Failure("lipsum is not supported in chat templates");
            }),
            // The blocks of a template; chat templates have none that could be called
            "self",
            new Callable("TemplateReference", "self", Map.of(), (in, arguments) -> {
                throw new Failure("'TemplateReference' object is not callable");
            }),
            "raise_exception",
            function("raise_exception", (in, arguments) -> {
                Value message = arguments.bind("raise_exception", 1, "message")[0];
                throw new Failure(
                        message == null ? "" : Python.str(message, in.fuel()).shown(), true);
            }),
            "strftime_now",
            function("strftime_now", (in, arguments) -> {
                Value format = arguments.bind("strftime_now", 1, "format")[0];
                if (!(format instanceof Text text)) {
                    throw new Failure("strftime() argument 1 must be str");
                }
                return Strftime.format(text, java.time.LocalDateTime.now(in.clock()), in.fuel());
            }));

    private Functions() {}

    static @Nullable Value global(String name) {
        return GLOBALS.get(name);
    }

    private static Value function(String name, Callable.Body body) {
        return Callable.function(name, body);
    }

    private static Value range(Interpreter in, Arguments arguments) {
        arguments.refuseNamed("range");
        List<Value> given = arguments.positional();
        if (given.isEmpty() || given.size() > 3) {
            throw new Failure("range expected 1 to 3 arguments, got " + given.size());
        }
        long first = integer(given.getFirst());
        long start = given.size() == 1 ? 0 : first;
        long stop = given.size() == 1 ? first : integer(given.get(1));
        long step = given.size() == 3 ? integer(given.get(2)) : 1;
        if (step == 0) {
            throw new Failure("range() arg 3 must not be zero");
        }
        long size = Math.max(0, step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step);
        if (size > Range.MAX_SIZE) {
            throw new Failure(
                    "Range too big. The sandbox blocks ranges larger than MAX_RANGE (" + Range.MAX_SIZE + ")");
        }
        return new Range(start, stop, step, (int) size);
    }

    private static long integer(Value value) {
        BigInteger number = Numbers.integer(Python.requireDefined(value));
        if (number == null) {
            throw new Failure("'" + Python.typeName(value) + "' object cannot be interpreted as an integer");
        }
        if (number.bitLength() > 60) {
            throw new Failure("range() works with numbers of up to 60 bits");
        }
        return number.longValue();
    }

    /** The entries that dict(…) and namespace(…) take: a mapping or pairs, then names. */
    private static Map<Value, Value> entries(Interpreter in, String function, Arguments arguments) {
        LinkedHashMap<Value, Value> entries = new LinkedHashMap<>();
        if (arguments.positional().size() > 1) {
            throw new Failure(function + " expected at most 1 argument, got "
                    + arguments.positional().size());
        }
        for (Value source : arguments.positional()) {
            switch (source) {
                case Dict dict -> entries.putAll(dict.entries());
                case Namespace namespace -> throw new Failure("'Namespace' object is not iterable");
                default -> {
                    Iterator<Value> pairs = Python.iterate(source);
                    while (pairs.hasNext()) {
                        in.fuel().step();
                        List<Value> pair = Python.items(pairs.next(), in.fuel());
                        if (pair.size() != 2) {
                            throw new Failure(
                                    "dictionary update sequence element has length " + pair.size() + "; 2 is required");
                        }
                        entries.put(Python.key(pair.get(0), in.fuel()), pair.get(1));
                    }
                }
            }
        }
        arguments.named().forEach((name, value) -> entries.put(Text.untrusted(name), value));
        in.fuel().elements(entries.size());
        return entries;
    }

    private static Value namespace(Interpreter in, Arguments arguments) {
        Namespace namespace = new Namespace();
        entries(in, "namespace", arguments).forEach((key, value) -> {
            if (key instanceof Text name) {
                namespace.attributes().put(name.chars(), value);
            }
        });
        return namespace;
    }

    private static Value cycler(Interpreter in, Arguments arguments) {
        arguments.refuseNamed("cycler");
        if (arguments.positional().isEmpty()) {
            throw new Failure("at least one item has to be provided");
        }
        return new Cycler(arguments.positional());
    }

    private static Value joiner(Interpreter in, Arguments arguments) {
        Value given = arguments.bind("joiner", 0, "sep")[0];
        Value separator = given == null ? Text.trusted(", ") : given;
        boolean[] used = {false};
        return new Callable("Joiner", "joiner", Map.of("sep", separator), (inner, none) -> {
            Value result = used[0] ? separator : Text.EMPTY;
            used[0] = true;
            return result;
        });
    }
}
