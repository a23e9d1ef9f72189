package org.bloomery.engine.template;

import java.math.BigInteger;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Jinja's tests: {@code value is name arguments}. */
final class Tests {

    /** A test. */
    @FunctionalInterface
    interface Test {
        boolean apply(Interpreter in, Value value, Arguments arguments);
    }

    /** A test without arguments. */
    @FunctionalInterface
    private interface Plain {
        boolean holds(Value value);
    }

    private static final Map<String, Test> TESTS = Map.ofEntries(
            plain("defined", value -> !(value instanceof Undefined)),
            plain("undefined", value -> value instanceof Undefined),
            plain("none", value -> value == None.NONE),
            plain("boolean", value -> value instanceof Bool),
            plain("true", value -> value instanceof Bool truth && truth.value()),
            plain("false", value -> value instanceof Bool truth && !truth.value()),
            plain("integer", value -> value instanceof Int),
            plain("float", value -> value instanceof Real),
            plain("number", Numbers::isNumber),
            plain("string", value -> value instanceof Text),
            plain("mapping", value -> value instanceof Dict),
            plain("iterable", Python::isIterable),
            plain("sequence", Tests::isSequence),
            plain(
                    "callable",
                    value -> value instanceof Callable || value instanceof Loop || value instanceof Undefined),
            plain("escaped", value -> value instanceof Text text && text.markup()),
            plain("odd", value -> rest(value, BigInteger.TWO).equals(BigInteger.ONE)),
            plain("even", value -> rest(value, BigInteger.TWO).signum() == 0),
            Map.entry("divisibleby", (in, value, arguments) -> {
                Value number = argument("divisibleby", arguments);
                return !Python.truth(Python.binary("%", value, number, in.fuel()));
            }),
            Map.entry("lower", (in, value, arguments) -> TextMethods.isLower(Python.str(value, in.fuel()))),
            Map.entry("upper", (in, value, arguments) -> TextMethods.isUpper(Python.str(value, in.fuel()))),
            Map.entry(
                    "filter",
                    (in, value, arguments) ->
                            Python.key(value, in.fuel()) instanceof Text name && Filters.exists(name.chars())),
            Map.entry(
                    "test",
                    (in, value, arguments) ->
                            Python.key(value, in.fuel()) instanceof Text name && exists(name.chars())),
            Map.entry("sameas", (in, value, arguments) -> same(value, argument("sameas", arguments))),
            comparison("in", "in"),
            comparison("==", "=="),
            comparison("eq", "=="),
            comparison("equalto", "=="),
            comparison("!=", "!="),
            comparison("ne", "!="),
            comparison(">", ">"),
            comparison("gt", ">"),
            comparison("greaterthan", ">"),
            comparison(">=", ">="),
            comparison("ge", ">="),
            comparison("<", "<"),
            comparison("lt", "<"),
            comparison("lessthan", "<"),
            comparison("<=", "<="),
            comparison("le", "<="));

    private Tests() {}

    static boolean exists(String name) {
        return TESTS.containsKey(name);
    }

    static Test named(String name) {
        Test test = TESTS.get(name);
        if (test == null) {
            throw new Failure("there is no such test");
        }
        return test;
    }

    private static Map.Entry<String, Test> plain(String name, Plain test) {
        return Map.entry(name, (in, value, arguments) -> {
            arguments.bind(name, 0);
            return test.holds(value);
        });
    }

    private static Map.Entry<String, Test> comparison(String name, String operator) {
        return Map.entry(name, (in, value, arguments) -> in.compare(operator, value, argument(name, arguments)));
    }

    private static Value argument(String test, Arguments arguments) {
        @Nullable Value given = arguments.bind(test, 1, "other")[0];
        return given == null ? None.NONE : given;
    }

    private static BigInteger rest(Value value, BigInteger divisor) {
        Python.requireDefined(value);
        BigInteger number = Numbers.integer(value);
        if (number != null) {
            return number.mod(divisor);
        }
        if (value instanceof Real real) {
            double rest = real.value() - 2 * Math.floor(real.value() / 2);
            return rest == 0 ? BigInteger.ZERO : rest == 1 ? BigInteger.ONE : BigInteger.TEN;
        }
        throw new Failure("unsupported operand type(s) for %: '" + Python.typeName(value) + "' and 'int'");
    }

    private static boolean isSequence(Value value) {
        return value instanceof Text
                || value instanceof Seq
                || value instanceof Dict
                || value instanceof Range
                || value instanceof Undefined;
    }

    /** Identity as CPython has it for what it keeps once: constants, small integers. */
    @SuppressWarnings("ReferenceEquality") // Identity is what the test asks for
    private static boolean same(Value a, Value b) {
        return a == b
                || (a instanceof Bool x && b instanceof Bool y && x.value() == y.value())
                || (a instanceof Int p
                        && b instanceof Int q
                        && p.value().equals(q.value())
                        && p.value().bitLength() < 8)
                || (a instanceof Text s && b instanceof Text t && s.length() < 2 && s.equals(t));
    }
}
