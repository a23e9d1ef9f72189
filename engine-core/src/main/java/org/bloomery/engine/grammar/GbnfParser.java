package org.bloomery.engine.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads grammars in GBNF, llama.cpp's notation: rules {@code name ::= …}, literals, sets of characters, groups,
 * alternatives and repetitions; {@code #} begins a comment. A rule ends with its line, but for lines within parentheses,
 * behind {@code |} or beginning with it. Escapes in literals and sets stand for characters, not for bytes.
 */
final class GbnfParser {

    private static final int MAX_REPETITION = 100_000;

    private final int[] text;
    private final Budget budget = new Budget("The grammar");
    private final Map<String, Integer> numbers = new LinkedHashMap<>();
    /** Where each rule is first used, as a position in the text. */
    private final Map<String, Integer> firstUse = new LinkedHashMap<>();

    private final List<@Nullable Expr> rules = new ArrayList<>();
    private int at;

    private GbnfParser(String grammar) {
        if (grammar.length() > Budget.MAX_LENGTH) {
            throw budget.tooLarge("has more than " + Budget.MAX_LENGTH + " characters");
        }
        text = grammar.codePoints().toArray();
        budget.spend(text.length);
    }

    static Rules compile(String grammar) {
        GbnfParser parser = new GbnfParser(grammar);
        parser.number("root");
        parser.rules();
        List<Expr> finished = new ArrayList<>();
        List<String> names = new ArrayList<>();
        parser.numbers.forEach((name, number) -> {
            Expr rule = parser.rules.get(number);
            if (rule == null) {
                throw parser.undefined(name);
            }
            finished.add(rule);
            names.add("rule '" + name + "'");
        });
        return new Rules(finished, names, parser.budget);
    }

    private GrammarException undefined(String name) {
        Integer use = firstUse.get(name);
        return use == null
                ? budget.refuse("has no rule 'root'; add the rule to begin with.")
                : budget.refuse(
                        "uses the rule '" + name + "' in line " + line(use) + ", which it does not define; add it.");
    }

    private GrammarException refuse(String what) {
        return budget.refuse(what + " in line " + line(at) + ".");
    }

    private int line(int position) {
        int line = 1;
        for (int i = 0; i < Math.min(position, text.length); i++) {
            if (text[i] == '\n') {
                line++;
            }
        }
        return line;
    }

    private int peek() {
        return at < text.length ? text[at] : -1;
    }

    private boolean take(char c) {
        if (peek() == c) {
            at++;
            return true;
        }
        return false;
    }

    private boolean takeDefinition() {
        boolean here = at + 2 < text.length && text[at] == ':' && text[at + 1] == ':' && text[at + 2] == '=';
        at += here ? 3 : 0;
        return here;
    }

    private void skipSpace(boolean lines) {
        while (at < text.length) {
            int c = text[at];
            if (c == '#') {
                while (at < text.length && text[at] != '\n') {
                    at++;
                }
            } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
                at++;
            } else {
                return;
            }
        }
    }

    private int number(String name) {
        return numbers.computeIfAbsent(name, key -> {
            rules.add(null);
            budget.spend(16);
            return rules.size() - 1;
        });
    }

    private void rules() {
        skipSpace(true);
        while (at < text.length) {
            String name = name();
            skipSpace(false);
            if (!takeDefinition()) {
                throw refuse("has no '::=' behind the name '" + name + "'");
            }
            skipSpace(true);
            int number = number(name);
            if (rules.get(number) != null) {
                throw refuse("defines the rule '" + name + "' twice, again");
            }
            rules.set(number, choice(0));
            skipSpace(false);
            if (at < text.length && peek() != '\n' && peek() != '\r') {
                throw refuse("has something behind the end of the rule '" + name + "'");
            }
            skipSpace(true);
        }
    }

    private String name() {
        StringBuilder name = new StringBuilder();
        while (isNamePart(peek())) {
            name.appendCodePoint(text[at++]);
        }
        if (name.isEmpty()) {
            throw refuse("has no rule's name where one is expected");
        }
        if (name.length() > 200) {
            throw refuse("has a rule's name of more than 200 characters");
        }
        return name.toString();
    }

    private static boolean isNamePart(int c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    }

    private Expr choice(int depth) {
        budget.depth(depth);
        boolean nested = depth > 0;
        List<Expr> alternatives = new ArrayList<>();
        while (true) {
            alternatives.add(sequence(depth));
            int back = at;
            skipSpace(true);
            if (!take('|')) {
                at = nested ? at : back;
                break;
            }
            skipSpace(true);
        }
        return alternatives.size() == 1 ? alternatives.getFirst() : new Expr.Choice(alternatives);
    }

    private Expr sequence(int depth) {
        List<Expr> parts = new ArrayList<>();
        while (true) {
            skipSpace(depth > 0);
            int c = peek();
            Expr part;
            if (c == '"') {
                part = literal();
            } else if (c == '[') {
                at++;
                part = new Expr.Chars(set());
            } else if (c == '(') {
                at++;
                part = choice(depth + 1);
                skipSpace(true);
                if (!take(')')) {
                    throw refuse("has a '(' without its ')'");
                }
            } else if (c == '.') {
                at++;
                part = new Expr.Chars(CodePoints.ALL);
            } else if (isNamePart(c)) {
                int start = at;
                String name = name();
                firstUse.putIfAbsent(name, start);
                part = new Expr.Rule(number(name));
            } else if (c == '<' || c == '!') {
                throw refuse("names a token, which is not supported,");
            } else if (c == '*' || c == '+' || c == '?' || c == '{') {
                throw refuse("repeats nothing");
            } else {
                break;
            }
            parts.add(repeated(part, depth));
        }
        return parts.size() == 1 ? parts.getFirst() : new Expr.Sequence(parts);
    }

    private Expr repeated(Expr part, int depth) {
        Expr result = part;
        for (int nesting = 0; ; nesting++) {
            budget.depth(depth + nesting);
            int back = at;
            skipSpace(depth > 0);
            if (take('*')) {
                result = new Expr.Repeat(result, 0, Integer.MAX_VALUE);
            } else if (take('+')) {
                result = new Expr.Repeat(result, 1, Integer.MAX_VALUE);
            } else if (take('?')) {
                result = Expr.optional(result);
            } else if (take('{')) {
                result = bounded(result);
            } else {
                at = back;
                return result;
            }
        }
    }

    private Expr bounded(Expr part) {
        skipSpace(false);
        int least = repetitions();
        skipSpace(false);
        int most = least;
        if (take(',')) {
            skipSpace(false);
            most = peek() == '}' ? Integer.MAX_VALUE : repetitions();
            skipSpace(false);
        }
        if (!take('}')) {
            throw refuse("has a repetition without its '}'");
        }
        if (least > most) {
            throw refuse("has a repetition whose bounds are out of order");
        }
        return new Expr.Repeat(part, least, most);
    }

    private int repetitions() {
        int value = -1;
        while (peek() >= '0' && peek() <= '9') {
            value = Math.max(0, value) * 10 + text[at++] - '0';
            if (value > MAX_REPETITION) {
                throw budget.tooLarge("repeats more than " + MAX_REPETITION + " times in line " + line(at));
            }
        }
        if (value < 0) {
            throw refuse("has a repetition without a number");
        }
        return value;
    }

    private Expr literal() {
        at++;
        StringBuilder content = new StringBuilder();
        while (true) {
            int c = peek();
            if (c < 0 || c == '\n') {
                throw refuse("has a literal without its closing '\"'");
            }
            if (take('"')) {
                return new Expr.Literal(content.toString().getBytes(StandardCharsets.UTF_8));
            }
            content.appendCodePoint(character());
        }
    }

    private CodePoints set() {
        boolean negated = take('^');
        CodePoints.Collector collector = new CodePoints.Collector();
        while (!take(']')) {
            if (at >= text.length) {
                throw refuse("has a '[' without its ']'");
            }
            budget.spend(1);
            int first = character();
            int last = first;
            if (peek() == '-' && at + 1 < text.length && text[at + 1] != ']') {
                at++;
                last = character();
            }
            if (first > last) {
                throw refuse("has a range whose ends are out of order");
            }
            collector.add(first, last);
        }
        CodePoints set = collector.build();
        return negated ? set.not() : set;
    }

    private int character() {
        int c = text[at++];
        if (c != '\\') {
            return valid(c);
        }
        int escape = peek();
        at++;
        return switch (escape) {
            case 'x' -> hex(2);
            case 'u' -> hex(4);
            case 'U' -> hex(8);
            case 't' -> '\t';
            case 'r' -> '\r';
            case 'n' -> '\n';
            case '\\', '"', '[', ']', '-', '^', '/', '\'' -> escape;
            default -> throw refuse("has an unknown escape");
        };
    }

    private int hex(int digits) {
        long value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = peek() < 0 ? -1 : Character.digit(peek(), 16);
            if (digit < 0) {
                throw refuse("has an escape without its " + digits + " hexadecimal digits");
            }
            value = value * 16 + digit;
            at++;
        }
        return valid((int) Math.min(value, Integer.MAX_VALUE));
    }

    private int valid(int c) {
        if (c > Character.MAX_CODE_POINT || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
            throw refuse("has an escape that stands for no character");
        }
        return c;
    }
}
