package org.bloomery.engine.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Python's {@code format % values} and {@code format.format(…)}. */
final class Formatting {

    /** Most digits behind the point. */
    private static final int MAX_PRECISION = 1000;

    private Formatting() {}

    // The operator %

    static Text percent(Text format, Value values, Fuel fuel) {
        fuel.work(format.length());
        Percent percent = new Percent(format, values, fuel);
        Text result = percent.run();
        return result.withMarkup(format.markup());
    }

    /** One use of the operator %. */
    private static final class Percent {

        private final Text format;
        private final String source;
        private final Value values;
        private final Fuel fuel;
        private final Text.Builder out = new Text.Builder();
        private int next;
        private boolean byName;

        Percent(Text format, Value values, Fuel fuel) {
            this.format = format;
            this.source = format.chars();
            this.values = values;
            this.fuel = fuel;
        }

        Text run() {
            int done = 0;
            for (int at = source.indexOf('%'); at >= 0; at = source.indexOf('%', done)) {
                append(format.slice(done, at));
                done = conversion(at);
            }
            append(format.slice(done, source.length()));
            // What could be meant for keys may be left over
            boolean allUsed =
                    byName || values instanceof Dict || values instanceof Range || values instanceof Undefined;
            if (values instanceof Seq seq) {
                allUsed |= seq.isList() || next >= seq.size();
            } else {
                allUsed |= next >= 1;
            }
            if (!allUsed) {
                throw new Failure("not all arguments converted during string formatting");
            }
            return out.build();
        }

        private void append(Text text) {
            fuel.checkText((long) out.length() + text.length());
            fuel.work(1L + text.length());
            out.append(text);
        }

        private char at(int i) {
            if (i >= source.length()) {
                throw new Failure("incomplete format");
            }
            return source.charAt(i);
        }

        private Value argument() {
            if (values instanceof Seq seq && !seq.isList()) {
                if (next >= seq.size()) {
                    throw new Failure("not enough arguments for format string");
                }
                return seq.items().get(next++);
            }
            if (next++ > 0) {
                throw new Failure("not enough arguments for format string");
            }
            return values;
        }

        private int conversion(int start) {
            int i = start + 1;
            Value value = null;
            if (at(i) == '(') {
                int depth = 1;
                int from = ++i;
                while (depth > 0) {
                    char c = at(i++);
                    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
                }
                if (!(values instanceof Dict dict)) {
                    throw new Failure("format requires a mapping");
                }
                byName = true;
                value = dict.get(format.slice(from, i - 1));
                if (value == null) {
                    throw new Failure("a key of the format is missing");
                }
            }
            Spec spec = new Spec();
            for (; "-+ #0".indexOf(at(i)) >= 0; i++) {
                switch (at(i)) {
                    case '-' -> spec.align = '<';
                    case '+' -> spec.sign = '+';
                    case ' ' -> spec.sign = spec.sign == '+' ? '+' : ' ';
                    case '#' -> spec.alternate = true;
                    default -> spec.zero = true;
                }
            }
            if (at(i) == '*') {
                spec.width = TextMethods.integer(argument());
                if (spec.width < 0) {
                    spec.align = '<';
                    spec.width = -Math.max(spec.width, -Integer.MAX_VALUE);
                }
                i++;
            } else {
                for (; isDigit(at(i)); i++) {
                    spec.width = digit(spec.width, at(i));
                }
            }
            if (at(i) == '.') {
                i++;
                spec.precision = 0;
                if (at(i) == '*') {
                    spec.precision = Math.max(0, TextMethods.integer(argument()));
                    i++;
                } else {
                    for (; isDigit(at(i)); i++) {
                        spec.precision = digit(spec.precision, at(i));
                    }
                }
            }
            while ("hlL".indexOf(at(i)) >= 0) {
                i++;
            }
            char type = at(i);
            if (type == '%' && i == start + 1) {
                append(format.slice(i, i + 1));
                return i + 1;
            }
            append(converted(type, spec, value == null ? argument() : value));
            return i + 1;
        }

        private Text converted(char type, Spec spec, Value value) {
            spec.type = type;
            return switch (type) {
                case 's', 'r', 'a' -> {
                    Text text = type == 's' ? Python.softStr(value, fuel) : Python.repr(value, fuel);
                    if (type == 's' && format.markup()) {
                        text = Python.escape(text, fuel);
                    }
                    if (spec.precision >= 0 && spec.precision < text.codePoints()) {
                        text = text.slice(0, text.offset(spec.precision));
                    }
                    yield pad(text, spec.width, " ", spec.align == '<' ? '<' : '>', fuel);
                }
                case 'c' -> {
                    if (value instanceof Text text && text.codePoints() == 1) {
                        yield pad(text, spec.width, " ", spec.align == '<' ? '<' : '>', fuel);
                    }
                    BigInteger code = Numbers.integer(value);
                    if (code == null || code.signum() < 0 || code.compareTo(BigInteger.valueOf(0x10ffff)) > 0) {
                        throw new Failure("the conversion c requires int or char");
                    }
                    yield pad(
                            Text.trusted(Character.toString(code.intValue())),
                            spec.width,
                            " ",
                            spec.align == '<' ? '<' : '>',
                            fuel);
                }
                case 'd', 'i', 'u', 'x', 'X', 'o' -> {
                    Python.requireDefined(value);
                    BigInteger number = Numbers.integer(value);
                    boolean decimal = type == 'd' || type == 'i' || type == 'u';
                    if (number == null && decimal && value instanceof Real real) {
                        number = Numbers.truncate(real.value());
                    }
                    if (number == null) {
                        throw new Failure("%" + type + " format: " + (decimal ? "a real number" : "an integer")
                                + " is required, not " + Python.typeName(value));
                    }
                    yield number(integerDigits(number.abs(), spec), number.signum() < 0, spec, fuel);
                }
                case 'e', 'E', 'f', 'F', 'g', 'G' -> {
                    double number = Numbers.real(Python.requireDefined(value));
                    yield number(realDigits(number, spec), isNegative(number), spec, fuel);
                }
                default -> throw new Failure("unsupported format character");
            };
        }
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static int digit(int number, char digit) {
        return (int) Math.min(Math.max(number, 0) * 10L + digit - '0', Integer.MAX_VALUE / 8);
    }

    private static boolean isNegative(double number) {
        return number < 0 || (number == 0 && 1 / number < 0);
    }

    /** How one value is written; 0 and -1 where the format says nothing. */
    private static final class Spec {
        private String fill = " ";
        private char align;
        private char sign;
        private boolean alternate;
        private boolean zero;
        private int width;
        private char grouping;
        private int precision = -1;
        private char type;
    }

    private static Text pad(Text text, int width, String fill, char side, Fuel fuel) {
        return TextMethods.pad(text.withMarkup(false), width, Text.trusted(fill), side, fuel);
    }

    /** Digits of a number with its sign, filled to the width. */
    private static Text number(String digits, boolean negative, Spec spec, Fuel fuel) {
        String sign = negative ? "-" : spec.sign == '+' ? "+" : spec.sign == ' ' ? " " : "";
        String prefix = "";
        if (spec.alternate && "xXob".indexOf(spec.type) >= 0) {
            prefix = "0" + spec.type;
        }
        String body = digits;
        if (spec.align == '=' || (spec.zero && spec.align != '<' && spec.align != '>' && spec.align != '^')) {
            int missing = spec.width - sign.length() - prefix.length() - body.length();
            if (missing > 0) {
                fuel.text(spec.width);
                String fill = spec.zero && spec.align != '=' ? "0" : spec.fill;
                body = spec.grouping != 0 && fill.equals("0")
                        ? groupedZeros(body, spec.width - sign.length() - prefix.length(), spec.grouping)
                        : fill.repeat(missing) + body;
            }
        }
        return pad(
                Text.trusted(sign + prefix + body),
                spec.width,
                spec.fill,
                spec.align == 0 || spec.align == '=' ? '>' : spec.align,
                fuel);
    }

    private static String groupedZeros(String body, int width, char grouping) {
        int point = body.indexOf('.');
        String whole = (point < 0 ? body : body.substring(0, point)).replace(String.valueOf(grouping), "");
        String fraction = point < 0 ? "" : body.substring(point);
        int digits = whole.length();
        while (digits + (digits - 1) / 3 + fraction.length() < width) {
            digits++;
        }
        return grouped("0".repeat(digits - whole.length()) + whole, 3, grouping) + fraction;
    }

    private static String grouped(String digits, int size, char separator) {
        StringBuilder result = new StringBuilder();
        for (int i = 0; i < digits.length(); i++) {
            if (i > 0 && (digits.length() - i) % size == 0) {
                result.append(separator);
            }
            result.append(digits.charAt(i));
        }
        return result.toString();
    }

    private static String integerDigits(BigInteger number, Spec spec) {
        String digits = switch (spec.type) {
            case 'x' -> number.toString(16);
            case 'X' -> number.toString(16).toUpperCase(Locale.ROOT);
            case 'o' -> number.toString(8);
            case 'b' -> number.toString(2);
            default -> number.toString();
        };
        if (digits.length() < spec.precision) {
            digits = "0".repeat(Math.min(spec.precision, MAX_PRECISION) - digits.length()) + digits;
        }
        if (spec.grouping != 0) {
            digits = grouped(digits, "xXob".indexOf(spec.type) >= 0 ? 4 : 3, spec.grouping);
        }
        return digits;
    }

    /** The digits of a float's absolute value. */
    private static String realDigits(double signed, Spec spec) {
        double number = Math.abs(signed);
        boolean upper = Character.isUpperCase(spec.type);
        String special = Numbers.special(number);
        if (special != null) {
            return upper ? special.toUpperCase(Locale.ROOT) : special;
        }
        if (spec.precision > MAX_PRECISION) {
            throw new Failure("it formats " + spec.precision + " digits; at most " + MAX_PRECISION + " are allowed");
        }
        BigDecimal exact = new BigDecimal(number);
        int precision = spec.precision < 0 ? 6 : spec.precision;
        String text = switch (Character.toLowerCase(spec.type)) {
            case 'f' ->
                exact.setScale(precision, RoundingMode.HALF_EVEN).toPlainString()
                        + (spec.alternate && precision == 0 ? "." : "");
            case 'e' -> scientific(exact, precision, spec.alternate);
            case '%' ->
                exact.movePointRight(2)
                                .setScale(precision, RoundingMode.HALF_EVEN)
                                .toPlainString() + "%";
            case 'g', 'n' -> general(exact, precision, spec.alternate, false);
            default -> spec.precision < 0 ? Numbers.repr(number) : general(exact, precision, spec.alternate, true);
        };
        if (spec.grouping != 0) {
            int end = 0;
            while (end < text.length() && isDigit(text.charAt(end))) {
                end++;
            }
            text = grouped(text.substring(0, end), 3, spec.grouping) + text.substring(end);
        }
        return upper ? text.toUpperCase(Locale.ROOT) : text;
    }

    private static String scientific(BigDecimal exact, int precision, boolean alternate) {
        BigDecimal rounded = exact.round(new MathContext(precision + 1, RoundingMode.HALF_EVEN));
        StringBuilder digits = new StringBuilder(rounded.unscaledValue().toString());
        int exponent = exact.signum() == 0 ? 0 : digits.length() - 1 - rounded.scale();
        while (digits.length() <= precision) {
            digits.append('0');
        }
        digits.setLength(precision + 1);
        return digits.charAt(0) + (precision > 0 || alternate ? "." : "") + digits.substring(1) + "e"
                + Numbers.exponent(exponent);
    }

    private static String general(BigDecimal exact, int wanted, boolean alternate, boolean keepsPoint) {
        int precision = Math.max(1, wanted);
        BigDecimal rounded = exact.round(new MathContext(precision, RoundingMode.HALF_EVEN));
        int exponent = exact.signum() == 0 ? 0 : rounded.precision() - 1 - rounded.scale();
        if (exponent < -4 || exponent >= (keepsPoint ? precision - 1 : precision)) {
            String text = scientific(exact, precision - 1, alternate);
            int e = text.indexOf('e');
            return (alternate ? text.substring(0, e) : withoutZeros(text.substring(0, e))) + text.substring(e);
        }
        String text = exact.setScale(Math.max(0, precision - 1 - exponent), RoundingMode.HALF_EVEN)
                .toPlainString();
        String plain = alternate ? text : withoutZeros(text);
        return keepsPoint && plain.indexOf('.') < 0 ? plain + ".0" : plain;
    }

    private static String withoutZeros(String text) {
        if (text.indexOf('.') < 0) {
            return text;
        }
        int end = text.length();
        while (text.charAt(end - 1) == '0') {
            end--;
        }
        return text.substring(0, text.charAt(end - 1) == '.' ? end - 1 : end);
    }

    // str.format

    static Text format(Text format, Arguments arguments, Interpreter in) {
        return new Format(arguments, in).run(format, 2).withMarkup(format.markup());
    }

    /** One call of str.format. */
    private static final class Format {

        private final Arguments arguments;
        private final Interpreter in;
        private final Fuel fuel;
        /** Next automatic number; -1 once fields are numbered by hand. */
        private int automatic;

        private boolean markup;

        Format(Arguments arguments, Interpreter in) {
            this.arguments = arguments;
            this.in = in;
            this.fuel = in.fuel();
        }

        Text run(Text format, int depth) {
            if (depth == 0) {
                throw new Failure("Max string recursion exceeded");
            }
            markup = depth == 2 ? format.markup() : markup;
            String source = format.chars();
            Text.Builder out = new Text.Builder();
            int done = 0;
            int i = 0;
            while (i < source.length()) {
                char c = source.charAt(i);
                if (c != '{' && c != '}') {
                    i++;
                    continue;
                }
                out.append(format, done, i);
                if (i + 1 < source.length() && source.charAt(i + 1) == c) {
                    out.append(format, i, i + 1);
                    i += 2;
                    done = i;
                    continue;
                }
                if (c == '}') {
                    throw new Failure("Single '}' encountered in format string");
                }
                int end = fieldEnd(source, i + 1);
                Text field = field(format.slice(i + 1, end), depth);
                fuel.checkText((long) out.length() + field.length());
                fuel.work(1L + field.length());
                out.append(field);
                i = end + 1;
                done = i;
            }
            return out.append(format, done, source.length()).build();
        }

        private static int fieldEnd(String source, int from) {
            int depth = 1;
            for (int i = from; i < source.length(); i++) {
                char c = source.charAt(i);
                if (c == '[') {
                    int close = source.indexOf(']', i);
                    i = close < 0 ? i : close;
                } else if (c == '{') {
                    depth++;
                } else if (c == '}' && --depth == 0) {
                    return i;
                }
            }
            throw new Failure("expected '}' before end of string");
        }

        private Text field(Text field, int depth) {
            String source = field.chars();
            int nameEnd = 0;
            while (nameEnd < source.length() && ":!".indexOf(source.charAt(nameEnd)) < 0) {
                int close = source.charAt(nameEnd) == '[' ? source.indexOf(']', nameEnd) : -1;
                nameEnd = close < 0 ? nameEnd + 1 : close + 1;
            }
            Value value = lookUp(field.slice(0, nameEnd));
            int at = nameEnd;
            if (at < source.length() && source.charAt(at) == '!') {
                if (at + 1 >= source.length()) {
                    throw new Failure("end of string while looking for conversion specifier");
                }
                value = switch (source.charAt(at + 1)) {
                    case 's' -> Python.str(value, fuel);
                    case 'r', 'a' -> Python.repr(value, fuel);
                    default -> throw new Failure("unknown conversion specifier");
                };
                at += 2;
                if (at < source.length() && source.charAt(at) != ':') {
                    throw new Failure("expected ':' after conversion specifier");
                }
            }
            Text spec = at < source.length() ? field.slice(at + 1, source.length()) : Text.EMPTY;
            if (spec.chars().indexOf('{') >= 0 || spec.chars().indexOf('}') >= 0) {
                spec = run(spec, depth - 1);
            }
            Text text = apply(value, spec.chars());
            return markup ? Python.escape(text, fuel).withMarkup(false) : text;
        }

        private Value lookUp(Text name) {
            String source = name.chars();
            int end = 0;
            while (end < source.length() && ".[".indexOf(source.charAt(end)) < 0) {
                end++;
            }
            String first = source.substring(0, end);
            Value value;
            if (first.isEmpty() || first.chars().allMatch(c -> c >= '0' && c <= '9')) {
                if (first.isEmpty() == automatic < 0 && automatic != 0) {
                    throw new Failure("cannot switch between manual field specification and automatic field numbering");
                }
                int index = first.isEmpty()
                        ? automatic++
                        : first.length() > 8 ? Integer.MAX_VALUE : Integer.parseInt(first);
                if (!first.isEmpty()) {
                    automatic = -1;
                }
                if (index >= arguments.positional().size()) {
                    throw new Failure("Replacement index " + index + " out of range for positional args tuple");
                }
                value = arguments.positional().get(index);
            } else {
                @Nullable Value named = arguments.named().get(first);
                if (named == null) {
                    throw new Failure("the format names an argument that was not given");
                }
                value = named;
            }
            int at = end;
            while (at < source.length()) {
                fuel.step();
                if (source.charAt(at) == '.') {
                    int from = ++at;
                    while (at < source.length() && ".[".indexOf(source.charAt(at)) < 0) {
                        at++;
                    }
                    if (at == from) {
                        throw new Failure("Empty attribute in format string");
                    }
                    value = in.attribute(value, source.substring(from, at));
                } else {
                    int close = source.indexOf(']', at);
                    if (source.charAt(at) != '[' || close < 0) {
                        throw new Failure("Missing ']' in format string");
                    }
                    String key = source.substring(at + 1, close);
                    boolean index =
                            !key.isEmpty() && key.length() < 9 && key.chars().allMatch(c -> c >= '0' && c <= '9');
                    value = in.item(value, index ? Int.of(Integer.parseInt(key)) : name.slice(at + 1, close));
                    at = close + 1;
                }
            }
            return value;
        }

        /** format(value, spec). */
        private Text apply(Value value, String source) {
            if (source.isEmpty()) {
                return Python.softStr(value, fuel);
            }
            if (!(value instanceof Text) && !Numbers.isNumber(value)) {
                throw new Failure("unsupported format string passed to " + Python.typeName(value) + ".__format__");
            }
            Spec spec = parse(source);
            if (value instanceof Text text) {
                if ((spec.type != 0 && spec.type != 's')
                        || spec.sign != 0
                        || spec.align == '='
                        || spec.grouping != 0
                        || spec.alternate) {
                    throw new Failure("the format specification does not fit a string");
                }
                Text kept = spec.precision >= 0 && spec.precision < text.codePoints()
                        ? text.slice(0, text.offset(spec.precision))
                        : text;
                return pad(kept, spec.width, spec.zero ? "0" : spec.fill, spec.align == 0 ? '<' : spec.align, fuel);
            }
            BigInteger number = Numbers.integer(value);
            boolean asReal = "eEfFgG%".indexOf(spec.type) >= 0 && spec.type != 0;
            if (number != null && !asReal) {
                if (spec.precision >= 0) {
                    throw new Failure("Precision not allowed in integer format specifier");
                }
                if (spec.type == 'c') {
                    if (number.signum() < 0 || number.compareTo(BigInteger.valueOf(0x10ffff)) > 0) {
                        throw new Failure("the conversion c takes code points below 0x110000");
                    }
                    return pad(
                            Text.trusted(Character.toString(number.intValue())),
                            spec.width,
                            spec.fill,
                            spec.align == 0 ? '<' : spec.align,
                            fuel);
                }
                if (spec.type != 0 && "bdnoxX".indexOf(spec.type) < 0) {
                    throw new Failure("Unknown format code for object of type 'int'");
                }
                return number(integerDigits(number.abs(), spec), number.signum() < 0, spec, fuel);
            }
            if (!asReal && spec.type != 0 && spec.type != 'n') {
                throw new Failure("Unknown format code for object of type 'float'");
            }
            double real = Numbers.real(value);
            return number(realDigits(real, spec), isNegative(real), spec, fuel);
        }

        private static Spec parse(String source) {
            Spec spec = new Spec();
            spec.fill = "";
            int i = 0;
            int first = Character.charCount(source.codePointAt(0));
            if (first < source.length() && "<>=^".indexOf(source.charAt(first)) >= 0) {
                spec.fill = source.substring(0, first);
                spec.align = source.charAt(first);
                i = first + 1;
            } else if ("<>=^".indexOf(source.charAt(0)) >= 0) {
                spec.align = source.charAt(0);
                i = 1;
            }
            if (i < source.length() && "+- ".indexOf(source.charAt(i)) >= 0) {
                spec.sign = source.charAt(i++);
            }
            if (i < source.length() && source.charAt(i) == '#') {
                spec.alternate = true;
                i++;
            }
            if (i < source.length() && source.charAt(i) == '0') {
                if (spec.fill.isEmpty()) {
                    spec.fill = "0";
                }
                spec.zero = spec.align == 0;
                i++;
            }
            for (; i < source.length() && isDigit(source.charAt(i)); i++) {
                spec.width = digit(spec.width, source.charAt(i));
            }
            if (i < source.length() && (source.charAt(i) == ',' || source.charAt(i) == '_')) {
                spec.grouping = source.charAt(i++);
            }
            if (i < source.length() && source.charAt(i) == '.') {
                i++;
                if (i >= source.length() || !isDigit(source.charAt(i))) {
                    throw new Failure("Format specifier missing precision");
                }
                spec.precision = 0;
                for (; i < source.length() && isDigit(source.charAt(i)); i++) {
                    spec.precision = digit(spec.precision, source.charAt(i));
                }
            }
            if (i < source.length()) {
                spec.type = source.charAt(i++);
            }
            if (i < source.length()) {
                throw new Failure("Invalid format specifier");
            }
            if (spec.fill.isEmpty()) {
                spec.fill = " ";
            }
            return spec;
        }
    }
}
