package org.bloomery.spring.security;

import java.util.HashMap;
import java.util.Map;

/** Numbers with a form or a checksum of their own. Every method looks at a bounded number of characters. */
final class PiiNumbers {

    private static final int MOST_DIGITS = 24;

    /** Length of an account number by country, from the registry of ISO 13616. */
    private static final Map<String, Integer> IBAN_LENGTHS =
            lengths("AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28"
                    + " CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28"
                    + " IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31"
                    + " MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26"
                    + " UA29 VA22 VG24 XK20");

    private PiiNumbers() {}

    private static Map<String, Integer> lengths(String table) {
        Map<String, Integer> lengths = new HashMap<>();
        for (String entry : table.split(" ")) {
            lengths.put(entry.substring(0, 2), Integer.parseInt(entry.substring(2)));
        }
        return lengths;
    }

    /** The end of an account number that begins here, or -1. Its groups may be parted by one space each. */
    static int ibanEnd(String text, int start) {
        if (start + 15 > text.length()) {
            return -1;
        }
        Integer length = IBAN_LENGTHS.get(text.substring(start, start + 2).toUpperCase(java.util.Locale.ROOT));
        if (length == null || !PiiRedactor.isDigit(text.charAt(start + 2))) {
            return -1;
        }
        StringBuilder number = new StringBuilder(length);
        int i = start;
        while (i < text.length() && number.length() < length) {
            char c = text.charAt(i);
            if (PiiRedactor.isDigit(c) || PiiRedactor.isLetter(c)) {
                number.append(Character.toUpperCase(c));
            } else if (c != ' ' || text.charAt(i - 1) == ' ') {
                return -1;
            }
            i++;
        }
        boolean whole = number.length() == length && (i == text.length() || !PiiRedactor.isWord(text.charAt(i)));
        return whole && remainder97(number) == 1 ? i : -1;
    }

    /** ISO 7064, MOD 97-10, of the number with its first four characters behind the others. */
    private static int remainder97(CharSequence number) {
        int remainder = 0;
        for (int i = 0; i < number.length(); i++) {
            int value = Character.digit(number.charAt((i + 4) % number.length()), 36);
            remainder = (remainder * (value < 10 ? 10 : 100) + value) % 97;
        }
        return remainder;
    }

    /** The end of a card number that begins here, or -1: 13 to 19 digits in groups parted by one space or hyphen each. */
    static int cardEnd(String text, int start) {
        Digits digits = new Digits(text, start, " -", 1);
        if (digits.count < 13 || text.charAt(start) < '2' || text.charAt(start) > '6') {
            return -1;
        }
        for (int length = Math.min(19, digits.count); length >= 13; length--) {
            int end = digits.ends[length - 1];
            boolean grouped = end == text.length() || !PiiRedactor.isWord(text.charAt(end));
            if (grouped && luhn(digits.values, length)) {
                return end;
            }
        }
        return -1;
    }

    private static boolean luhn(int[] digits, int length) {
        int sum = 0;
        for (int i = 0; i < length; i++) {
            int digit = digits[length - 1 - i] * (i % 2 == 0 ? 1 : 2);
            sum += digit > 9 ? digit - 9 : digit;
        }
        return sum % 10 == 0;
    }

    /** The end of a German tax identification number that begins here, or -1: 11 digits, or 2, 3, 3 and 3 of them. */
    static int taxIdEnd(String text, int start) {
        Digits digits = new Digits(text, start, " ", 1);
        if (digits.count < 11 || digits.values[0] == 0) {
            return -1;
        }
        int end = digits.ends[10];
        boolean together = end - start == 11;
        boolean parted = end - start == 14
                && text.charAt(start + 2) == ' '
                && text.charAt(start + 6) == ' '
                && text.charAt(start + 10) == ' ';
        if (!(together || parted) || (end < text.length() && PiiRedactor.isWord(text.charAt(end)))) {
            return -1;
        }
        return oneDigitComesAgain(digits.values) && checkDigit(digits.values) == digits.values[10] ? end : -1;
    }

    /** Among the first ten digits exactly one comes two or three times. */
    private static boolean oneDigitComesAgain(int[] digits) {
        int[] counts = new int[10];
        for (int i = 0; i < 10; i++) {
            counts[digits[i]]++;
        }
        int again = 0;
        for (int count : counts) {
            if (count > 3) {
                return false;
            }
            again += count > 1 ? 1 : 0;
        }
        return again == 1;
    }

    /** ISO 7064, MOD 11,10, of the first ten digits. */
    private static int checkDigit(int[] digits) {
        int product = 10;
        for (int i = 0; i < 10; i++) {
            int sum = (digits[i] + product) % 10;
            product = (sum == 0 ? 10 : sum) * 2 % 11;
        }
        return product == 1 ? 0 : 11 - product;
    }

    /** The end of a telephone number that begins here, or -1. */
    static int phoneEnd(String text, int start) {
        char c = text.charAt(start);
        int first = c == '+' || c == '(' ? start + 1 : start;
        if (first >= text.length() || !PiiRedactor.isDigit(text.charAt(first))) {
            return -1;
        }
        Digits digits = new Digits(text, first, " -./()", 3);
        int count = digits.groupedAtMost(15);
        if (count == 0) {
            return -1;
        }
        int end = digits.ends[count - 1];
        if (end < text.length() && PiiRedactor.isWord(text.charAt(end))) {
            return -1;
        }
        boolean zero = digits.values[0] == 0;
        boolean international = c == '+' ? count >= 8 && !zero : zero && digits.values[1] == 0 && count >= 10;
        int gaps = end - first - count;
        boolean national = zero
                && count >= 9
                && (gaps == 0 ? count <= 12 : text.substring(first, end).indexOf('.') < 0);
        if (international || national) {
            return end;
        }
        return northAmericanEnd(text, digits, first, c == '(');
    }

    /** Three, three and four digits with something between them. */
    private static int northAmericanEnd(String text, Digits digits, int first, boolean bracket) {
        if (digits.count < 10 || digits.values[0] < 2 || digits.ends[2] != first + 3) {
            return -1;
        }
        int second = digits.ends[3] - 1;
        int third = digits.ends[6] - 1;
        int end = digits.ends[9];
        boolean formed = second > first + 3
                && digits.ends[5] == second + 3
                && third == second + 4
                && end == third + 4
                && (end == text.length() || !PiiRedactor.isWord(text.charAt(end)))
                && (!bracket || text.charAt(first + 3) == ')');
        return formed ? end : -1;
    }

    /** The end of an address of a machine that begins here, or -1. */
    static int ipEnd(String text, int start) {
        if (start > 0 && (text.charAt(start - 1) == '.' || text.charAt(start - 1) == ':')) {
            return -1;
        }
        int end = start;
        int colons = 0;
        while (end < text.length() && end - start <= 46) {
            char c = text.charAt(end);
            if (!PiiRedactor.isHex(c) && c != ':' && c != '.') {
                break;
            }
            colons += c == ':' ? 1 : 0;
            end++;
        }
        boolean followed = end < text.length() && (PiiRedactor.isWord(text.charAt(end)) || end - start > 46);
        while (end > start && (text.charAt(end - 1) == '.' || (text.charAt(end - 1) == ':' && !doubled(text, end)))) {
            end--;
            colons -= text.charAt(end) == ':' ? 1 : 0;
        }
        String address = text.substring(start, end);
        if (colons >= 2) {
            return !followed && isIpv6(address) ? end : -1;
        }
        int length = ipv4Length(text, start);
        return length > 0 ? start + length : -1;
    }

    private static boolean doubled(String text, int end) {
        return end >= 2 && text.charAt(end - 2) == ':';
    }

    /** Length of four numbers of 0 to 255 with dots between them and no further number behind, or 0. */
    private static int ipv4Length(String text, int start) {
        int i = start;
        for (int part = 0; part < 4; part++) {
            int digits = 0;
            int value = 0;
            while (i < text.length() && digits < 3 && PiiRedactor.isDigit(text.charAt(i))) {
                value = 10 * value + text.charAt(i) - '0';
                digits++;
                i++;
            }
            if (digits == 0 || value > 255) {
                return 0;
            }
            if (part < 3) {
                if (i >= text.length() || text.charAt(i) != '.') {
                    return 0;
                }
                i++;
            }
        }
        boolean more = i < text.length()
                && (PiiRedactor.isWord(text.charAt(i))
                        || (text.charAt(i) == '.' && i + 1 < text.length() && PiiRedactor.isDigit(text.charAt(i + 1))));
        return more ? 0 : i - start;
    }

    private static boolean isIpv6(String address) {
        int gap = address.indexOf("::");
        if (gap >= 0 && address.indexOf("::", gap + 1) >= 0) {
            return false;
        }
        int groups = 0;
        boolean digit = false;
        for (String group : address.split(":", -1)) {
            if (group.indexOf('.') >= 0) {
                if (!address.endsWith(group) || ipv4Length(group, 0) != group.length()) {
                    return false;
                }
                groups += 2;
                digit = true;
            } else if (group.length() > 4) {
                return false;
            } else if (!group.isEmpty()) {
                groups++;
                digit |= group.chars().anyMatch(c -> c >= '0' && c <= '9');
            }
        }
        if (gap < 0) {
            return groups == 8 && !address.startsWith(":") && !address.endsWith(":");
        }
        boolean dangling =
                (address.startsWith(":") && gap != 0) || (address.endsWith(":") && gap != address.length() - 2);
        return !dangling && digit && groups >= 1 && groups <= 7;
    }

    /** The digits from a place on, with a few characters between them. */
    private static final class Digits {

        final int[] values = new int[MOST_DIGITS];
        /** The character after each digit. */
        final int[] ends = new int[MOST_DIGITS];

        final int count;

        Digits(String text, int start, String between, int mostBetween) {
            int n = 0;
            int gap = 0;
            for (int i = start; i < text.length() && n < MOST_DIGITS; i++) {
                char c = text.charAt(i);
                if (PiiRedactor.isDigit(c)) {
                    values[n] = c - '0';
                    ends[n] = i + 1;
                    n++;
                    gap = 0;
                } else if (n == 0 || between.indexOf(c) < 0 || ++gap > mostBetween) {
                    break;
                }
            }
            count = n;
        }

        /** The most digits up to this many after which a group ends. */
        int groupedAtMost(int most) {
            if (count <= most) {
                return count;
            }
            for (int n = most; n > 0; n--) {
                if (ends[n] - ends[n - 1] > 1) {
                    return n;
                }
            }
            return 0;
        }
    }
}
