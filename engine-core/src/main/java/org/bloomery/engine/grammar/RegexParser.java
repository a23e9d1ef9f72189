package org.bloomery.engine.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Reads regular expressions of ECMA-262 as {@code pattern} of JSON Schema has them, with the Unicode escapes of its
 * {@code u} flag. Greedy, lazy and capturing make no difference to what is matched. What an automaton cannot decide
 * (back references, look-around, word boundaries) and what other dialects add (inline flags, possessive quantifiers) is
 * refused by name.
 */
final class RegexParser {

    private static final int MAX_REPETITION = 100_000;

    private static final CodePoints DIGIT = CodePoints.range('0', '9');
    private static final CodePoints WORD = new CodePoints.Collector()
            .add('0', '9')
            .add('A', 'Z')
            .add('_', '_')
            .add('a', 'z')
            .build();
    private static final CodePoints SPACE = new CodePoints.Collector()
            .add('\t', '\r')
            .add(' ', ' ')
            .add(0xA0, 0xA0)
            .add(0x1680, 0x1680)
            .add(0x2000, 0x200A)
            .add(0x2028, 0x2029)
            .add(0x202F, 0x202F)
            .add(0x205F, 0x205F)
            .add(0x3000, 0x3000)
            .add(0xFEFF, 0xFEFF)
            .build();
    private static final CodePoints LINE_END = CodePoints.of("\n\r").or(CodePoints.range(0x2028, 0x2029));

    /** General categories by the names that \p takes, as bits of {@link Character#getType}. */
    private static final Map<String, Integer> CATEGORIES = Map.ofEntries(
            Map.entry("Lu", 1 << Character.UPPERCASE_LETTER),
            Map.entry("Ll", 1 << Character.LOWERCASE_LETTER),
            Map.entry("Lt", 1 << Character.TITLECASE_LETTER),
            Map.entry("Lm", 1 << Character.MODIFIER_LETTER),
            Map.entry("Lo", 1 << Character.OTHER_LETTER),
            Map.entry("L", 0b111110),
            Map.entry("Mn", 1 << Character.NON_SPACING_MARK),
            Map.entry("Me", 1 << Character.ENCLOSING_MARK),
            Map.entry("Mc", 1 << Character.COMBINING_SPACING_MARK),
            Map.entry("M", 0b111000000),
            Map.entry("Nd", 1 << Character.DECIMAL_DIGIT_NUMBER),
            Map.entry("Nl", 1 << Character.LETTER_NUMBER),
            Map.entry("No", 1 << Character.OTHER_NUMBER),
            Map.entry("N", 0b111000000000),
            Map.entry("Zs", 1 << Character.SPACE_SEPARATOR),
            Map.entry("Z", 0b111000000000000),
            Map.entry(
                    "P",
                    1 << Character.CONNECTOR_PUNCTUATION
                            | 1 << Character.DASH_PUNCTUATION
                            | 1 << Character.START_PUNCTUATION
                            | 1 << Character.END_PUNCTUATION
                            | 1 << Character.INITIAL_QUOTE_PUNCTUATION
                            | 1 << Character.FINAL_QUOTE_PUNCTUATION
                            | 1 << Character.OTHER_PUNCTUATION),
            Map.entry(
                    "S",
                    1 << Character.MATH_SYMBOL
                            | 1 << Character.CURRENCY_SYMBOL
                            | 1 << Character.MODIFIER_SYMBOL
                            | 1 << Character.OTHER_SYMBOL),
            Map.entry("Sc", 1 << Character.CURRENCY_SYMBOL));

    private final int[] pattern;
    private final Budget budget;
    private int at;

    private RegexParser(String pattern, Budget budget) {
        this.pattern = pattern.codePoints().toArray();
        this.budget = budget;
    }

    static Regex parse(String pattern, Budget budget) {
        if (pattern.length() > Budget.MAX_LENGTH) {
            throw budget.tooLarge("has more than " + Budget.MAX_LENGTH + " characters");
        }
        RegexParser parser = new RegexParser(pattern, budget);
        budget.spend(parser.pattern.length);
        Regex regex = parser.choice(0);
        if (parser.at < parser.pattern.length) {
            throw parser.refuse("has a ')' without its '('");
        }
        return regex;
    }

    private GrammarException refuse(String what) {
        return budget.refuse(what + " at character " + (at + 1) + ".");
    }

    private boolean has(int offset) {
        return at + offset < pattern.length;
    }

    private boolean looksAt(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (!has(i) || pattern[at + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private boolean take(char c) {
        if (has(0) && pattern[at] == c) {
            at++;
            return true;
        }
        return false;
    }

    private Regex choice(int depth) {
        budget.depth(depth);
        List<Regex> alternatives = new ArrayList<>();
        do {
            alternatives.add(sequence(depth));
        } while (take('|'));
        return alternatives.size() == 1 ? alternatives.getFirst() : new Regex.Choice(alternatives);
    }

    private Regex sequence(int depth) {
        List<Regex> parts = new ArrayList<>();
        while (has(0) && pattern[at] != '|' && pattern[at] != ')') {
            parts.add(quantified(atom(depth)));
        }
        return parts.size() == 1 ? parts.getFirst() : new Regex.Sequence(parts);
    }

    private Regex quantified(Regex atom) {
        Regex result = atom;
        int[] bounds = quantifier();
        if (bounds.length > 0) {
            if (atom instanceof Regex.Anchor) {
                throw refuse("repeats an anchor");
            }
            if (take('+')) {
                throw refuse("has a possessive quantifier, which is not supported; leave the second '+' out,");
            }
            take('?');
            result = new Regex.Repeat(atom, bounds[0], bounds[1]);
            if (quantifier().length > 0) {
                throw refuse("has two quantifiers in a row; group the first with its operand,");
            }
        }
        return result;
    }

    /** Least and most, or nothing where there is no quantifier. */
    private int[] quantifier() {
        if (take('*')) {
            return new int[] {0, Integer.MAX_VALUE};
        }
        if (take('+')) {
            return new int[] {1, Integer.MAX_VALUE};
        }
        if (take('?')) {
            return new int[] {0, 1};
        }
        int start = at;
        if (take('{')) {
            int least = number();
            int most = least;
            if (least >= 0 && take(',')) {
                most = number();
                if (most < 0) {
                    most = Integer.MAX_VALUE;
                }
            }
            if (least >= 0 && take('}')) {
                if (least > most) {
                    throw refuse("has a repetition whose bounds are out of order");
                }
                return new int[] {least, most};
            }
            // A brace that begins no quantifier stands for itself
            at = start;
        }
        return new int[0];
    }

    private int number() {
        int value = -1;
        while (has(0) && pattern[at] >= '0' && pattern[at] <= '9') {
            value = Math.max(value, 0) * 10 + pattern[at++] - '0';
            if (value > MAX_REPETITION) {
                throw budget.tooLarge("repeats more than " + MAX_REPETITION + " times at character " + (at + 1));
            }
        }
        return value;
    }

    private Regex atom(int depth) {
        int c = pattern[at];
        return switch (c) {
            case '(' -> group(depth);
            case '[' -> {
                at++;
                yield new Regex.Chars(set());
            }
            case '.' -> {
                at++;
                yield new Regex.Chars(LINE_END.not());
            }
            case '^', '$' -> {
                at++;
                yield new Regex.Anchor(c == '^');
            }
            case '*', '+', '?' -> throw refuse("repeats nothing");
            case '\\' -> escape();
            default -> {
                at++;
                yield new Regex.Chars(CodePoints.of(c));
            }
        };
    }

    private Regex group(int depth) {
        if (looksAt("(?=") || looksAt("(?!") || looksAt("(?<=") || looksAt("(?<!")) {
            throw refuse("has a look-ahead or look-behind, which is not supported; write it without,");
        }
        if (looksAt("(?:")) {
            at += 3;
        } else if (looksAt("(?<")) {
            at += 3;
            while (has(0) && pattern[at] != '>') {
                at++;
            }
            at++;
        } else if (looksAt("(?")) {
            throw refuse("has an inline flag or an unknown group, which is not supported; write it without,");
        } else {
            at++;
        }
        Regex inner = choice(depth + 1);
        if (!take(')')) {
            throw refuse("has a '(' without its ')'");
        }
        return inner;
    }

    private Regex escape() {
        if (!has(1)) {
            throw refuse("ends with a lone '\\'");
        }
        int c = pattern[at + 1];
        if (c == 'b' || c == 'B') {
            throw refuse("has a word boundary, which is not supported; write it without,");
        }
        if ((c >= '1' && c <= '9') || c == 'k') {
            throw refuse("has a back reference, which is not supported; write it without,");
        }
        return new Regex.Chars(escapedSet());
    }

    /** The set behind a backslash, inside and outside of brackets. */
    private CodePoints escapedSet() {
        at++;
        if (!has(0)) {
            throw refuse("ends with a lone '\\'");
        }
        int c = pattern[at++];
        return switch (c) {
            case 'd' -> DIGIT;
            case 'D' -> DIGIT.not();
            case 'w' -> WORD;
            case 'W' -> WORD.not();
            case 's' -> SPACE;
            case 'S' -> SPACE.not();
            case 'p' -> property();
            case 'P' -> property().not();
            case 't' -> CodePoints.of('\t');
            case 'n' -> CodePoints.of('\n');
            case 'r' -> CodePoints.of('\r');
            case 'f' -> CodePoints.of('\f');
            case 'v' -> CodePoints.of(0x0B);
            case 'x' -> CodePoints.of(hex(2));
            case 'u' -> CodePoints.of(unicode());
            case '0' -> {
                if (has(0) && pattern[at] >= '0' && pattern[at] <= '9') {
                    throw refuse("has an octal escape, which is not supported; write it as \\xHH,");
                }
                yield CodePoints.of(0);
            }
            case 'c' -> {
                if (!has(0) || pattern[at] > 'z' || !Character.isLetter(pattern[at])) {
                    throw refuse("has a broken control escape");
                }
                yield CodePoints.of(pattern[at++] % 32);
            }
            default -> {
                if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
                    at--;
                    throw refuse("has the unknown escape '\\" + (char) c + "'");
                }
                yield CodePoints.of(c);
            }
        };
    }

    private int unicode() {
        if (take('{')) {
            int value = 0;
            int digits = 0;
            while (has(0) && Character.digit(pattern[at], 16) >= 0 && value <= Character.MAX_CODE_POINT) {
                value = value * 16 + Character.digit(pattern[at++], 16);
                digits++;
            }
            if (digits == 0 || value > Character.MAX_CODE_POINT || !take('}')) {
                throw refuse("has a broken Unicode escape");
            }
            return value;
        }
        int high = hex(4);
        if (Character.isHighSurrogate((char) high) && looksAt("\\u")) {
            int back = at;
            at += 2;
            int low = hex(4);
            if (Character.isLowSurrogate((char) low)) {
                return Character.toCodePoint((char) high, (char) low);
            }
            at = back;
        }
        if (high >= Character.MIN_SURROGATE && high <= Character.MAX_SURROGATE) {
            throw refuse("has half of a surrogate pair, which is no character,");
        }
        return high;
    }

    private int hex(int digits) {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = has(0) ? Character.digit(pattern[at], 16) : -1;
            if (digit < 0) {
                throw refuse("has an escape without its " + digits + " hexadecimal digits");
            }
            value = value * 16 + digit;
            at++;
        }
        return value;
    }

    private CodePoints property() {
        StringBuilder name = new StringBuilder();
        if (take('{')) {
            while (has(0) && pattern[at] != '}') {
                name.appendCodePoint(pattern[at++]);
            }
            if (!take('}')) {
                throw refuse("has a property escape without its '}'");
            }
        } else if (has(0)) {
            name.appendCodePoint(pattern[at++]);
        }
        String wanted = name.toString().replaceFirst("^(General_Category|gc)=", "");
        Integer categories = CATEGORIES.get(
                switch (wanted) {
                    case "Letter" -> "L";
                    case "Uppercase_Letter" -> "Lu";
                    case "Lowercase_Letter" -> "Ll";
                    case "Mark" -> "M";
                    case "Number" -> "N";
                    case "Decimal_Number" -> "Nd";
                    case "Punctuation" -> "P";
                    case "Symbol" -> "S";
                    case "Separator" -> "Z";
                    default -> wanted;
                });
        if (categories == null) {
            throw refuse("has the character property '" + wanted.substring(0, Math.min(32, wanted.length()))
                    + "', which is not supported; use a general category such as L or Nd,");
        }
        budget.spend(100_000);
        CodePoints.Collector collector = new CodePoints.Collector();
        int first = -1;
        for (int c = 0; c <= Character.MAX_CODE_POINT + 1; c++) {
            boolean in = c <= Character.MAX_CODE_POINT && (categories >>> Character.getType(c) & 1) == 1;
            if (in && first < 0) {
                first = c;
            } else if (!in && first >= 0) {
                collector.add(first, c - 1);
                first = -1;
            }
        }
        return collector.build();
    }

    private CodePoints set() {
        boolean negated = take('^');
        CodePoints.Collector collector = new CodePoints.Collector();
        while (true) {
            if (!has(0)) {
                throw refuse("has a '[' without its ']'");
            }
            if (take(']')) {
                CodePoints set = collector.build();
                return negated ? set.not() : set;
            }
            budget.spend(1);
            CodePoints first = member();
            if (has(1) && pattern[at] == '-' && pattern[at + 1] != ']') {
                at++;
                CodePoints last = member();
                if (single(first) < 0 || single(last) < 0) {
                    throw refuse("has a range whose end is a class");
                }
                if (single(first) > single(last)) {
                    throw refuse("has a range whose ends are out of order");
                }
                collector.add(single(first), single(last));
            } else {
                collector.add(first);
            }
        }
    }

    private CodePoints member() {
        if (!has(0)) {
            throw refuse("has a '[' without its ']'");
        }
        if (pattern[at] != '\\') {
            return CodePoints.of(pattern[at++]);
        }
        if (has(1) && pattern[at + 1] == 'b') {
            at += 2;
            return CodePoints.of('\b');
        }
        return escapedSet();
    }

    /** The only character of a set, or -1. */
    private static int single(CodePoints set) {
        return set.ranges() == 1 && set.first(0) == set.last(0) ? set.first(0) : -1;
    }
}
