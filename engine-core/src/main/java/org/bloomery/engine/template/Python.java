package org.bloomery.engine.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What Python does with every value: truth, order, operators, indexes, iteration, str and repr. */
final class Python {

    private Python() {}

    /** The name of a value's type as Python's messages write it. */
    static String typeName(Value value) {
        return switch (value) {
            case None none -> "NoneType";
            case Bool truth -> "bool";
            case Int number -> "int";
            case Real number -> "float";
            case Text text -> text.markup() ? "Markup" : "str";
            case Seq seq -> seq.isList() ? "list" : "tuple";
            case Dict dict -> "dict";
            case DictView view -> "dict_" + view.kind().name().toLowerCase(Locale.ROOT);
            case Range range -> "range";
            case Slice slice -> "slice";
            case Generator generator -> generator.typeName();
            case Namespace namespace -> "Namespace";
            case Loop loop -> "LoopContext";
            case Callable callable -> callable.typeName();
            case Cycler cycler -> "Cycler";
            case Undefined undefined -> "Undefined";
        };
    }

    static boolean truth(Value value) {
        return switch (value) {
            case None none -> false;
            case Bool truth -> truth.value();
            case Int number -> number.value().signum() != 0;
            case Real number -> number.value() != 0;
            case Text text -> !text.isEmpty();
            case Seq seq -> seq.size() > 0;
            case Dict dict -> dict.size() > 0;
            case DictView view -> view.dict().size() > 0;
            case Range range -> range.size() > 0;
            case Loop loop -> loop.size() > 0;
            case Undefined undefined -> false;
            case Slice slice -> true;
            case Generator generator -> true;
            case Namespace namespace -> true;
            case Callable callable -> true;
            case Cycler cycler -> true;
        };
    }

    /** len(value). */
    static int length(Value value) {
        return switch (value) {
            case Text text -> text.codePoints();
            case Seq seq -> seq.size();
            case Dict dict -> dict.size();
            case DictView view -> view.dict().size();
            case Range range -> range.size();
            case Loop loop -> loop.size();
            case Undefined undefined -> 0;
            default -> throw new Failure("object of type '" + typeName(value) + "' has no len()");
        };
    }

    /** The values inside, one after the other. */
    static Iterator<Value> iterate(Value value) {
        return switch (value) {
            case Generator generator -> generator.values();
            case Undefined undefined -> Collections.emptyIterator();
            default -> sized(value).iterator();
        };
    }

    /** All values inside; those of a generator are consumed. */
    static List<Value> items(Value value, Fuel fuel) {
        if (!(value instanceof Generator generator)) {
            return value instanceof Undefined ? List.of() : sized(value);
        }
        List<Value> items = new ArrayList<>();
        generator.values().forEachRemaining(item -> {
            fuel.step();
            items.add(item);
        });
        return items;
    }

    private static List<Value> sized(Value value) {
        return switch (value) {
            case Text text -> text.withMarkup(false).characters();
            case Seq seq -> seq.items();
            case Dict dict -> new ArrayList<>(dict.entries().keySet());
            case DictView view -> view.items();
            case Range range -> range.items();
            default -> throw new Failure("'" + typeName(value) + "' object is not iterable");
        };
    }

    static boolean isIterable(Value value) {
        return switch (value) {
            case Text text -> true;
            case Seq seq -> true;
            case Dict dict -> true;
            case DictView view -> true;
            case Range range -> true;
            case Generator generator -> true;
            case Loop loop -> true;
            case Undefined undefined -> true;
            case None none -> false;
            case Bool truth -> false;
            case Int number -> false;
            case Real number -> false;
            case Slice slice -> false;
            case Namespace namespace -> false;
            case Callable callable -> false;
            case Cycler cycler -> false;
        };
    }

    /** a == b. */
    static boolean equal(Value a, Value b, Fuel fuel) {
        fuel.work(Math.min(weight(a), weight(b)));
        return a.equals(b);
    }

    /** How much there is to look at in a value: characters and elements, saturating. */
    static long weight(Value value) {
        return switch (value) {
            case Text text -> 1 + text.length();
            case Seq seq -> seq.weight();
            case Dict dict -> dict.weight();
            default -> 1;
        };
    }

    /** The sign of a's order to b, for the operator that a message names. */
    static int compare(Value a, Value b, String operator, Fuel fuel) {
        if (a instanceof Text x && b instanceof Text y) {
            fuel.work(Math.min(x.length(), y.length()));
            return x.compareTo(y);
        }
        if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
            return Numbers.compare(a, b);
        }
        if (a instanceof Seq x && b instanceof Seq y && x.isList() == y.isList()) {
            for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
                if (!equal(x.items().get(i), y.items().get(i), fuel)) {
                    return compare(x.items().get(i), y.items().get(i), operator, fuel);
                }
            }
            return Integer.compare(x.size(), y.size());
        }
        requireDefined(a);
        requireDefined(b);
        throw new Failure("'" + operator + "' not supported between instances of '" + typeName(a) + "' and '"
                + typeName(b) + "'");
    }

    /** item in container. */
    static boolean contains(Value container, Value item, Fuel fuel) {
        if (container instanceof DictView view && view.kind() == DictView.Kind.KEYS) {
            return view.dict().get(key(item, fuel)) != null;
        }
        return switch (container) {
            case Text text -> {
                if (!(item instanceof Text part)) {
                    requireDefined(item);
                    throw new Failure("'in <string>' requires string as left operand, not " + typeName(item));
                }
                fuel.work((long) text.length() + part.length());
                yield PythonText.find(text.chars(), part.chars(), 0) >= 0;
            }
            case Dict dict -> dict.get(key(item, fuel)) != null;
            case Undefined undefined -> false;
            default -> {
                if (!isIterable(container)) {
                    throw new Failure("argument of type '" + typeName(container) + "' is not iterable");
                }
                Iterator<Value> values = iterate(container);
                while (values.hasNext()) {
                    fuel.work(1);
                    Value value = values.next();
                    if (equal(value, item, fuel)) {
                        yield true;
                    }
                }
                yield false;
            }
        };
    }

    /** Checks that a value can be a key. */
    static Value key(Value value, Fuel fuel) {
        fuel.work(weight(value));
        if (value instanceof Dict || (value instanceof Seq seq && seq.isList())) {
            throw new Failure("unhashable type: '" + typeName(value) + "'");
        }
        if (value instanceof Slice) {
            throw new Failure("unhashable type: 'slice'");
        }
        if (value instanceof Seq tuple) {
            tuple.items().forEach(item -> key(item, fuel));
        }
        return value;
    }

    static Value requireDefined(Value value) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        return value;
    }

    // Operators

    static Value binary(String operator, Value a, Value b, Fuel fuel) {
        Value number = Numbers.arithmetic(operator, a, b);
        if (number != null) {
            return number;
        }
        if (operator.equals("%") && a instanceof Text format) {
            return Formatting.percent(format, b, fuel);
        }
        requireDefined(a);
        requireDefined(b);
        switch (operator) {
            case "+" -> {
                if (a instanceof Text x && b instanceof Text y) {
                    return add(x, y, fuel);
                }
                if (a instanceof Seq x && b instanceof Seq y && x.isList() == y.isList()) {
                    fuel.elements((long) x.size() + y.size());
                    List<Value> both = new ArrayList<>(x.size() + y.size());
                    both.addAll(x.items());
                    both.addAll(y.items());
                    return x.with(both);
                }
                if (a instanceof Text) {
                    throw new Failure("can only concatenate str (not \"" + typeName(b) + "\") to str");
                }
                if (a instanceof Seq seq) {
                    String name = seq.isList() ? "list" : "tuple";
                    throw new Failure("can only concatenate " + name + " (not \"" + typeName(b) + "\") to " + name);
                }
            }
            case "*" -> {
                BigInteger times = Numbers.integer(b);
                if (times != null && (a instanceof Text || a instanceof Seq)) {
                    return repeat(a, times, fuel);
                }
                times = Numbers.integer(a);
                if (times != null && (b instanceof Text || b instanceof Seq)) {
                    return repeat(b, times, fuel);
                }
            }
            case "-" -> {
                if (a instanceof DictView || b instanceof DictView) {
                    throw new Failure("sets are not supported");
                }
            }
            default -> {}
        }
        throw new Failure("unsupported operand type(s) for " + (operator.equals("**") ? "** or pow()" : operator)
                + ": '" + typeName(a) + "' and '" + typeName(b) + "'");
    }

    /** str + str; what is joined to Markup is escaped. */
    static Text add(Text x, Text y, Fuel fuel) {
        Text left = y.markup() && !x.markup() ? escape(x, fuel) : x;
        Text right = x.markup() && !y.markup() ? escape(y, fuel) : y;
        fuel.checkText((long) left.length() + right.length());
        return left.plus(right);
    }

    /** markupsafe.escape. */
    static Text escape(Text text, Fuel fuel) {
        if (text.markup()) {
            return text;
        }
        fuel.text(text.length());
        String chars = text.chars();
        Text.Builder builder = new Text.Builder(chars.length());
        int done = 0;
        for (int i = 0; i < chars.length(); i++) {
            String entity = switch (chars.charAt(i)) {
                case '&' -> "&amp;";
                case '<' -> "&lt;";
                case '>' -> "&gt;";
                case '\'' -> "&#39;";
                case '"' -> "&#34;";
                default -> "";
            };
            if (!entity.isEmpty()) {
                builder.append(text, done, i).append(text.slice(i, i + 1).derived(entity));
                done = i + 1;
            }
        }
        Text escaped = builder.append(text, done, chars.length()).build();
        fuel.text(escaped.length());
        return escaped.withMarkup(true);
    }

    private static Value repeat(Value value, BigInteger times, Fuel fuel) {
        long length = value instanceof Text text ? text.length() : ((Seq) value).size();
        if (times.signum() <= 0 || length == 0) {
            return value instanceof Text text ? text.slice(0, 0) : ((Seq) value).with(List.of());
        }
        BigInteger total = times.multiply(BigInteger.valueOf(length));
        long size = total.bitLength() > 62 ? Long.MAX_VALUE / 16 : total.longValue();
        if (value instanceof Text text) {
            fuel.text(size);
            if (text.uniform()) {
                return text.derived(text.chars().repeat(times.intValue()));
            }
            Text.Builder builder = new Text.Builder((int) size);
            for (int i = 0; i < times.intValue(); i++) {
                builder.append(text);
            }
            return builder.build().withMarkup(text.markup());
        }
        fuel.elements(size);
        List<Value> items = new ArrayList<>((int) size);
        for (int i = 0; i < times.intValue(); i++) {
            items.addAll(((Seq) value).items());
        }
        return ((Seq) value).with(items);
    }

    // Indexes

    /** container[index], or null where Python raises a LookupError or TypeError. */
    static @Nullable Value item(Value container, Value index, Fuel fuel) {
        if (container instanceof Dict dict) {
            fuel.work(weight(index));
            return index instanceof Dict || index instanceof Slice || (index instanceof Seq seq && seq.isList())
                    ? null
                    : dict.get(index);
        }
        if (index instanceof Slice slice) {
            return slice(container, slice, fuel);
        }
        BigInteger number = Numbers.integer(index);
        if (number == null) {
            return null;
        }
        return switch (container) {
            case Text text -> {
                if (text.codePoints() != text.length()) {
                    fuel.work(text.length());
                }
                int at = position(number, text.codePoints());
                if (at < 0) {
                    yield null;
                }
                int from = text.offset(at);
                yield text.slice(from, from + Character.charCount(text.chars().codePointAt(from)));
            }
            case Seq seq -> {
                int at = position(number, seq.size());
                yield at < 0 ? null : seq.items().get(at);
            }
            case Range range -> {
                int at = position(number, range.size());
                yield at < 0 ? null : range.items().get(at);
            }
            default -> null;
        };
    }

    private static int position(BigInteger index, int size) {
        if (index.bitLength() > 31) {
            return -1;
        }
        long at = index.longValue();
        at = at < 0 ? at + size : at;
        return at >= 0 && at < size ? (int) at : -1;
    }

    private static @Nullable Value slice(Value container, Slice slice, Fuel fuel) {
        if (!(container instanceof Text || container instanceof Seq || container instanceof Range)) {
            return null;
        }
        int size = length(container);
        long step = bound(slice.step(), 1);
        if (step == 0) {
            throw new Failure("slice step cannot be zero");
        }
        long start = clamp(bound(slice.start(), step > 0 ? 0 : Integer.MAX_VALUE), size, step);
        long stop = slice.stop() == None.NONE ? (step > 0 ? size : -1) : clamp(bound(slice.stop(), 0), size, step);
        long count = step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step;
        int length = (int) Math.max(0, count);
        if (container instanceof Text text) {
            fuel.work(length + (text.codePoints() == text.length() ? 0 : text.length()));
            if (step == 1) {
                return length == 0 ? text.slice(0, 0) : text.slice(text.offset((int) start), text.offset((int) stop));
            }
            List<Value> characters = text.characters();
            Text.Builder builder = new Text.Builder(length);
            for (long i = 0; i < length; i++) {
                builder.append((Text) characters.get((int) (start + i * step)));
            }
            return builder.build().withMarkup(text.markup());
        }
        if (container instanceof Range range) {
            long first = range.start() + start * range.step();
            long scaled = range.step() * step;
            return new Range(first, first + length * scaled, scaled, length);
        }
        Seq seq = (Seq) container;
        fuel.elements(length);
        if (step == 1) {
            return seq.with(
                    length == 0 ? List.of() : new ArrayList<>(seq.items().subList((int) start, (int) stop)));
        }
        List<Value> items = new ArrayList<>(length);
        for (long i = 0; i < length; i++) {
            items.add(seq.items().get((int) (start + i * step)));
        }
        return seq.with(items);
    }

    private static long bound(Value value, long otherwise) {
        if (value == None.NONE) {
            return otherwise;
        }
        BigInteger number = Numbers.integer(value);
        if (number == null) {
            requireDefined(value);
            throw new Failure("slice indices must be integers or None or have an __index__ method");
        }
        return number.bitLength() > 31 ? (number.signum() < 0 ? -(1L << 32) : 1L << 32) : number.longValue();
    }

    private static long clamp(long index, int size, long step) {
        long at = index < 0 ? index + size : index;
        return step > 0 ? Math.clamp(at, 0, size) : Math.clamp(at, -1, size - 1);
    }

    // Text of values

    /** str(value). */
    static Text str(Value value, Fuel fuel) {
        return switch (value) {
            case Text text -> text.withMarkup(false);
            case Undefined undefined -> Text.EMPTY;
            default -> repr(value, fuel);
        };
    }

    /** What soft_str does: str that leaves Markup as it is. */
    static Text softStr(Value value, Fuel fuel) {
        return value instanceof Text text ? text : str(value, fuel);
    }

    /** repr(value); trusted only where every string inside is. */
    static Text repr(Value value, Fuel fuel) {
        Repr repr = new Repr(fuel);
        repr.append(value, 0);
        return Text.of(repr.out.toString(), repr.trusted);
    }

    /** Writes one value as Python source. */
    private static final class Repr {

        private final Fuel fuel;
        private final StringBuilder out = new StringBuilder();
        private boolean trusted = true;

        Repr(Fuel fuel) {
            this.fuel = fuel;
        }

        void append(Value value, int depth) {
            if (depth > 2 * Fuel.MAX_DEPTH) {
                throw new Failure("it prints values nested deeper than " + 2 * Fuel.MAX_DEPTH);
            }
            fuel.work(8);
            fuel.checkText(out.length());
            switch (value) {
                case None none -> out.append("None");
                case Bool truth -> out.append(truth.value() ? "True" : "False");
                case Int number -> {
                    String digits = number.value().toString();
                    if (digits.length() > 4301) {
                        throw new Failure("it prints an integer of more than 4300 digits");
                    }
                    out.append(digits);
                }
                case Real number -> out.append(Numbers.repr(number.value()));
                case Text text -> string(text);
                case Seq seq -> {
                    out.append(seq.isList() ? '[' : '(');
                    all(seq.items(), depth);
                    out.append(seq.isList() ? "]" : seq.size() == 1 ? ",)" : ")");
                }
                case Dict dict -> entries(dict.entries(), depth);
                case DictView view -> {
                    out.append(typeName(view)).append("([");
                    all(view.items(), depth);
                    out.append("])");
                }
                case Range range -> {
                    out.append("range(").append(range.start()).append(", ").append(range.stop());
                    if (range.step() != 1) {
                        out.append(", ").append(range.step());
                    }
                    out.append(')');
                }
                case Slice slice -> {
                    out.append("slice(");
                    all(List.of(slice.start(), slice.stop(), slice.step()), depth);
                    out.append(')');
                }
                case Generator generator ->
                    out.append('<').append(generator.typeName()).append(" object>");
                case Namespace namespace -> {
                    LinkedHashMap<Value, Value> attributes = new LinkedHashMap<>();
                    namespace.attributes().forEach((name, each) -> attributes.put(Text.untrusted(name), each));
                    out.append("<Namespace ");
                    entries(attributes, depth);
                    out.append('>');
                }
                case Loop loop ->
                    out.append("<LoopContext ")
                            .append(loop.index())
                            .append('/')
                            .append(loop.size())
                            .append('>');
                case Callable callable -> {
                    out.append('<').append(callable.typeName()).append(' ');
                    string(Text.trusted(callable.name()));
                    out.append('>');
                }
                case Cycler cycler -> out.append("<Cycler object>");
                case Undefined undefined -> out.append("Undefined");
            }
        }

        private void all(List<Value> values, int depth) {
            String separator = "";
            for (Value value : values) {
                out.append(separator);
                append(value, depth + 1);
                separator = ", ";
            }
        }

        private void entries(Map<Value, Value> entries, int depth) {
            out.append('{');
            String separator = "";
            for (Map.Entry<Value, Value> entry : entries.entrySet()) {
                out.append(separator);
                append(entry.getKey(), depth + 1);
                out.append(": ");
                append(entry.getValue(), depth + 1);
                separator = ", ";
            }
            out.append('}');
        }

        private void string(Text text) {
            fuel.work(text.length());
            trusted &= text.isEmpty() || text.trusted();
            String chars = text.chars();
            char quote = chars.indexOf('\'') >= 0 && chars.indexOf('"') < 0 ? '"' : '\'';
            out.append(text.markup() ? "Markup(" : "").append(quote);
            for (int i = 0; i < chars.length(); ) {
                int c = chars.codePointAt(i);
                i += Character.charCount(c);
                switch (c) {
                    case '\n' -> out.append("\\n");
                    case '\r' -> out.append("\\r");
                    case '\t' -> out.append("\\t");
                    case '\\' -> out.append("\\\\");
                    default -> {
                        if (c == quote) {
                            out.append('\\').append(quote);
                        } else if (c < 127 ? c >= ' ' : PythonText.isPrintable(c)) {
                            out.appendCodePoint(c);
                        } else {
                            int digits = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
                            out.append('\\').append(digits == 2 ? 'x' : digits == 4 ? 'u' : 'U');
                            for (int shift = 4 * digits - 4; shift >= 0; shift -= 4) {
                                out.append(Character.forDigit(c >> shift & 15, 16));
                            }
                        }
                    }
                }
            }
            out.append(quote).append(text.markup() ? ")" : "");
        }
    }
}
