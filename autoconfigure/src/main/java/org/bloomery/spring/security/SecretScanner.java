package org.bloomery.spring.security;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Finds keys and passwords by their form: keys of AWS, GitHub and Slack, private keys, JSON Web Tokens, and values with much
 * entropy behind words like {@code api_key=}. Takes time in proportion to the text.
 */
final class SecretScanner {

    private static final String SECRET = "[SECRET]";
    private static final List<String> NAMES = List.of(
            "key",
            "secret",
            "token",
            "password",
            "passwd",
            "passphrase",
            "pwd",
            "credential",
            "credentials",
            "authorization");
    private static final int LONGEST_NAME = 40;
    private static final int SHORTEST_VALUE = 16;
    /** As many characters of a value say what it is. */
    private static final int LONGEST_JUDGED = 512;

    private static final double LEAST_ENTROPY = 3.5;

    private SecretScanner() {}

    static List<Verdict.Replacement> find(String text) {
        List<Verdict.Replacement> found = new ArrayList<>();
        int i = 0;
        while (i < text.length()) {
            char c = text.charAt(i);
            int start = i;
            int end = -1;
            if (c == '=' || c == ':') {
                start = valueStart(text, i);
                end = start < 0 ? -1 : valueEnd(text, start);
            } else if (c == '-') {
                end = privateKeyEnd(text, i);
            } else if (i == 0 || !isToken(text.charAt(i - 1))) {
                end = tokenEnd(text, i);
            }
            if (end > start) {
                found.add(new Verdict.Replacement(start, end, SECRET));
                i = end;
            } else {
                i++;
            }
        }
        return found;
    }

    private static int tokenEnd(String text, int i) {
        return switch (text.charAt(i)) {
            case 'A' -> text.startsWith("AKIA", i) || text.startsWith("ASIA", i) ? awsEnd(text, i) : -1;
            case 'g' -> githubEnd(text, i);
            case 'x' -> slackEnd(text, i);
            case 'e' -> jwtEnd(text, i);
            default -> -1;
        };
    }

    private static int awsEnd(String text, int i) {
        int end = i + 4;
        while (end < text.length() && end < i + 21 && isUpperOrDigit(text.charAt(end))) {
            end++;
        }
        return end == i + 20 && (end == text.length() || !isToken(text.charAt(end))) ? end : -1;
    }

    private static boolean isUpperOrDigit(char c) {
        return (c >= 'A' && c <= 'Z') || PiiRedactor.isDigit(c);
    }

    private static int githubEnd(String text, int i) {
        boolean fine = text.startsWith("github_pat_", i);
        boolean classic = text.startsWith("gh", i)
                && i + 3 < text.length()
                && "pousr".indexOf(text.charAt(i + 2)) >= 0
                && text.charAt(i + 3) == '_';
        if (!fine && !classic) {
            return -1;
        }
        int end = end(text, i);
        return end - i >= (fine ? 33 : 40) ? end : -1;
    }

    private static int slackEnd(String text, int i) {
        boolean prefix = text.startsWith("xox", i)
                && i + 4 < text.length()
                && "abeprs".indexOf(text.charAt(i + 3)) >= 0
                && text.charAt(i + 4) == '-';
        int end = prefix ? end(text, i) : -1;
        return end - i >= 20 ? end : -1;
    }

    /** A token is taken for one from the beginning of its second part on: its third may be long. */
    private static int jwtEnd(String text, int i) {
        if (!text.startsWith("eyJ", i)) {
            return -1;
        }
        int header = end(text, i);
        if (header - i < 12 || !text.startsWith(".eyJ", header)) {
            return -1;
        }
        int end = end(text, header + 1);
        if (end < text.length() && text.charAt(end) == '.') {
            end = end(text, end + 1);
        }
        return end;
    }

    /** The end of a run of letters, digits, hyphens and underscores. */
    private static int end(String text, int i) {
        int end = i;
        while (end < text.length() && isToken(text.charAt(end))) {
            end++;
        }
        return end;
    }

    private static boolean isToken(char c) {
        return PiiRedactor.isLetter(c) || PiiRedactor.isDigit(c) || c == '-' || c == '_';
    }

    /** From the line that opens a private key to the one that closes it, or to the end where none does. */
    private static int privateKeyEnd(String text, int i) {
        if (!text.startsWith("-----BEGIN ", i)) {
            return -1;
        }
        int line = text.indexOf("-----", i + 11);
        if (line < 0 || line - i > 60 || !text.substring(i, line).contains("PRIVATE KEY")) {
            return -1;
        }
        int footer = text.indexOf("-----END ", line);
        int close = footer < 0 ? -1 : text.indexOf("-----", footer + 9);
        return close < 0 ? text.length() : close + 5;
    }

    /** Where a value begins whose name, which ends at this sign, is one of a secret's; or -1. */
    private static int valueStart(String text, int sign) {
        int end = sign;
        while (end > 0 && sign - end < 4 && " \"'".indexOf(text.charAt(end - 1)) >= 0) {
            end--;
        }
        int start = end;
        while (start > 0 && end - start < LONGEST_NAME && isToken(text.charAt(start - 1))) {
            start--;
        }
        String name = text.substring(start, end).toLowerCase(Locale.ROOT);
        if (NAMES.stream().noneMatch(name::endsWith)) {
            return -1;
        }
        int value = sign + 1;
        while (value < text.length() && value - sign < 6 && " \"'=>".indexOf(text.charAt(value)) >= 0) {
            value++;
        }
        for (String scheme : List.of("Bearer ", "Basic ")) {
            if (text.startsWith(scheme, value)) {
                value += scheme.length();
            }
        }
        return value;
    }

    private static int valueEnd(String text, int start) {
        int[] counts = new int[128];
        int end = start;
        boolean digit = false;
        while (end < text.length() && end - start < LONGEST_JUDGED && isValue(text.charAt(end))) {
            counts[text.charAt(end)]++;
            digit |= PiiRedactor.isDigit(text.charAt(end));
            end++;
        }
        int length = end - start;
        if (length < SHORTEST_VALUE || !digit || entropy(counts, length) < LEAST_ENTROPY) {
            return -1;
        }
        while (end < text.length() && isValue(text.charAt(end))) {
            end++;
        }
        return end;
    }

    private static boolean isValue(char c) {
        return isToken(c) || "+/=.~!$%^*".indexOf(c) >= 0;
    }

    /** Bits a character. */
    private static double entropy(int[] counts, int length) {
        double bits = 0;
        for (int count : counts) {
            if (count > 0) {
                double share = count / (double) length;
                bits -= share * Math.log(share) / Math.log(2);
            }
        }
        return bits;
    }
}
