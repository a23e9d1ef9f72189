package org.bloomery.spring.security;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;

/** What a guard says of a text. */
public sealed interface Verdict {

    /** Nothing against it. */
    Verdict ALLOW = new Allow();

    /** Nothing against it. */
    record Allow() implements Verdict {}

    /**
     * The text may pass once parts of it are replaced.
     *
     * @param reason why: a code of lower-case letters, digits and hyphens, never text of a request
     * @param replacements what to replace, in their order, none overlapping another
     */
    record Redact(String reason, List<Replacement> replacements) implements Verdict {

        public Redact {
            Code.check(reason);
            List<Replacement> sorted = new ArrayList<>(replacements);
            sorted.sort(Comparator.comparingInt(Replacement::start));
            int end = 0;
            for (Replacement each : sorted) {
                if (each.start() < end || each.end() < each.start()) {
                    throw new IllegalArgumentException("Replacements overlap at character " + each.start() + ".");
                }
                end = each.end();
            }
            replacements = List.copyOf(sorted);
        }
    }

    /**
     * The text may not pass.
     *
     * @param reason why: a code of lower-case letters, digits and hyphens, never text of a request
     */
    record Block(String reason) implements Verdict {

        public Block {
            Code.check(reason);
        }
    }

    /**
     * A part of a text and what comes in its place.
     *
     * @param start its first character
     * @param end the character after its last
     * @param text what comes in its place
     */
    record Replacement(int start, int end, String text) {

        /** Leaves the text out. */
        @Override
        public String toString() {
            return "Replacement[" + start + ", " + end + "]";
        }
    }

    /** A redaction that puts another text in place of the whole. */
    static Verdict redact(String reason, String whole, String replacement) {
        return new Redact(reason, List.of(new Replacement(0, whole.length(), replacement)));
    }

    /** A redaction of these parts, or {@link #ALLOW} where there are none. */
    static Verdict redact(String reason, List<Replacement> replacements) {
        return replacements.isEmpty() ? ALLOW : new Redact(reason, replacements);
    }

    static Verdict block(String reason) {
        return new Block(reason);
    }

    /** The text with these parts replaced. */
    static String apply(String text, List<Replacement> replacements) {
        StringBuilder replaced = new StringBuilder(text.length());
        int at = 0;
        for (Replacement each : replacements) {
            replaced.append(text, at, each.start()).append(each.text());
            at = each.end();
        }
        return replaced.append(text, at, text.length()).toString();
    }

    /** Reasons are codes, so that no text of a request comes into an error by this way. */
    final class Code {

        private static final Pattern CODE = Pattern.compile("[a-z0-9-]{1,64}");

        private Code() {}

        private static void check(String reason) {
            if (!CODE.matcher(reason).matches()) {
                throw new IllegalArgumentException(
                        "A verdict's reason must be 1 to 64 lower-case letters, digits and hyphens.");
            }
        }
    }
}
