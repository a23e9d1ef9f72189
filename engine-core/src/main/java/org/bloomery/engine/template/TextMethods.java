package org.bloomery.engine.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** The methods of Python's str. Each keeps the origin of the characters. */
final class TextMethods {

    /** A method's work, its arguments bound to its parameters. */
    @FunctionalInterface
    private interface Body {
        Value call(Fuel fuel, Text self, @Nullable Value[] arguments);
    }

    private record Method(boolean named, int required, String[] parameters, Body body) {}

    private static final Map<String, Method> METHODS = Map.ofEntries(
            Map.entry("strip", method(0, (fuel, s, a) -> strip(s, a[0], true, true), "chars")),
            Map.entry("lstrip", method(0, (fuel, s, a) -> strip(s, a[0], true, false), "chars")),
            Map.entry("rstrip", method(0, (fuel, s, a) -> strip(s, a[0], false, true), "chars")),
            Map.entry("split", named(0, (fuel, s, a) -> split(s, a[0], a[1], false, fuel), "sep", "maxsplit")),
            Map.entry("rsplit", named(0, (fuel, s, a) -> split(s, a[0], a[1], true, fuel), "sep", "maxsplit")),
            Map.entry("splitlines", named(0, (fuel, s, a) -> Seq.list(lines(s, truth(a[0]), fuel)), "keepends")),
            Map.entry("partition", method(1, (fuel, s, a) -> partition(s, text(a[0]), false), "sep")),
            Map.entry("rpartition", method(1, (fuel, s, a) -> partition(s, text(a[0]), true), "sep")),
            Map.entry("join", method(1, (fuel, s, a) -> join(s, value(a[0]), fuel), "iterable")),
            Map.entry("replace", method(2, TextMethods::replace, "old", "new", "count")),
            Map.entry("startswith", method(1, (fuel, s, a) -> affix(s, a, true), "prefix", "start", "end")),
            Map.entry("endswith", method(1, (fuel, s, a) -> affix(s, a, false), "suffix", "start", "end")),
            Map.entry(
                    "removeprefix",
                    method(
                            1,
                            (fuel, s, a) -> {
                                String prefix = text(a[0]).chars();
                                return s.chars().startsWith(prefix) ? s.slice(prefix.length(), s.length()) : s;
                            },
                            "prefix")),
            Map.entry(
                    "removesuffix",
                    method(
                            1,
                            (fuel, s, a) -> {
                                String suffix = text(a[0]).chars();
                                return s.chars().endsWith(suffix) ? s.slice(0, s.length() - suffix.length()) : s;
                            },
                            "suffix")),
            Map.entry("find", method(1, (fuel, s, a) -> Int.of(find(s, a, false)), "sub", "start", "end")),
            Map.entry("rfind", method(1, (fuel, s, a) -> Int.of(find(s, a, true)), "sub", "start", "end")),
            Map.entry("index", method(1, (fuel, s, a) -> Int.of(found(find(s, a, false))), "sub", "start", "end")),
            Map.entry("rindex", method(1, (fuel, s, a) -> Int.of(found(find(s, a, true))), "sub", "start", "end")),
            Map.entry("count", method(1, (fuel, s, a) -> count(s, a), "sub", "start", "end")),
            Map.entry("upper", method(0, (fuel, s, a) -> upper(s, fuel))),
            Map.entry("lower", method(0, (fuel, s, a) -> lower(s, fuel))),
            Map.entry("title", method(0, (fuel, s, a) -> s.mapped(TextMethods::title))),
            Map.entry("capitalize", method(0, (fuel, s, a) -> capitalize(s))),
            Map.entry("swapcase", method(0, (fuel, s, a) -> s.mapped(TextMethods::swapCase))),
            Map.entry(
                    "casefold",
                    method(
                            0,
                            (fuel, s, a) -> s.mapped(
                                    text -> text.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT)))),
            Map.entry("center", method(1, (fuel, s, a) -> pad(s, a, '^', fuel), "width", "fillchar")),
            Map.entry("ljust", method(1, (fuel, s, a) -> pad(s, a, '<', fuel), "width", "fillchar")),
            Map.entry("rjust", method(1, (fuel, s, a) -> pad(s, a, '>', fuel), "width", "fillchar")),
            Map.entry("zfill", method(1, TextMethods::zfill, "width")),
            Map.entry("expandtabs", named(0, TextMethods::expandTabs, "tabsize")),
            Map.entry("isalpha", all(Character::isLetter)),
            Map.entry("isalnum", all(c -> Character.isLetter(c) || isNumeric(c))),
            Map.entry("isdecimal", all(Character::isDigit)),
            Map.entry("isdigit", all(TextMethods::isDigit)),
            Map.entry("isnumeric", all(TextMethods::isNumeric)),
            Map.entry("isspace", all(PythonText::isSpace)),
            Map.entry(
                    "isascii",
                    method(0, (fuel, s, a) -> Bool.of(s.chars().chars().allMatch(c -> c < 128)))),
            Map.entry(
                    "isprintable",
                    method(0, (fuel, s, a) -> Bool.of(s.chars().codePoints().allMatch(PythonText::isPrintable)))),
            Map.entry("islower", method(0, (fuel, s, a) -> Bool.of(isLower(s)))),
            Map.entry("isupper", method(0, (fuel, s, a) -> Bool.of(isUpper(s)))),
            Map.entry("istitle", method(0, (fuel, s, a) -> Bool.of(isTitle(s)))),
            Map.entry("isidentifier", method(0, (fuel, s, a) -> Bool.of(isIdentifier(s.chars())))),
            Map.entry(
                    "encode",
                    method(
                            0,
                            (fuel, s, a) -> {
                                throw new Failure("bytes are not supported in chat templates");
                            },
                            "encoding",
                            "errors")));

    private TextMethods() {}

    private static Method method(int required, Body body, String... parameters) {
        return new Method(false, required, parameters, body);
    }

    private static Method named(int required, Body body, String... parameters) {
        return new Method(true, required, parameters, body);
    }

    private static Method all(IntPredicate predicate) {
        return method(
                0,
                (fuel, s, a) -> Bool.of(!s.isEmpty() && s.chars().codePoints().allMatch(predicate)));
    }

    /** The method of a text, or null where str has none of that name. */
    static @Nullable Value bound(Text self, String name) {
        if (name.equals("format") || name.equals("format_map")) {
            return Callable.function(name, (in, arguments) -> {
                in.fuel().work(self.length());
                return name.equals("format")
                        ? Formatting.format(self, arguments, in)
                        : Formatting.format(self, mapping(arguments), in);
            });
        }
        Method method = METHODS.get(name);
        if (method == null) {
            return null;
        }
        return Callable.function(name, (in, arguments) -> {
            if (!method.named) {
                arguments.refuseNamed(name);
            }
            in.fuel().work(self.length());
            return method.body.call(in.fuel(), self, arguments.bind(name, method.required, method.parameters));
        });
    }

    private static Arguments mapping(Arguments arguments) {
        if (!(arguments.bind("format_map", 1, "mapping")[0] instanceof Dict dict)) {
            throw new Failure("format_map() takes a mapping");
        }
        Map<String, Value> named = new java.util.LinkedHashMap<>();
        dict.entries().forEach((key, value) -> {
            if (key instanceof Text name) {
                named.put(name.chars(), value);
            }
        });
        return new Arguments(List.of(), named);
    }

    // Arguments

    private static Value value(@Nullable Value value) {
        return value == null ? None.NONE : Python.requireDefined(value);
    }

    private static boolean truth(@Nullable Value value) {
        return value != null && Python.truth(value);
    }

    private static Text text(@Nullable Value value) {
        if (!(value(value) instanceof Text text)) {
            throw new Failure("must be str, not " + Python.typeName(value(value)));
        }
        return text;
    }

    static int integer(@Nullable Value value) {
        BigInteger number = Numbers.integer(value(value));
        if (number == null) {
            throw new Failure("'" + Python.typeName(value(value)) + "' object cannot be interpreted as an integer");
        }
        if (number.bitLength() > 31) {
            return number.signum() < 0 ? Integer.MIN_VALUE : Integer.MAX_VALUE;
        }
        return number.intValue();
    }

    // Cutting

    static Text strip(Text s, @Nullable Value chars, boolean left, boolean right) {
        IntPredicate drops = PythonText::isSpace;
        if (chars != null && chars != None.NONE) {
            if (!(Python.requireDefined(chars) instanceof Text wanted)) {
                throw new Failure("strip arg must be None or str");
            }
            BitSet set = new BitSet();
            wanted.chars().codePoints().forEach(set::set);
            drops = set::get;
        }
        String text = s.chars();
        int from = 0;
        int to = text.length();
        while (left && from < to && drops.test(text.codePointAt(from))) {
            from += Character.charCount(text.codePointAt(from));
        }
        while (right && to > from && drops.test(text.codePointBefore(to))) {
            to -= Character.charCount(text.codePointBefore(to));
        }
        return s.slice(from, to);
    }

    private static Value split(
            Text s, @Nullable Value separator, @Nullable Value maximum, boolean fromRight, Fuel fuel) {
        int max = maximum == null ? -1 : integer(maximum);
        List<Value> parts = new ArrayList<>();
        if (separator == null || separator == None.NONE) {
            splitSpace(s, max, fromRight, parts, fuel);
        } else {
            String wanted = text(separator).chars();
            if (wanted.isEmpty()) {
                throw new Failure("empty separator");
            }
            String text = s.chars();
            int from = 0;
            int to = text.length();
            while (max < 0 || parts.size() < max) {
                int at = fromRight ? PythonText.findLast(text, wanted, from, to) : PythonText.find(text, wanted, from);
                if (at < 0) {
                    break;
                }
                fuel.element(parts.size());
                if (fromRight) {
                    parts.add(s.slice(at + wanted.length(), to));
                    to = at;
                } else {
                    parts.add(s.slice(from, at));
                    from = at + wanted.length();
                }
                if (wanted.length() > 16) {
                    fuel.work(fromRight ? to : wanted.length());
                }
            }
            parts.add(s.slice(from, to));
        }
        if (fromRight) {
            Collections.reverse(parts);
        }
        return Seq.list(parts);
    }

    private static void splitSpace(Text s, int max, boolean fromRight, List<Value> parts, Fuel fuel) {
        String text = s.chars();
        int from = 0;
        int to = text.length();
        while (true) {
            // White space is in the basic plane, so chars do
            while (from < to && PythonText.isSpace(text.charAt(fromRight ? to - 1 : from))) {
                if (fromRight) {
                    to--;
                } else {
                    from++;
                }
            }
            if (from >= to) {
                return;
            }
            fuel.element(parts.size());
            if (max >= 0 && parts.size() >= max) {
                parts.add(s.slice(from, to));
                return;
            }
            int at = fromRight ? to : from;
            if (fromRight) {
                while (at > from && !PythonText.isSpace(text.charAt(at - 1))) {
                    at--;
                }
                parts.add(s.slice(at, to));
                to = at;
            } else {
                while (at < to && !PythonText.isSpace(text.charAt(at))) {
                    at++;
                }
                parts.add(s.slice(from, at));
                from = at;
            }
        }
    }

    /** The parts between white space. */
    static List<Value> words(Text s, Fuel fuel) {
        List<Value> parts = new ArrayList<>();
        splitSpace(s, -1, false, parts, fuel);
        return parts;
    }

    static List<Value> lines(Text s, boolean keepEnds, Fuel fuel) {
        String text = s.chars();
        List<Value> lines = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            if (PythonText.isLineEnd(text.charAt(i))) {
                int end = i;
                if (text.charAt(i) == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n') {
                    i++;
                }
                fuel.element(lines.size());
                lines.add(s.slice(from, keepEnds ? i + 1 : end));
                from = i + 1;
            }
        }
        if (from < text.length()) {
            lines.add(s.slice(from, text.length()));
        }
        return lines;
    }

    private static Value partition(Text s, Text separator, boolean fromRight) {
        String wanted = separator.chars();
        if (wanted.isEmpty()) {
            throw new Failure("empty separator");
        }
        int at = fromRight
                ? PythonText.findLast(s.chars(), wanted, 0, s.length())
                : PythonText.find(s.chars(), wanted, 0);
        if (at < 0) {
            return Seq.tuple(fromRight ? List.of(Text.EMPTY, Text.EMPTY, s) : List.of(s, Text.EMPTY, Text.EMPTY));
        }
        return Seq.tuple(List.of(s.slice(0, at), separator, s.slice(at + wanted.length(), s.length())));
    }

    // Searching

    private static int find(Text s, @Nullable Value[] a, boolean last) {
        String wanted = text(a[0]).chars();
        int size = s.codePoints();
        int start = Methods.position(a[1], 0, size);
        int end = Methods.position(a[2], size, size);
        if (start > end || startsBehind(a[1], size)) {
            return -1;
        }
        int from = s.offset(start);
        int to = s.offset(end);
        int at = last
                ? PythonText.findLast(s.chars(), wanted, from, to)
                : PythonText.find(to == s.length() ? s.chars() : s.chars().substring(0, to), wanted, from);
        return at < 0 ? -1 : s.index(at);
    }

    /** Whether a start index lies behind the end, where not even an empty text is found. */
    private static boolean startsBehind(@Nullable Value start, int size) {
        return start != null && start != None.NONE && integer(start) > size;
    }

    private static int found(int at) {
        if (at < 0) {
            throw new Failure("substring not found");
        }
        return at;
    }

    private static Value count(Text s, @Nullable Value[] a) {
        String wanted = text(a[0]).chars();
        int size = s.codePoints();
        int start = Methods.position(a[1], 0, size);
        int end = Methods.position(a[2], size, size);
        if (start > end || startsBehind(a[1], size)) {
            return Int.of(0);
        }
        if (wanted.isEmpty()) {
            return Int.of(end - start + 1L);
        }
        String text = s.chars().substring(s.offset(start), s.offset(end));
        int count = 0;
        for (int at = PythonText.find(text, wanted, 0);
                at >= 0;
                at = PythonText.find(text, wanted, at + wanted.length())) {
            count++;
        }
        return Int.of(count);
    }

    private static Value affix(Text s, @Nullable Value[] a, boolean prefix) {
        int size = a[1] == null && a[2] == null ? -1 : s.codePoints();
        int from = size < 0 ? 0 : s.offset(Methods.position(a[1], 0, size));
        int to = size < 0 ? s.length() : s.offset(Methods.position(a[2], size, size));
        Value wanted = value(a[0]);
        List<Value> choices = wanted instanceof Seq seq && !seq.isList() ? seq.items() : List.of(wanted);
        for (Value choice : choices) {
            if (!(choice instanceof Text each)) {
                throw new Failure((prefix ? "startswith" : "endswith")
                        + " first arg must be str or a tuple of str, not " + Python.typeName(choice));
            }
            int length = each.length();
            if (from <= to
                    && length <= to - from
                    && !(size >= 0 && startsBehind(a[1], size))
                    && s.chars().startsWith(each.chars(), prefix ? from : to - length)) {
                return Bool.TRUE;
            }
        }
        return Bool.FALSE;
    }

    // Building

    static Text join(Text separator, Value parts, Fuel fuel) {
        Text result = Text.EMPTY.withMarkup(separator.markup());
        boolean first = true;
        for (Value part : Python.items(parts, fuel)) {
            if (!(part instanceof Text text)) {
                throw new Failure("sequence item: expected str instance, " + Python.typeName(part) + " found");
            }
            fuel.work(1);
            result = first
                    ? Python.add(result, text, fuel)
                    : Python.add(Python.add(result, separator, fuel), text, fuel);
            first = false;
        }
        fuel.text(result.length());
        return separator.markup() ? result : result.withMarkup(false);
    }

    private static Value replace(Fuel fuel, Text s, @Nullable Value[] a) {
        Text replacement = text(a[1]);
        return replace(
                s,
                text(a[0]),
                s.markup() ? Python.escape(replacement, fuel) : replacement,
                a[2] == null ? -1 : integer(a[2]),
                fuel);
    }

    static Text replace(Text s, Text old, Text replacement, int count, Fuel fuel) {
        String text = s.chars();
        String wanted = old.chars();
        Text.Builder builder = new Text.Builder(text.length());
        int done = 0;
        int at = 0;
        for (int times = 0; count < 0 || times < count; times++) {
            if (wanted.isEmpty()) {
                if (times > 0) {
                    if (at >= text.length()) {
                        break;
                    }
                    at += Character.charCount(text.codePointAt(at));
                }
            } else {
                at = PythonText.find(text, wanted, done);
                if (at < 0) {
                    break;
                }
            }
            fuel.work(1L + replacement.length());
            fuel.checkText((long) builder.length() + (at - done) + replacement.length());
            builder.append(s, done, at).append(replacement);
            done = at + wanted.length();
        }
        if (done == 0 && builder.length() == 0) {
            return s;
        }
        fuel.checkText((long) builder.length() + text.length() - done);
        return builder.append(s, done, text.length()).build().withMarkup(s.markup());
    }

    private static Value pad(Text s, @Nullable Value[] a, char side, Fuel fuel) {
        Text fill = a[1] == null ? Text.trusted(" ") : text(a[1]);
        if (fill.codePoints() != 1) {
            throw new Failure("The fill character must be exactly one character long");
        }
        return pad(s, integer(a[0]), fill, side, fuel);
    }

    /** Pads to a width: '&lt;' on the right, '&gt;' on the left, '^' on both sides. */
    static Text pad(Text s, int width, Text fill, char side, Fuel fuel) {
        int missing = width - s.codePoints();
        if (missing <= 0) {
            return s;
        }
        fuel.text((long) width * fill.length());
        // str.center puts the odd blank left where the width is odd
        int left = side == '<' ? 0 : side == '>' ? missing : missing / 2 + (missing & width & 1);
        return new Text.Builder()
                .append(fill.derived(fill.chars().repeat(left)))
                .append(s)
                .append(fill.derived(fill.chars().repeat(missing - left)))
                .build()
                .withMarkup(s.markup());
    }

    private static Value zfill(Fuel fuel, Text s, @Nullable Value[] a) {
        boolean signed = s.chars().startsWith("-") || s.chars().startsWith("+");
        int missing = integer(a[0]) - s.codePoints();
        if (missing <= 0) {
            return s;
        }
        fuel.text((long) s.length() + missing);
        return new Text.Builder()
                .append(s, 0, signed ? 1 : 0)
                .append("0".repeat(missing), true)
                .append(s, signed ? 1 : 0, s.length())
                .build()
                .withMarkup(s.markup());
    }

    private static Value expandTabs(Fuel fuel, Text s, @Nullable Value[] a) {
        int size = a[0] == null ? 8 : integer(a[0]);
        String text = s.chars();
        Text.Builder builder = new Text.Builder(text.length());
        int column = 0;
        int done = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\t') {
                int blanks = size > 0 ? size - column % size : 0;
                fuel.text(blanks);
                fuel.checkText((long) builder.length() + (i - done) + blanks);
                builder.append(s, done, i).append(" ".repeat(blanks), true);
                column += blanks;
                done = i + 1;
            } else if (c == '\n' || c == '\r') {
                column = 0;
            } else if (!Character.isLowSurrogate(c)) {
                column++;
            }
        }
        return builder.append(s, done, text.length()).build().withMarkup(s.markup());
    }

    // Case

    static Text upper(Text s, Fuel fuel) {
        fuel.text(s.length());
        return s.mapped(text -> text.toUpperCase(Locale.ROOT));
    }

    static Text lower(Text s, Fuel fuel) {
        fuel.text(s.length());
        return s.mapped(text -> text.toLowerCase(Locale.ROOT));
    }

    static Text capitalize(Text s) {
        if (s.isEmpty()) {
            return s;
        }
        int first = Character.charCount(s.chars().codePointAt(0));
        return s.slice(0, first)
                .mapped(TextMethods::title)
                .plus(s.slice(first, s.length()).mapped(text -> text.toLowerCase(Locale.ROOT)));
    }

    private static String title(String text) {
        StringBuilder result = new StringBuilder(text.length());
        boolean inWord = false;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            String each = Character.toString(c);
            if (inWord) {
                result.append(each.toLowerCase(Locale.ROOT));
            } else {
                int title = Character.toTitleCase(c);
                result.append(
                        title != c || each.toUpperCase(Locale.ROOT).length() == each.length()
                                ? Character.toString(title)
                                : titleOfSpecial(each));
            }
            inWord = PythonText.isCased(c);
            i += Character.charCount(c);
        }
        return result.toString();
    }

    /** A character whose upper case is several, such as ß: only the first stays upper. */
    private static String titleOfSpecial(String each) {
        String upper = each.toUpperCase(Locale.ROOT);
        int first = Character.charCount(upper.codePointAt(0));
        return upper.substring(0, first) + upper.substring(first).toLowerCase(Locale.ROOT);
    }

    private static String swapCase(String text) {
        StringBuilder result = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            String each = Character.toString(c);
            result.append(
                    Character.isUpperCase(c)
                            ? each.toLowerCase(Locale.ROOT)
                            : Character.isLowerCase(c) ? each.toUpperCase(Locale.ROOT) : each);
            i += Character.charCount(c);
        }
        return result.toString();
    }

    // Kinds

    static boolean isLower(Text s) {
        return s.chars().codePoints().anyMatch(Character::isLowerCase)
                && s.chars().codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
    }

    static boolean isUpper(Text s) {
        return s.chars().codePoints().anyMatch(Character::isUpperCase)
                && s.chars().codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
    }

    private static boolean isTitle(Text s) {
        boolean found = false;
        boolean inWord = false;
        for (int c : s.chars().codePoints().toArray()) {
            if (Character.isUpperCase(c) || Character.isTitleCase(c)) {
                if (inWord) {
                    return false;
                }
                inWord = true;
                found = true;
            } else if (Character.isLowerCase(c)) {
                if (!inWord) {
                    return false;
                }
            } else {
                inWord = false;
            }
        }
        return found;
    }

    /** Decimal digits, and superscripts and subscripts, which are digits to Python although not decimal. */
    private static boolean isDigit(int c) {
        return Character.isDigit(c)
                || c == 0xb2
                || c == 0xb3
                || c == 0xb9
                || c == 0x2070
                || (c >= 0x2074 && c <= 0x2079)
                || (c >= 0x2080 && c <= 0x2089)
                || (c >= 0x2460 && c <= 0x2468);
    }

    private static boolean isNumeric(int c) {
        int type = Character.getType(c);
        return type == Character.DECIMAL_DIGIT_NUMBER
                || type == Character.LETTER_NUMBER
                || type == Character.OTHER_NUMBER;
    }

    static boolean isIdentifier(String text) {
        if (text.isEmpty()) {
            return false;
        }
        int first = text.codePointAt(0);
        return (first == '_' || Character.isUnicodeIdentifierStart(first))
                && text.codePoints()
                        .allMatch(c -> c == '_'
                                || (Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c)));
    }
}
