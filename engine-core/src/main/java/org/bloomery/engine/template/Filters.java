package org.bloomery.engine.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Jinja's filters: {@code value|name(arguments)}. */
final class Filters {

    /** A filter. */
    @FunctionalInterface
    interface Filter {
        Value apply(Interpreter in, Value value, Arguments arguments);
    }

    /** A filter whose arguments are bound to its parameters. */
    @FunctionalInterface
    private interface Bound {
        Value apply(Interpreter in, Value value, @Nullable Value[] arguments);
    }

    private static final Map<String, Filter> FILTERS = Map.ofEntries(
            filter("abs", (in, v, a) -> absolute(v)),
            filter("attr", 1, Filters::attribute, "name"),
            filter("batch", 1, Filters::batch, "linecount", "fill_with"),
            filter("capitalize", (in, v, a) -> TextMethods.capitalize(soft(in, v))),
            filter(
                    "center",
                    0,
                    (in, v, a) -> TextMethods.pad(soft(in, v), integer(a[0], 80), Text.trusted(" "), '^', in.fuel()),
                    "width"),
            filter("count", (in, v, a) -> Int.of(Python.length(v))),
            filter("length", (in, v, a) -> Int.of(Python.length(v))),
            filter("d", 0, Filters::otherwise, "default_value", "boolean"),
            filter("default", 0, Filters::otherwise, "default_value", "boolean"),
            filter("dictsort", 0, Filters::dictsort, "case_sensitive", "by", "reverse"),
            filter("e", (in, v, a) -> Python.escape(soft(in, v), in.fuel())),
            filter("escape", (in, v, a) -> Python.escape(soft(in, v), in.fuel())),
            filter("forceescape", (in, v, a) -> Python.escape(Python.str(v, in.fuel()), in.fuel())),
            filter("filesizeformat", 0, Filters::fileSize, "binary"),
            filter("first", (in, v, a) -> first(Python.iterate(v), "first")),
            filter("last", (in, v, a) -> first(reversed(in, v), "last")),
            filter("float", 0, Filters::real, "default"),
            filter("int", 0, Filters::integer, "default", "base"),
            Map.entry("format", Filters::format),
            filter("groupby", 1, Filters::groupby, "attribute", "default", "case_sensitive"),
            filter("indent", 0, Filters::indent, "width", "first", "blank"),
            filter("items", (in, v, a) -> items(v)),
            filter("join", 0, Filters::join, "d", "attribute"),
            filter("list", (in, v, a) -> list(in, v)),
            filter("lower", (in, v, a) -> TextMethods.lower(soft(in, v), in.fuel())),
            filter("upper", (in, v, a) -> TextMethods.upper(soft(in, v), in.fuel())),
            Map.entry("map", Filters::map),
            filter("max", 0, (in, v, a) -> extreme(in, v, a, 1), "case_sensitive", "attribute"),
            filter("min", 0, (in, v, a) -> extreme(in, v, a, -1), "case_sensitive", "attribute"),
            filter("pprint", (in, v, a) -> prettyPrinted(v, in.fuel())),
            unsupported("random"),
            unsupported("urlize"),
            unsupported("xmlattr"),
            Map.entry("reject", (in, v, a) -> select(in, v, a, false, false)),
            Map.entry("rejectattr", (in, v, a) -> select(in, v, a, false, true)),
            Map.entry("select", (in, v, a) -> select(in, v, a, true, false)),
            Map.entry("selectattr", (in, v, a) -> select(in, v, a, true, true)),
            filter("replace", 2, Filters::replace, "old", "new", "count"),
            filter("reverse", (in, v, a) -> reverse(in, v)),
            filter("round", 0, Filters::round, "precision", "method"),
            filter("safe", (in, v, a) -> Python.str(v, in.fuel()).withMarkup(true)),
            filter("slice", 1, Filters::slice, "slices", "fill_with"),
            filter("sort", 0, Filters::sort, "reverse", "case_sensitive", "attribute"),
            filter("string", (in, v, a) -> soft(in, v)),
            filter("striptags", (in, v, a) -> stripTags(Python.str(v, in.fuel()), in.fuel())),
            filter("sum", 0, Filters::sum, "attribute", "start"),
            filter("title", (in, v, a) -> soft(in, v).mapped(Filters::title)),
            filter("tojson", 0, Filters::toJson, "ensure_ascii", "indent", "separators", "sort_keys"),
            filter("trim", 0, (in, v, a) -> TextMethods.strip(soft(in, v), a[0], true, true), "chars"),
            filter("truncate", 0, Filters::truncate, "length", "killwords", "end", "leeway"),
            filter("unique", 0, Filters::unique, "case_sensitive", "attribute"),
            filter("urlencode", (in, v, a) -> urlEncode(in, v)),
            filter("wordcount", (in, v, a) -> Int.of(wordCount(soft(in, v).chars()))),
            filter("wordwrap", 0, Filters::wordwrap, "width", "break_long_words", "wrapstring", "break_on_hyphens"));

    private Filters() {}

    static boolean exists(String name) {
        return FILTERS.containsKey(name);
    }

    static Filter named(String name) {
        Filter filter = FILTERS.get(name);
        if (filter == null) {
            throw new Failure("there is no such filter");
        }
        return filter;
    }

    private static Map.Entry<String, Filter> filter(String name, Bound filter) {
        return filter(name, 0, filter);
    }

    private static Map.Entry<String, Filter> filter(String name, int required, Bound filter, String... parameters) {
        return Map.entry(
                name, (in, value, arguments) -> filter.apply(in, value, arguments.bind(name, required, parameters)));
    }

    private static Map.Entry<String, Filter> unsupported(String name) {
        return Map.entry(name, (in, value, arguments) -> {
            throw new Failure("the filter '" + name + "' is not supported in chat templates");
        });
    }

    // Arguments

    private static Text soft(Interpreter in, Value value) {
        return Python.softStr(value, in.fuel());
    }

    private static boolean truth(@Nullable Value value) {
        return value != null && Python.truth(value);
    }

    private static int integer(@Nullable Value value, int otherwise) {
        return value == null ? otherwise : TextMethods.integer(value);
    }

    private static Value orNone(@Nullable Value value) {
        return value == null ? None.NONE : value;
    }

    private static boolean absent(@Nullable Value value) {
        return value == null || value == None.NONE;
    }

    /** The function that reads an attribute such as {@code function.name} or {@code 0} from an item. */
    private static Function<Value, Value> getter(Interpreter in, @Nullable Value attribute, @Nullable Value otherwise) {
        if (absent(attribute)) {
            return Function.identity();
        }
        List<Value> parts = new ArrayList<>();
        if (attribute instanceof Text path) {
            for (String part : path.chars().split("\\.", -1)) {
                parts.add(
                        !part.isEmpty() && part.chars().allMatch(Character::isDigit) && part.length() < 10
                                ? Int.of(Long.parseLong(part))
                                : Text.of(part, path.trusted()));
            }
        } else {
            parts.add(orNone(attribute));
        }
        return item -> {
            Value value = item;
            for (Value part : parts) {
                in.fuel().step();
                value = in.item(value, part);
                if (value instanceof Undefined && !absent(otherwise)) {
                    value = orNone(otherwise);
                }
            }
            return value;
        };
    }

    private static Value ignoringCase(Value value, Fuel fuel) {
        return value instanceof Text text ? TextMethods.lower(text, fuel) : value;
    }

    private static Function<Value, Value> key(
            Interpreter in, @Nullable Value attribute, @Nullable Value caseSensitive, @Nullable Value otherwise) {
        Function<Value, Value> getter = getter(in, attribute, otherwise);
        return truth(caseSensitive) ? getter : getter.andThen(value -> ignoringCase(value, in.fuel()));
    }

    /** Stable sort that counts its comparisons. */
    static <T> void sort(List<T> list, Comparator<T> order, Fuel fuel) {
        list.sort((a, b) -> {
            fuel.work(8);
            return order.compare(a, b);
        });
    }

    // Numbers

    private static Value absolute(Value value) {
        Python.requireDefined(value);
        if (value instanceof Real real) {
            return new Real(Math.abs(real.value()));
        }
        BigInteger number = Numbers.integer(value);
        if (number == null) {
            throw new Failure("bad operand type for abs(): '" + Python.typeName(value) + "'");
        }
        return new Int(number.abs());
    }

    private static Value real(Interpreter in, Value value, @Nullable Value[] a) {
        Python.requireDefined(value);
        if (value instanceof Text text) {
            Double parsed = parseReal(text.chars());
            return parsed != null ? new Real(parsed) : a[0] != null ? a[0] : new Real(0);
        }
        return Numbers.isNumber(value) ? new Real(Numbers.real(value)) : a[0] != null ? a[0] : new Real(0);
    }

    /** Python's float(text), or null. */
    private static @Nullable Double parseReal(String text) {
        String trimmed = TextMethods.strip(Text.trusted(text), null, true, true).chars();
        String lower = trimmed.toLowerCase(java.util.Locale.ROOT);
        switch (lower) {
            case "nan", "+nan", "-nan" -> {
                return Double.NaN;
            }
            case "inf", "+inf", "infinity", "+infinity" -> {
                return Double.POSITIVE_INFINITY;
            }
            case "-inf", "-infinity" -> {
                return Double.NEGATIVE_INFINITY;
            }
            default -> {}
        }
        if (trimmed.length() > 10_000 || !isRealLiteral(lower)) {
            return null;
        }
        return Double.parseDouble(lower.replace("_", ""));
    }

    private static boolean isRealLiteral(String text) {
        boolean digits = false;
        boolean point = false;
        boolean exponent = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= '0' && c <= '9') {
                digits = true;
            } else if (c == '_') {
                if (i == 0 || i + 1 == text.length() || !isDigit(text.charAt(i - 1)) || !isDigit(text.charAt(i + 1))) {
                    return false;
                }
            } else if (c == '.') {
                if (point || exponent) {
                    return false;
                }
                point = true;
            } else if (c == 'e') {
                if (exponent || !digits) {
                    return false;
                }
                exponent = true;
                digits = false;
            } else if (c == '+' || c == '-') {
                if (i != 0 && text.charAt(i - 1) != 'e') {
                    return false;
                }
            } else {
                return false;
            }
        }
        return digits;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static Value integer(Interpreter in, Value value, @Nullable Value[] a) {
        Python.requireDefined(value);
        Value otherwise = a[0] != null ? a[0] : Int.of(0);
        BigInteger number = Numbers.integer(value);
        if (number != null) {
            return new Int(number);
        }
        if (value instanceof Real real) {
            return Double.isNaN(real.value()) || Double.isInfinite(real.value())
                    ? otherwise
                    : new Int(Numbers.truncate(real.value()));
        }
        if (!(value instanceof Text text)) {
            return otherwise;
        }
        BigInteger parsed = parseInteger(text.chars(), integer(a[1], 10));
        if (parsed != null) {
            return new Int(parsed);
        }
        Double fraction = parseReal(text.chars());
        return fraction == null || fraction.isNaN() || fraction.isInfinite()
                ? otherwise
                : new Int(Numbers.truncate(fraction));
    }

    /** Python's int(text, base), or null. */
    private static @Nullable BigInteger parseInteger(String text, int base) {
        String digits = TextMethods.strip(Text.trusted(text), null, true, true).chars();
        boolean negative = digits.startsWith("-");
        if (negative || digits.startsWith("+")) {
            digits = digits.substring(1);
        }
        int radix = base;
        if (digits.length() > 2 && digits.charAt(0) == '0') {
            int prefix = switch (Character.toLowerCase(digits.charAt(1))) {
                case 'x' -> 16;
                case 'o' -> 8;
                case 'b' -> 2;
                default -> 0;
            };
            if (prefix != 0 && (base == prefix || base == 0)) {
                radix = prefix;
                digits = digits.substring(digits.charAt(2) == '_' ? 3 : 2);
            }
        }
        radix = radix == 0 ? 10 : radix;
        if (radix < 2 || radix > 36 || digits.isEmpty() || digits.length() > 4300) {
            return null;
        }
        StringBuilder plain = new StringBuilder(digits.length());
        for (int i = 0; i < digits.length(); i++) {
            char c = digits.charAt(i);
            boolean separates = c == '_' && i > 0 && i + 1 < digits.length() && digits.charAt(i - 1) != '_';
            if (!separates) {
                if (Character.digit(c, radix) < 0) {
                    return null;
                }
                plain.append(c);
            }
        }
        BigInteger number = new BigInteger(plain.toString(), radix);
        return negative ? number.negate() : number;
    }

    private static Value round(Interpreter in, Value value, @Nullable Value[] a) {
        Python.requireDefined(value);
        int precision = integer(a[0], 0);
        String method = a[1] instanceof Text text ? text.chars() : "common";
        BigInteger number = Numbers.integer(value);
        if (!Numbers.isNumber(value)) {
            throw new Failure("type " + Python.typeName(value) + " doesn't define __round__ method");
        }
        if (Math.abs((long) precision) > 400) {
            throw new Failure("it rounds to " + precision + " digits; at most 400 are allowed");
        }
        return switch (method) {
            case "common" -> {
                if (number != null) {
                    yield precision >= 0
                            ? new Int(number)
                            : new Int(new BigDecimal(number)
                                    .setScale(precision, RoundingMode.HALF_EVEN)
                                    .toBigInteger());
                }
                double real = Numbers.real(value);
                yield Double.isNaN(real) || Double.isInfinite(real)
                        ? value
                        : new Real(Math.copySign(
                                new BigDecimal(real)
                                        .setScale(precision, RoundingMode.HALF_EVEN)
                                        .doubleValue(),
                                real));
            }
            case "ceil", "floor" -> {
                Value power = orNone(Numbers.arithmetic("**", Int.of(10), Int.of(precision)));
                Value scaled = orNone(Numbers.arithmetic("*", value, power));
                BigInteger whole = Numbers.integer(scaled);
                if (whole == null) {
                    double real = Numbers.real(scaled);
                    whole = Numbers.truncate(method.equals("ceil") ? Math.ceil(real) : Math.floor(real));
                }
                yield orNone(Numbers.arithmetic("/", new Int(whole), power));
            }
            default -> throw new Failure("method must be common, ceil or floor");
        };
    }

    private static Value fileSize(Interpreter in, Value value, @Nullable Value[] a) {
        double bytes = Numbers.real(real(in, value, new Value[] {null}));
        boolean binary = truth(a[0]);
        double base = binary ? 1024 : 1000;
        if (bytes == 1) {
            return Text.trusted("1 Byte");
        }
        if (bytes < base) {
            return Text.trusted(Numbers.truncate(bytes) + " Bytes");
        }
        double unit = base;
        String prefixes = "kMGTPEZY";
        int i = 0;
        while (i < prefixes.length() - 1 && bytes >= unit * base) {
            unit *= base;
            i++;
        }
        String prefix = binary ? Character.toUpperCase(prefixes.charAt(i)) + "iB" : prefixes.charAt(i) + "B";
        return Text.trusted(
                new BigDecimal(bytes / unit).setScale(1, RoundingMode.HALF_EVEN).toPlainString() + " " + prefix);
    }

    // Sequences

    private static Value first(Iterator<Value> values, String which) {
        return values.hasNext() ? values.next() : new Undefined("No " + which + " item, sequence was empty.");
    }

    private static Iterator<Value> reversed(Interpreter in, Value value) {
        if (value instanceof Generator || value instanceof None || !Python.isIterable(value)) {
            throw new Failure("'" + Python.typeName(value) + "' object is not reversible");
        }
        return Python.items(value, in.fuel()).reversed().iterator();
    }

    private static Value reverse(Interpreter in, Value value) {
        if (value instanceof Text text) {
            return orNone(Python.item(text, new Slice(None.NONE, None.NONE, Int.of(-1)), in.fuel()));
        }
        if (value instanceof Generator) {
            List<Value> items = new ArrayList<>(Python.items(value, in.fuel()));
            Collections.reverse(items);
            return Seq.list(items);
        }
        if (!Python.isIterable(value)) {
            throw new Failure("argument must be iterable");
        }
        return new Generator(
                reversed(in, value),
                value instanceof Seq seq && seq.isList() ? "list_reverseiterator" : "reversed",
                value);
    }

    private static Value otherwise(Interpreter in, Value value, @Nullable Value[] a) {
        boolean missing = value instanceof Undefined || (truth(a[1]) && !Python.truth(value));
        return missing ? (a[0] == null ? Text.EMPTY : a[0]) : value;
    }

    private static Value attribute(Interpreter in, Value value, @Nullable Value[] a) {
        if (!(orNone(a[0]) instanceof Text name)) {
            throw new Failure("attribute name must be string");
        }
        Value found = Methods.attribute(value, name.chars(), in.fuel());
        return found != null
                ? found
                : new Undefined("'" + Python.typeName(value) + " object' has no attribute '" + name.shown() + "'");
    }

    private static Value list(Interpreter in, Value value) {
        List<Value> items = Python.items(value, in.fuel());
        in.fuel().elements(items.size());
        return Seq.list(new ArrayList<>(items));
    }

    private static Value items(Value value) {
        return generator(Seq.list(List.of(value)), source -> {
            Value mapping = source.next();
            if (mapping instanceof Undefined) {
                return Collections.emptyIterator();
            }
            if (!(mapping instanceof Dict dict)) {
                throw new Failure("Can only get item pairs from a mapping.");
            }
            return new DictView(dict, DictView.Kind.ITEMS).items().iterator();
        });
    }

    /** A generator over what is computed when it is read. */
    private static Value later(Value source, Supplier<List<Value>> values) {
        Iterator<Value> iterator =
                Stream.of(values).flatMap(each -> each.get().stream()).iterator();
        return new Generator(iterator, "generator", source);
    }

    private static Value batch(Interpreter in, Value value, @Nullable Value[] a) {
        return later(value, () -> batches(in, value, a));
    }

    private static List<Value> batches(Interpreter in, Value value, @Nullable Value[] a) {
        int size = integer(a[0], 1);
        List<Value> batches = new ArrayList<>();
        List<Value> current = new ArrayList<>();
        Iterator<Value> items = Python.iterate(value);
        while (items.hasNext()) {
            Value item = items.next();
            in.fuel().step();
            if (current.size() == size) {
                batches.add(Seq.list(current));
                current = new ArrayList<>();
            }
            current.add(item);
        }
        if (!current.isEmpty()) {
            if (!absent(a[1]) && current.size() < size) {
                in.fuel().elements(size);
                current.addAll(Collections.nCopies(size - current.size(), orNone(a[1])));
            }
            batches.add(Seq.list(current));
        }
        return batches;
    }

    private static Value slice(Interpreter in, Value value, @Nullable Value[] a) {
        return later(value, () -> slices(in, value, a));
    }

    private static List<Value> slices(Interpreter in, Value value, @Nullable Value[] a) {
        List<Value> items = Python.items(value, in.fuel());
        int slices = integer(a[0], 1);
        if (slices == 0) {
            throw new Failure("integer division or modulo by zero");
        }
        in.fuel().elements((long) Math.max(0, slices) + items.size());
        List<Value> result = new ArrayList<>();
        int each = items.size() / slices;
        int extra = items.size() % slices;
        int start = 0;
        for (int i = 0; i < slices; i++) {
            int end = start + each + (i < extra ? 1 : 0);
            List<Value> part = new ArrayList<>(items.subList(start, end));
            if (!absent(a[1]) && i >= extra) {
                part.add(orNone(a[1]));
            }
            result.add(Seq.list(part));
            start = end;
        }
        return result;
    }

    private static Value sort(Interpreter in, Value value, @Nullable Value[] a) {
        return sorted(in, value, sortKey(in, a[2], a[1]), truth(a[0]));
    }

    /** The key of one or, separated by commas, several attributes. */
    private static Function<Value, Value> sortKey(
            Interpreter in, @Nullable Value attribute, @Nullable Value caseSensitive) {
        if (!(attribute instanceof Text path) || path.chars().indexOf(',') < 0) {
            // In a list, since lists look for equality before order
            Function<Value, Value> key = key(in, attribute, caseSensitive, null);
            return item -> Seq.list(List.of(key.apply(item)));
        }
        List<Function<Value, Value>> keys = new ArrayList<>();
        for (String each : path.chars().split(",", -1)) {
            keys.add(key(in, Text.of(each, path.trusted()), caseSensitive, null));
        }
        return item -> {
            List<Value> values = new ArrayList<>();
            keys.forEach(key -> values.add(key.apply(item)));
            return Seq.list(values);
        };
    }

    private record Keyed(Value key, Value item) {}

    private static Seq sorted(Interpreter in, Value value, Function<Value, Value> key, boolean reverse) {
        List<Keyed> keyed = new ArrayList<>();
        for (Value item : Python.items(value, in.fuel())) {
            in.fuel().element(keyed.size());
            keyed.add(new Keyed(key.apply(item), item));
        }
        Comparator<Keyed> order = (a, b) -> Python.compare(a.key, b.key, "<", in.fuel());
        sort(keyed, reverse ? order.reversed() : order, in.fuel());
        List<Value> items = new ArrayList<>(keyed.size());
        keyed.forEach(each -> items.add(each.item));
        return Seq.list(items);
    }

    private static Value dictsort(Interpreter in, Value value, @Nullable Value[] a) {
        if (!(Python.requireDefined(value) instanceof Dict dict)) {
            throw new Failure("'" + Python.typeName(value) + "' object has no attribute 'items'");
        }
        String by = a[1] instanceof Text text ? text.chars() : "key";
        if (!by.equals("key") && !by.equals("value")) {
            throw new Failure("You can only sort by either \"key\" or \"value\"");
        }
        Value pairs = new DictView(dict, DictView.Kind.ITEMS);
        return sorted(in, pairs, key(in, Int.of(by.equals("key") ? 0 : 1), a[0], null), truth(a[2]));
    }

    private static Value unique(Interpreter in, Value value, @Nullable Value[] a) {
        Function<Value, Value> key = key(in, a[1], a[0], null);
        Set<Value> seen = new HashSet<>();
        return generator(
                Seq.list(List.of(value)),
                source -> filtered(
                        Python.iterate(source.next()),
                        item -> seen.add(Python.key(key.apply(item), in.fuel())),
                        in.fuel()));
    }

    private static Value extreme(Interpreter in, Value value, @Nullable Value[] a, int sign) {
        Iterator<Value> items = Python.iterate(value);
        if (!items.hasNext()) {
            return new Undefined("No aggregated item, sequence was empty.");
        }
        Function<Value, Value> key = key(in, a[1], a[0], null);
        Value best = items.next();
        Value bestKey = key.apply(best);
        while (items.hasNext()) {
            in.fuel().step();
            Value item = items.next();
            Value itemKey = key.apply(item);
            if (sign * Python.compare(itemKey, bestKey, sign > 0 ? ">" : "<", in.fuel()) > 0) {
                best = item;
                bestKey = itemKey;
            }
        }
        return best;
    }

    private static Value groupby(Interpreter in, Value value, @Nullable Value[] a) {
        Function<Value, Value> key = key(in, a[0], a[2], a[1]);
        Function<Value, Value> shown = getter(in, a[0], a[1]);
        List<Value> groups = new ArrayList<>();
        List<Value> members = new ArrayList<>();
        Value current = None.NONE;
        for (Value item : sorted(in, value, key, false).items()) {
            Value itemKey = key.apply(item);
            if (!members.isEmpty() && !Python.equal(itemKey, current, in.fuel())) {
                groups.add(Seq.group(shown.apply(members.getFirst()), Seq.list(members)));
                members = new ArrayList<>();
            }
            current = itemKey;
            members.add(item);
        }
        if (!members.isEmpty()) {
            groups.add(Seq.group(shown.apply(members.getFirst()), Seq.list(members)));
        }
        return Seq.list(groups);
    }

    private static Value sum(Interpreter in, Value value, @Nullable Value[] a) {
        Function<Value, Value> getter = getter(in, a[0], null);
        Value sum = a[1] != null ? a[1] : Int.of(0);
        if (sum instanceof Text) {
            throw new Failure("sum() can't sum strings [use ''.join(seq) instead]");
        }
        Iterator<Value> items = Python.iterate(value);
        while (items.hasNext()) {
            in.fuel().step();
            sum = Python.binary("+", sum, getter.apply(items.next()), in.fuel());
        }
        return sum;
    }

    private static Value join(Interpreter in, Value value, @Nullable Value[] a) {
        Text separator = a[0] == null ? Text.EMPTY : Python.str(a[0], in.fuel());
        Function<Value, Value> getter = getter(in, a[1], null);
        List<Value> texts = new ArrayList<>();
        Iterator<Value> items = Python.iterate(value);
        while (items.hasNext()) {
            in.fuel().element(texts.size());
            texts.add(Python.str(getter.apply(items.next()), in.fuel()));
        }
        return TextMethods.join(separator, Seq.list(texts), in.fuel());
    }

    /** A generator that looks at its source only when it is read, and takes nothing from an empty one. */
    private static Value generator(Value value, Function<Iterator<Value>, Iterator<Value>> change) {
        return new Generator(
                new Iterator<>() {
                    private @Nullable Iterator<Value> started;

                    private Iterator<Value> values() {
                        Iterator<Value> values = started;
                        if (values == null) {
                            values = change.apply(
                                    Python.truth(value) ? Python.iterate(value) : Collections.emptyIterator());
                            started = values;
                        }
                        return values;
                    }

                    @Override
                    public boolean hasNext() {
                        return values().hasNext();
                    }

                    @Override
                    public Value next() {
                        return values().next();
                    }
                },
                "generator",
                value);
    }

    private static Iterator<Value> filtered(Iterator<Value> items, Predicate<Value> test, Fuel fuel) {
        return new Iterator<>() {
            private @Nullable Value next;

            @Override
            public boolean hasNext() {
                while (next == null && items.hasNext()) {
                    fuel.step();
                    Value item = items.next();
                    next = test.test(item) ? item : null;
                }
                return next != null;
            }

            @Override
            public Value next() {
                Value found = hasNext() ? next : null;
                if (found == null) {
                    throw new java.util.NoSuchElementException();
                }
                next = null;
                return found;
            }
        };
    }

    private static Value map(Interpreter in, Value value, Arguments arguments) {
        Function<Value, Value> change;
        if (arguments.positional().isEmpty() && arguments.named().containsKey("attribute")) {
            @Nullable Value[] a = arguments.bind("map", 0, "attribute", "default");
            change = getter(in, a[0], a[1]);
        } else {
            String name = name(arguments.positional(), 0, "map requires a filter argument");
            Arguments rest = new Arguments(
                    arguments.positional().subList(1, arguments.positional().size()), arguments.named());
            change = item -> in.filter(name, item, rest);
        }
        return generator(value, items -> new Iterator<>() {
            @Override
            public boolean hasNext() {
                return items.hasNext();
            }

            @Override
            public Value next() {
                in.fuel().step();
                return change.apply(items.next());
            }
        });
    }

    private static String name(List<Value> positional, int at, String otherwise) {
        if (positional.size() <= at) {
            throw new Failure(otherwise);
        }
        if (!(positional.get(at) instanceof Text name)) {
            throw new Failure("the name of a filter or test is not a string");
        }
        return name.chars();
    }

    private static Value select(Interpreter in, Value value, Arguments arguments, boolean wanted, boolean byAttribute) {
        List<Value> positional = arguments.positional();
        if (byAttribute && positional.isEmpty()) {
            throw new Failure("Missing parameter for attribute name");
        }
        int off = byAttribute ? 1 : 0;
        Function<Value, Value> getter = byAttribute ? getter(in, positional.getFirst(), null) : Function.identity();
        Predicate<Value> test;
        if (positional.size() > off) {
            String name = name(positional, off, "");
            Arguments rest = new Arguments(positional.subList(off + 1, positional.size()), arguments.named());
            test = item -> in.test(name, getter.apply(item), rest);
        } else {
            test = item -> Python.truth(getter.apply(item));
        }
        return generator(value, items -> filtered(items, item -> test.test(item) == wanted, in.fuel()));
    }

    // Text

    private static Value replace(Interpreter in, Value value, @Nullable Value[] a) {
        Fuel fuel = in.fuel();
        return TextMethods.replace(
                Python.str(value, fuel),
                Python.str(orNone(a[0]), fuel),
                Python.str(orNone(a[1]), fuel),
                absent(a[2]) ? -1 : integer(a[2], -1),
                fuel);
    }

    private static Value format(Interpreter in, Value value, Arguments arguments) {
        if (!arguments.positional().isEmpty() && !arguments.named().isEmpty()) {
            throw new Failure("can't handle positional and keyword arguments at the same time");
        }
        Value values = arguments.named().isEmpty() ? Seq.tuple(arguments.positional()) : Value.map(arguments.named());
        return Formatting.percent(soft(in, value), values, in.fuel());
    }

    private static Value indent(Interpreter in, Value value, @Nullable Value[] a) {
        Fuel fuel = in.fuel();
        Value width = a[0] == null ? Int.of(4) : a[0];
        if (!(Python.requireDefined(value) instanceof Text s)) {
            throw new Failure("unsupported operand type(s) for +=: '" + Python.typeName(value) + "' and 'str'");
        }
        Text blanks = width instanceof Text text ? text : Text.trusted(repeat(" ", TextMethods.integer(width), fuel));
        List<Value> lines = TextMethods.lines(s.plus(Text.trusted("\n")), false, fuel);
        boolean blank = truth(a[2]);
        Text result = truth(a[1]) ? blanks : Text.EMPTY;
        Text newLine = Text.trusted("\n");
        for (int i = 0; i < lines.size(); i++) {
            Text line = (Text) lines.get(i);
            if (i > 0) {
                result = Python.add(result, newLine, fuel);
                if (blank || !line.isEmpty()) {
                    result = Python.add(result, blanks, fuel);
                }
            }
            result = Python.add(result, line.withMarkup(false), fuel);
        }
        fuel.text(result.length());
        return result.withMarkup(s.markup());
    }

    private static String repeat(String text, int times, Fuel fuel) {
        fuel.text((long) text.length() * Math.max(0, times));
        return text.repeat(Math.max(0, times));
    }

    private static Value truncate(Interpreter in, Value value, @Nullable Value[] a) {
        Fuel fuel = in.fuel();
        int length = integer(a[0], 255);
        Text end = a[2] == null ? Text.trusted("...") : Python.str(a[2], fuel);
        int leeway = absent(a[3]) ? 5 : integer(a[3], 5);
        if (length < end.codePoints()) {
            throw new Failure("expected length >= " + end.codePoints() + ", got " + length);
        }
        if (leeway < 0) {
            throw new Failure("expected leeway >= 0, got " + leeway);
        }
        if (Python.length(value) <= (long) length + leeway) {
            return value;
        }
        if (!(value instanceof Text s)) {
            throw new Failure("'" + Python.typeName(value) + "' object has no attribute 'rsplit'");
        }
        Text kept = s.slice(0, s.offset(length - end.codePoints()));
        if (!truth(a[1])) {
            int blank = kept.chars().lastIndexOf(' ');
            kept = blank < 0 ? kept : kept.slice(0, blank);
        }
        return Python.add(kept, end, fuel);
    }

    private static Value wordwrap(Interpreter in, Value value, @Nullable Value[] a) {
        Fuel fuel = in.fuel();
        if (!(Python.requireDefined(value) instanceof Text s)) {
            throw new Failure("'" + Python.typeName(value) + "' object has no attribute 'splitlines'");
        }
        Text separator = absent(a[2]) ? Text.trusted("\n") : Python.str(orNone(a[2]), fuel);
        boolean breakWords = a[1] == null || Python.truth(a[1]);
        boolean breakHyphens = a[3] == null || Python.truth(a[3]);
        List<Value> lines = new ArrayList<>();
        for (Value line : TextMethods.lines(s, false, fuel)) {
            List<Value> wrapped = new TextWrap(integer(a[0], 79), breakWords, breakHyphens, fuel).wrap((Text) line);
            lines.add(TextMethods.join(separator, Seq.list(wrapped), fuel));
        }
        return TextMethods.join(separator, Seq.list(lines), fuel);
    }

    private static int wordCount(String text) {
        int count = 0;
        boolean inWord = false;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            boolean word = c == '_'
                    || Character.isLetterOrDigit(c)
                    || Character.getType(c) == Character.OTHER_NUMBER
                    || Character.getType(c) == Character.LETTER_NUMBER;
            count += word && !inWord ? 1 : 0;
            inWord = word;
            i += Character.charCount(c);
        }
        return count;
    }

    /** The filter title: a word begins behind white space, a hyphen or an opening bracket. */
    private static String title(String text) {
        StringBuilder result = new StringBuilder(text.length());
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            if (PythonText.isSpace(c) || "-({[<".indexOf(c) >= 0) {
                result.append(capitalised(word)).appendCodePoint(c);
                word.setLength(0);
            } else {
                word.appendCodePoint(c);
            }
            i += Character.charCount(c);
        }
        return result.append(capitalised(word)).toString();
    }

    private static String capitalised(StringBuilder word) {
        if (word.isEmpty()) {
            return "";
        }
        int first = Character.charCount(word.codePointAt(0));
        return word.substring(0, first).toUpperCase(java.util.Locale.ROOT)
                + word.substring(first).toLowerCase(java.util.Locale.ROOT);
    }

    private static Value stripTags(Text s, Fuel fuel) {
        String text = s.chars();
        StringBuilder plain = new StringBuilder(text.length());
        int at = 0;
        while (at < text.length()) {
            int comment = text.indexOf("<!--", at);
            int end = comment < 0 ? -1 : text.indexOf("-->", comment);
            if (end < 0) {
                break;
            }
            plain.append(text, at, comment);
            at = end + 3;
        }
        String rest = plain.append(text, at, text.length()).toString();
        plain.setLength(0);
        at = 0;
        while (at < rest.length()) {
            int open = rest.indexOf('<', at);
            int close = open < 0 ? -1 : rest.indexOf('>', open);
            if (close < 0) {
                break;
            }
            plain.append(rest, at, open);
            at = close + 1;
        }
        plain.append(rest, at, rest.length());
        StringBuilder result = new StringBuilder();
        for (Value word : TextMethods.words(s.derived(plain.toString()), fuel)) {
            result.append(result.isEmpty() ? "" : " ").append(((Text) word).chars());
        }
        return s.derived(unescape(result.toString())).withMarkup(false);
    }

    /** Replaces the entities that {@link Python#escape} writes, and numeric ones. */
    private static String unescape(String text) {
        StringBuilder result = new StringBuilder(text.length());
        int done = 0;
        for (int at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1)) {
            int end = text.indexOf(';', at);
            if (end < 0) {
                break;
            }
            String entity = end - at > 12 ? "" : text.substring(at + 1, end);
            int code = switch (entity) {
                case "amp" -> '&';
                case "lt" -> '<';
                case "gt" -> '>';
                case "quot" -> '"';
                case "apos" -> '\'';
                case "nbsp" -> 0xa0;
                default -> numericEntity(entity);
            };
            if (code >= 0) {
                result.append(text, done, at).appendCodePoint(code);
                done = end + 1;
            }
        }
        return result.append(text, done, text.length()).toString();
    }

    private static int numericEntity(String entity) {
        if (!entity.startsWith("#") || entity.length() < 2) {
            return -1;
        }
        boolean hexadecimal = Character.toLowerCase(entity.charAt(1)) == 'x';
        int code = 0;
        for (int i = hexadecimal ? 2 : 1; i < entity.length(); i++) {
            int digit = Character.digit(entity.charAt(i), hexadecimal ? 16 : 10);
            code = digit < 0 || code > Character.MAX_CODE_POINT
                    ? Integer.MAX_VALUE
                    : code * (hexadecimal ? 16 : 10) + digit;
        }
        return Character.isValidCodePoint(code) ? code : -1;
    }

    private static Value urlEncode(Interpreter in, Value value) {
        Fuel fuel = in.fuel();
        if (value instanceof Text || !Python.isIterable(value)) {
            Text text = Python.str(value, fuel);
            return text.derived(quote(text.chars(), false)).withMarkup(false);
        }
        Value pairs = value instanceof Dict dict ? new DictView(dict, DictView.Kind.ITEMS) : value;
        Text result = Text.EMPTY;
        for (Value pair : Python.items(pairs, fuel)) {
            List<Value> parts = Python.items(pair, fuel);
            if (parts.size() != 2) {
                throw new Failure("not enough values to unpack (expected 2, got " + parts.size() + ")");
            }
            Text key = Python.str(parts.get(0), fuel);
            Text each = Python.str(parts.get(1), fuel);
            fuel.work((long) key.length() + each.length());
            result = Python.add(result, Text.trusted(result.isEmpty() ? "" : "&"), fuel)
                    .plus(key.derived(quote(key.chars(), true)).withMarkup(false))
                    .plus(Text.trusted("="))
                    .plus(each.derived(quote(each.chars(), true)).withMarkup(false));
        }
        return result;
    }

    private static String quote(String text, boolean query) {
        StringBuilder result = new StringBuilder(text.length());
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            boolean plain = (b >= '0' && b <= '9')
                    || (b >= 'A' && b <= 'Z')
                    || (b >= 'a' && b <= 'z')
                    || "_.-~".indexOf(b) >= 0
                    || (b == '/' && !query);
            if (plain) {
                result.append((char) b);
            } else if (b == ' ' && query) {
                result.append('+');
            } else {
                result.append('%')
                        .append(Character.toUpperCase(Character.forDigit(b >> 4 & 15, 16)))
                        .append(Character.toUpperCase(Character.forDigit(b & 15, 16)));
            }
        }
        return result.toString();
    }

    /** What pprint writes in one line, keys in order. */
    private static Value prettyPrinted(Value value, Fuel fuel) {
        Text text = Python.repr(inOrder(value, fuel), fuel);
        if (text.length() > 80) {
            throw new Failure("pprint writes values of up to 80 characters");
        }
        return text;
    }

    private static Value inOrder(Value value, Fuel fuel) {
        if (value instanceof Seq seq) {
            List<Value> items = new ArrayList<>();
            seq.items().forEach(item -> items.add(inOrder(item, fuel)));
            return seq.with(items);
        }
        if (value instanceof Dict dict) {
            List<Map.Entry<Value, Value>> entries =
                    new ArrayList<>(dict.entries().entrySet());
            sort(entries, (a, b) -> Python.compare(a.getKey(), b.getKey(), "<", fuel), fuel);
            LinkedHashMap<Value, Value> map = new LinkedHashMap<>();
            entries.forEach(entry -> map.put(entry.getKey(), inOrder(entry.getValue(), fuel)));
            return new Dict(map);
        }
        return value;
    }

    /** json.dumps as Hugging Face offers it. */
    private static Value toJson(Interpreter in, Value value, @Nullable Value[] a) {
        Fuel fuel = in.fuel();
        Value width = orNone(a[1]);
        Text indent = switch (width) {
            case None none -> null;
            case Text text -> text;
            default -> Text.trusted(repeat(" ", TextMethods.integer(width), fuel));
        };
        Text item = Text.trusted(indent == null ? ", " : ",");
        Text key = Text.trusted(": ");
        if (!absent(a[2])) {
            List<Value> separators = Python.items(orNone(a[2]), fuel);
            if (separators.size() != 2
                    || !(separators.get(0) instanceof Text first)
                    || !(separators.get(1) instanceof Text second)) {
                throw new Failure("tojson's separators are not a pair of strings");
            }
            item = first;
            key = second;
        }
        return Json.write(value, truth(a[0]), indent, item, key, truth(a[3]), fuel);
    }
}
