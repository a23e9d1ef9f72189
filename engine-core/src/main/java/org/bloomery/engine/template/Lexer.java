package org.bloomery.engine.template;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.bloomery.engine.template.Token.Kind;

/**
 * Cuts template source into tokens as jinja2.lexer does with trim_blocks and lstrip_blocks: a newline after a block is
 * dropped, blanks between a line's start and a block are dropped, {@code -} strips and {@code +} keeps whitespace.
 */
final class Lexer {

    /** Longest first, so that the first that fits is the longest that fits. */
    private static final List<String> OPERATORS = List.of(
            "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
            "=", ".", ":", "|", ",", ";");

    private static final Set<String> OPENING = Set.of("(", "[", "{");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;
    /** Whether the last tag ended with a newline. */
    private boolean lineStarting = true;

    private Lexer(String source) {
        this.source = source;
    }

    static List<Token> tokens(String template) {
        String source = template.replace("\r\n", "\n").replace('\r', '\n');
        if (source.endsWith("\n")) {
            source = source.substring(0, source.length() - 1);
        }
        Lexer lexer = new Lexer(source);
        try {
            lexer.root();
        } catch (Failure failure) {
            throw new TemplateException(
                    "The chat template does not parse at line " + lexer.line + ": " + failure.getMessage() + ".");
        }
        return lexer.tokens;
    }

    private void root() {
        while (at < source.length()) {
            int tag = nextTag();
            if (tag < 0) {
                data(source.substring(at));
                at = source.length();
                break;
            }
            char kind = source.charAt(tag + 1);
            int open = tag + 2;
            char sign = open < source.length() ? source.charAt(open) : 0;
            boolean signed = sign == '-' || sign == '+';
            leadingData(tag, signed ? sign : 0, kind != '{');
            at = signed ? open + 1 : open;
            switch (kind) {
                case '{' -> code(Kind.VARIABLE_BEGIN, Kind.VARIABLE_END);
                case '#' -> comment();
                default -> {
                    if (!raw()) {
                        code(Kind.BLOCK_BEGIN, Kind.BLOCK_END);
                    }
                }
            }
        }
        tokens.add(new Token(Kind.END, "", line));
    }

    private int nextTag() {
        for (int tag = source.indexOf('{', at); tag >= 0; tag = source.indexOf('{', tag + 1)) {
            if (tag + 1 < source.length() && "{%#".indexOf(source.charAt(tag + 1)) >= 0) {
                return tag;
            }
        }
        return -1;
    }

    /** The text before a tag, stripped as the tag's sign asks for. */
    private void leadingData(int tag, char sign, boolean leftStrips) {
        int end = tag;
        if (sign == '-') {
            while (end > at && PythonText.isSpace(source.charAt(end - 1))) {
                end--;
            }
        } else if (sign != '+' && leftStrips) {
            int lineStart = tag;
            while (lineStart > at
                    && PythonText.isSpace(source.charAt(lineStart - 1))
                    && source.charAt(lineStart - 1) != '\n') {
                lineStart--;
            }
            boolean blank = lineStart > at ? source.charAt(lineStart - 1) == '\n' : lineStarting;
            end = blank ? lineStart : tag;
        }
        String kept = source.substring(at, end);
        data(kept);
        countLines(end, tag);
        at = tag;
    }

    private void data(String text) {
        if (!text.isEmpty()) {
            tokens.add(new Token(Kind.DATA, text, line));
            countLines(text);
        }
    }

    private void countLines(String text) {
        for (int i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) {
            line++;
        }
    }

    private void countLines(int from, int to) {
        for (int i = from; i < to; i++) {
            if (source.charAt(i) == '\n') {
                line++;
            }
        }
    }

    private void comment() {
        int end = source.indexOf("#}", at);
        if (end < 0) {
            throw new Failure("a comment has no end '#}'");
        }
        char sign = end > at ? source.charAt(end - 1) : 0;
        countLines(at, end);
        at = end;
        closeTag(sign == '-' || sign == '+' ? sign : 0, true);
    }

    /** Moves over the two characters that close a tag and the whitespace that goes with them. */
    private void closeTag(char sign, boolean trims) {
        int start = at;
        at += 2;
        if (sign == '-') {
            skipSpace();
        } else if (sign != '+' && trims && at < source.length() && source.charAt(at) == '\n') {
            at++;
        }
        countLines(start, at);
        lineStarting = source.charAt(at - 1) == '\n';
    }

    private void skipSpace() {
        while (at < source.length() && PythonText.isSpace(source.charAt(at))) {
            at++;
        }
    }

    /** After "{%" and its sign: a whole raw block, or nothing. */
    private boolean raw() {
        int start = at;
        skipSpace();
        if (!source.startsWith("raw", at)) {
            at = start;
            return false;
        }
        at += 3;
        skipSpace();
        boolean strips = source.startsWith("-%}", at);
        if (!strips && !source.startsWith("%}", at)) {
            at = start;
            return false;
        }
        at += strips ? 3 : 2;
        if (strips) {
            skipSpace();
        }
        countLines(start, at);
        lineStarting = source.charAt(at - 1) == '\n';
        for (int tag = source.indexOf("{%", at); tag >= 0; tag = source.indexOf("{%", tag + 1)) {
            int inner = tag + 2;
            char sign = inner < source.length() ? source.charAt(inner) : 0;
            boolean signed = sign == '-' || sign == '+';
            inner = afterSpace(signed ? inner + 1 : inner);
            if (!source.startsWith("endraw", inner)) {
                continue;
            }
            inner = afterSpace(inner + 6);
            char closing = inner < source.length() ? source.charAt(inner) : 0;
            boolean closingSigned = closing == '-' || closing == '+';
            if (!source.startsWith("%}", closingSigned ? inner + 1 : inner)) {
                continue;
            }
            leadingData(tag, signed ? sign : 0, true);
            int end = closingSigned ? inner + 1 : inner;
            countLines(at, end);
            at = end;
            closeTag(closingSigned ? closing : 0, true);
            return true;
        }
        throw new Failure("a raw block has no end 'endraw'");
    }

    private int afterSpace(int from) {
        int i = from;
        while (i < source.length() && PythonText.isSpace(source.charAt(i))) {
            i++;
        }
        return i;
    }

    /** The tokens of a print statement or a block, to its end. */
    private void code(Kind begin, Kind end) {
        tokens.add(new Token(begin, "", line));
        boolean block = begin == Kind.BLOCK_BEGIN;
        String closing = block ? "%}" : "}}";
        ArrayDeque<String> brackets = new ArrayDeque<>();
        while (at < source.length()) {
            char c = source.charAt(at);
            if (brackets.isEmpty()) {
                boolean signed = c == '-' || (c == '+' && block);
                if (source.startsWith(closing, signed ? at + 1 : at)) {
                    tokens.add(new Token(end, "", line));
                    at += signed ? 1 : 0;
                    closeTag(signed ? c : 0, block);
                    return;
                }
            }
            if (PythonText.isSpace(c)) {
                line += c == '\n' ? 1 : 0;
                at++;
            } else if (isDigit(c)) {
                number();
            } else if (c == '\'' || c == '"') {
                string(c);
            } else if (isNamePart(source.codePointAt(at))) {
                name();
            } else {
                operator(brackets);
            }
        }
    }

    private void operator(ArrayDeque<String> brackets) {
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, at)) {
                if (OPENING.contains(operator)) {
                    brackets.push(operator.equals("(") ? ")" : operator.equals("[") ? "]" : "}");
                } else if (")]}".contains(operator)
                        && (brackets.isEmpty() || !brackets.pop().equals(operator))) {
                    throw new Failure("unexpected '" + operator + "'");
                }
                tokens.add(new Token(Kind.OPERATOR, operator, line));
                at += operator.length();
                return;
            }
        }
        throw new Failure("unexpected character '" + Character.toString(source.codePointAt(at)) + "'");
    }

    private void name() {
        int start = at;
        while (at < source.length() && isNamePart(source.codePointAt(at))) {
            at += Character.charCount(source.codePointAt(at));
        }
        String name = source.substring(start, at);
        int first = name.codePointAt(0);
        if (first != '_' && !Character.isUnicodeIdentifierStart(first)) {
            throw new Failure("an identifier has an invalid character");
        }
        tokens.add(new Token(Kind.NAME, name, line));
    }

    /** What Python's regular expression class for word characters takes. */
    private static boolean isNamePart(int c) {
        return c == '_'
                || Character.isLetterOrDigit(c)
                || Character.getType(c) == Character.OTHER_NUMBER
                || Character.getType(c) == Character.LETTER_NUMBER;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private void number() {
        int start = at;
        if (source.charAt(at) == '0' && at + 1 < source.length()) {
            String digits = switch (Character.toLowerCase(source.charAt(at + 1))) {
                case 'x' -> "0123456789abcdefABCDEF";
                case 'o' -> "01234567";
                case 'b' -> "01";
                default -> "";
            };
            int end = digits.isEmpty() ? at : afterDigits(at + 2, digits, true);
            if (end > at + 2) {
                at = end;
                tokens.add(new Token(Kind.INTEGER, source.substring(start, end), line));
                return;
            }
        }
        int end = afterDigits(at, "0123456789", false);
        int whole = end;
        boolean afterDot = start > 0 && source.charAt(start - 1) == '.';
        if (!afterDot) {
            if (end + 1 < source.length() && source.charAt(end) == '.' && isDigit(source.charAt(end + 1))) {
                end = afterDigits(end + 1, "0123456789", false);
            }
            if (end < source.length() && Character.toLowerCase(source.charAt(end)) == 'e') {
                int exponent = end + 1;
                if (exponent < source.length() && "+-".indexOf(source.charAt(exponent)) >= 0) {
                    exponent++;
                }
                if (exponent < source.length() && isDigit(source.charAt(exponent))) {
                    end = afterDigits(exponent, "0123456789", false);
                }
            }
        }
        if (end == whole && source.charAt(start) == '0') {
            // A zero is followed by zeros only; other digits are a token of their own
            end = afterDigits(start, "0", false);
        }
        at = end;
        tokens.add(new Token(end <= whole ? Kind.INTEGER : Kind.FLOAT, source.substring(start, end), line));
    }

    /** The end of digits, which single underscores may separate. */
    private int afterDigits(int from, String digits, boolean mayStartWithUnderscore) {
        int i = from;
        while (i < source.length()) {
            char c = source.charAt(i);
            boolean underscore = c == '_' && (i > from || mayStartWithUnderscore);
            if (underscore && i + 1 < source.length() && digits.indexOf(source.charAt(i + 1)) >= 0) {
                i += 2;
            } else if (digits.indexOf(c) >= 0) {
                i++;
            } else {
                break;
            }
        }
        return i;
    }

    private void string(char quote) {
        StringBuilder value = new StringBuilder();
        int startLine = line;
        int i = at + 1;
        while (true) {
            if (i >= source.length()) {
                throw new Failure("a string has no end");
            }
            char c = source.charAt(i);
            if (c == quote) {
                break;
            }
            if (c == '\n') {
                line++;
            }
            if (c == '\\' && i + 1 < source.length()) {
                line += source.charAt(i + 1) == '\n' ? 1 : 0;
                i = escape(i + 1, value);
            } else {
                value.append(c);
                i++;
            }
        }
        at = i + 1;
        tokens.add(new Token(Kind.STRING, value.toString(), startLine));
    }

    /** Decodes what follows a backslash as Python's unicode-escape does, and returns where the rest begins. */
    private int escape(int i, StringBuilder value) {
        char c = source.charAt(i);
        switch (c) {
            case '\n' -> {}
            case '\\', '\'', '"' -> value.append(c);
            case 'a' -> value.append('\u0007');
            case 'b' -> value.append('\b');
            case 'f' -> value.append('\f');
            case 'n' -> value.append('\n');
            case 'r' -> value.append('\r');
            case 't' -> value.append('\t');
            case 'v' -> value.append('\u000b');
            case 'x' -> {
                return hexadecimal(i + 1, 2, value);
            }
            case 'u' -> {
                return hexadecimal(i + 1, 4, value);
            }
            case 'U' -> {
                return hexadecimal(i + 1, 8, value);
            }
            case 'N' -> {
                int end = source.indexOf('}', i);
                if (!source.startsWith("{", i + 1) || end < 0 || end - i > 100) {
                    throw new Failure("malformed \\N character escape");
                }
                try {
                    value.appendCodePoint(Character.codePointOf(source.substring(i + 2, end)));
                } catch (IllegalArgumentException e) {
                    throw new Failure("unknown Unicode character name");
                }
                return end + 1;
            }
            default -> {
                if (c >= '0' && c <= '7') {
                    int end = i;
                    int code = 0;
                    while (end < i + 3 && end < source.length() && "01234567".indexOf(source.charAt(end)) >= 0) {
                        code = code * 8 + source.charAt(end++) - '0';
                    }
                    value.append((char) code);
                    return end;
                }
                if (c < 128) {
                    value.append('\\').append(c);
                    return i + 1;
                }
                // The reference turns other characters into escapes first, so the backslash escapes the escape
                int point = source.codePointAt(i);
                value.append(String.format(
                        java.util.Locale.ROOT, point < 256 ? "\\x%02x" : point < 65536 ? "\\u%04x" : "\\U%08x", point));
                return i + Character.charCount(point);
            }
        }
        return i + 1;
    }

    private int hexadecimal(int from, int digits, StringBuilder value) {
        int to = from + digits;
        int code = 0;
        for (int i = from; i < to; i++) {
            int digit = i < source.length() ? Character.digit(source.charAt(i), 16) : -1;
            if (digit < 0 || source.charAt(i) > 127) {
                throw new Failure("truncated \\x, \\u or \\U escape");
            }
            code = code * 16 + digit;
        }
        if (code < 0 || code > Character.MAX_CODE_POINT) {
            throw new Failure("illegal Unicode character");
        }
        value.appendCodePoint(code);
        return to;
    }
}
