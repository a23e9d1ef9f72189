package org.bloomery.spring.security;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/**
 * A text that is let go piece by piece, always some way behind what has come: the window. What is judged bad in the window
 * is replaced or blocked before it is let go, and what could still become bad stays in it.
 */
final class GuardedText {

    /** Most characters that a replacement that does not end yet may hold up, besides the window. */
    static final int LONGEST = 16_384;

    /** What became of a piece. */
    enum Outcome {
        PASSED,
        BLOCKED,
        /** A replacement reaches back further than can be held. */
        ENDLESS,
        /** Nobody wants more. */
        REFUSED
    }

    /** Judges a window. */
    interface Judge {
        Judgement judge(String window, boolean last);
    }

    /**
     * What is to be done with a window.
     *
     * @param blocks whether nothing of it may pass
     * @param replacements what to replace, in their order, none overlapping another
     */
    record Judgement(boolean blocks, List<Verdict.Replacement> replacements) {

        static final Judgement BLOCK = new Judgement(true, List.of());

        /** A judgement of several guards; where two replacements overlap, one covers both. */
        static Judgement replacing(List<Verdict.Replacement> replacements) {
            if (replacements.size() < 2) {
                return new Judgement(false, replacements);
            }
            List<Verdict.Replacement> sorted = new ArrayList<>(replacements);
            sorted.sort(Comparator.comparingInt(Verdict.Replacement::start));
            List<Verdict.Replacement> merged = new ArrayList<>();
            for (Verdict.Replacement each : sorted) {
                Verdict.Replacement before = merged.isEmpty() ? null : merged.getLast();
                if (before != null && each.start() < before.end()) {
                    merged.set(
                            merged.size() - 1,
                            new Verdict.Replacement(before.start(), Math.max(before.end(), each.end()), before.text()));
                } else {
                    merged.add(each);
                }
            }
            return new Judgement(false, merged);
        }
    }

    private final int holdBack;
    private final Judge judge;
    private final Predicate<String> out;
    private final StringBuilder window = new StringBuilder();
    private final StringBuilder released = new StringBuilder();

    GuardedText(int holdBack, Judge judge, Predicate<String> out) {
        this.holdBack = holdBack;
        this.judge = judge;
        this.out = out;
    }

    /** Whether something is held back. */
    boolean holds() {
        return !window.isEmpty();
    }

    /** What was let go so far. */
    String released() {
        return released.toString();
    }

    /** Takes a piece, or with {@code last} the end. */
    Outcome accept(String delta, boolean last) {
        window.append(delta);
        if (window.isEmpty() || (!last && window.length() <= holdBack)) {
            return Outcome.PASSED;
        }
        String held = window.toString();
        Judgement judgement = judge.judge(held, last);
        if (judgement.blocks()) {
            window.setLength(0);
            return Outcome.BLOCKED;
        }
        int limit = last ? held.length() : limit(held, judgement.replacements());
        if (held.length() - limit > holdBack + LONGEST) {
            window.setLength(0);
            return Outcome.ENDLESS;
        }
        if (limit == 0) {
            return Outcome.PASSED;
        }
        List<Verdict.Replacement> inside = judgement.replacements().stream()
                .filter(replacement -> replacement.end() <= limit)
                .toList();
        String piece = Verdict.apply(held.substring(0, limit), inside);
        window.delete(0, limit);
        if (piece.isEmpty()) {
            return Outcome.PASSED;
        }
        released.append(piece);
        return out.test(piece) ? Outcome.PASSED : Outcome.REFUSED;
    }

    /** How much of the window may go: all but what is held back, to the end of a word if there is one, not into a replacement. */
    private int limit(String held, List<Verdict.Replacement> replacements) {
        int limit = held.length() - holdBack;
        for (int i = limit; i > 0; i--) {
            if (Character.isWhitespace(held.charAt(i - 1))) {
                limit = i;
                break;
            }
        }
        if (limit > 0 && Character.isHighSurrogate(held.charAt(limit - 1))) {
            limit--;
        }
        for (Verdict.Replacement each : replacements) {
            if (each.start() < limit && each.end() > limit) {
                limit = each.start();
            }
        }
        return limit;
    }
}
