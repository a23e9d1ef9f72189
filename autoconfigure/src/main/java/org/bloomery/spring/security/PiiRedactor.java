package org.bloomery.spring.security;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Finds personal data that has a form of its own and puts a word in its place, such as {@code [EMAIL]}. For prompts,
 * answers, logs and audit records alike. Takes time in proportion to the text. It finds forms, not meanings: names,
 * addresses and numbers without a checksum pass, and a version number of four parts is taken for an address of a machine.
 */
public final class PiiRedactor implements UnaryOperator<String> {

    /** What can be found. */
    public enum Kind {
        /** Addresses of electronic mail. */
        EMAIL,
        /** Telephone numbers: international ones, German and other ones with a leading zero, North American ones. */
        PHONE,
        /** Account numbers of a known country whose check digits are right (ISO 13616). */
        IBAN,
        /** Payment card numbers whose check digit is right (ISO/IEC 7812). */
        CARD,
        /** Addresses of machines, IPv4 and IPv6. */
        IP,
        /** German tax identification numbers whose check digit is right. */
        TAX_ID
    }

    /**
     * Where something is.
     *
     * @param kind what it is
     * @param start its first character
     * @param end the character after its last
     */
    public record Finding(Kind kind, int start, int end) {}

    private final Set<Kind> kinds;

    /** Finds every kind. */
    public PiiRedactor() {
        this(EnumSet.allOf(Kind.class));
    }

    public PiiRedactor(Set<Kind> kinds) {
        this.kinds = Set.copyOf(kinds);
    }

    /** The text with a word in place of whatever is found. */
    @Override
    public String apply(String text) {
        return Verdict.apply(text, replacements(text));
    }

    List<Verdict.Replacement> replacements(String text) {
        return find(text).stream()
                .map(finding -> new Verdict.Replacement(
                        finding.start(), finding.end(), "[" + finding.kind().name() + "]"))
                .toList();
    }

    /** Whatever is found, in its order, none overlapping another. */
    public List<Finding> find(String text) {
        List<Finding> found = new ArrayList<>();
        int i = 0;
        while (i < text.length()) {
            Finding finding = at(text, i);
            if (finding == null) {
                i++;
                continue;
            }
            int start = finding.start();
            // An e-mail address is found at its middle, and may begin with what looked like a number
            while (!found.isEmpty() && found.getLast().end() > start) {
                start = Math.min(start, found.removeLast().start());
            }
            found.add(new Finding(finding.kind(), start, finding.end()));
            i = finding.end();
        }
        return found;
    }

    private @Nullable Finding at(String text, int i) {
        char c = text.charAt(i);
        if (c == '@') {
            return finding(Kind.EMAIL, emailStart(text, i), emailEnd(text, i));
        }
        if (i > 0 && isWord(text.charAt(i - 1))) {
            return null;
        }
        if (isHex(c) || c == ':') {
            Finding ip = finding(Kind.IP, i, PiiNumbers.ipEnd(text, i));
            if (ip != null) {
                return ip;
            }
        }
        if (isLetter(c)) {
            return finding(Kind.IBAN, i, PiiNumbers.ibanEnd(text, i));
        }
        if (isDigit(c) || c == '+' || c == '(') {
            Finding number = finding(Kind.CARD, i, PiiNumbers.cardEnd(text, i));
            number = number != null ? number : finding(Kind.TAX_ID, i, PiiNumbers.taxIdEnd(text, i));
            return number != null ? number : finding(Kind.PHONE, i, PiiNumbers.phoneEnd(text, i));
        }
        return null;
    }

    private @Nullable Finding finding(Kind kind, int start, int end) {
        return start >= 0 && end > start && kinds.contains(kind) ? new Finding(kind, start, end) : null;
    }

    private static int emailStart(String text, int at) {
        int start = at;
        while (start > 0 && at - start < 64 && isLocal(text.charAt(start - 1))) {
            start--;
        }
        while (start < at && text.charAt(start) == '.') {
            start++;
        }
        return start < at && text.charAt(at - 1) != '.' ? start : -1;
    }

    private static boolean isLocal(char c) {
        return Character.isLetterOrDigit(c) || "._%+-'".indexOf(c) >= 0;
    }

    /** The end of a domain that stands behind an at sign: labels and a last one of letters. */
    private static int emailEnd(String text, int at) {
        int end = -1;
        int label = at + 1;
        boolean letters = true;
        for (int i = at + 1; i <= text.length() && i - at <= 255; i++) {
            char c = i < text.length() ? text.charAt(i) : ' ';
            if (Character.isLetterOrDigit(c) || c == '-') {
                letters &= Character.isLetter(c);
                continue;
            }
            boolean first = label == at + 1;
            if (i == label || text.charAt(i - 1) == '-') {
                break;
            }
            if (!first && letters && i - label >= 2) {
                end = i;
            }
            if (c != '.') {
                break;
            }
            label = i + 1;
            letters = true;
        }
        return end;
    }

    static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    static boolean isLetter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }

    static boolean isHex(char c) {
        return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    }

    static boolean isWord(char c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }
}
