package org.bloomery.engine.template;

/** What Python takes for white space, line ends and printable characters. */
final class PythonText {

    private PythonText() {}

    /** str.isspace for one character. */
    static boolean isSpace(int c) {
        return c <= 0x20
                ? c == 0x20 || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f)
                : c == 0x85
                        || c == 0xa0
                        || c == 0x1680
                        || (c >= 0x2000 && c <= 0x200a)
                        || c == 0x2028
                        || c == 0x2029
                        || c == 0x202f
                        || c == 0x205f
                        || c == 0x3000;
    }

    /** Where str.splitlines splits. */
    static boolean isLineEnd(int c) {
        return (c >= 0x0a && c <= 0x0d) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
    }

    /** str.isprintable for one character. */
    static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
    }

    /** Whether the character has upper and lower case. */
    static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }

    /**
     * The first offset of a pattern at or after from, or -1, in time linear in both lengths.
     */
    static int find(String text, String pattern, int from) {
        int length = pattern.length();
        if (length <= 16 || length > text.length() - from) {
            return text.indexOf(pattern, from);
        }
        // Knuth, Morris, Pratt: String.indexOf takes quadratic time on repetitive text
        int[] fallback = new int[length];
        for (int i = 1, k = 0; i < length; i++) {
            while (k > 0 && pattern.charAt(i) != pattern.charAt(k)) {
                k = fallback[k - 1];
            }
            if (pattern.charAt(i) == pattern.charAt(k)) {
                k++;
            }
            fallback[i] = k;
        }
        for (int i = from, k = 0; i < text.length(); i++) {
            while (k > 0 && text.charAt(i) != pattern.charAt(k)) {
                k = fallback[k - 1];
            }
            if (text.charAt(i) == pattern.charAt(k)) {
                k++;
            }
            if (k == length) {
                return i - length + 1;
            }
        }
        return -1;
    }

    /** The last offset of a pattern that ends at or before to, or -1, in linear time. */
    static int findLast(String text, String pattern, int from, int to) {
        if (pattern.length() <= 16) {
            int at = to - pattern.length() < from ? -1 : text.lastIndexOf(pattern, to - pattern.length());
            return at < from ? -1 : at;
        }
        String backwards = new StringBuilder(text.substring(from, to)).reverse().toString();
        int at = find(backwards, new StringBuilder(pattern).reverse().toString(), 0);
        return at < 0 ? -1 : to - at - pattern.length();
    }
}
