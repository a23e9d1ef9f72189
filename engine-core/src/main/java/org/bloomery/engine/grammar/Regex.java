package org.bloomery.engine.grammar;

import java.util.List;

/** A parsed regular expression. */
sealed interface Regex {

    /** One character of a set. */
    record Chars(CodePoints set) implements Regex {}

    /** One after the other; the empty text where there are none. */
    record Sequence(List<Regex> parts) implements Regex {}

    /** One of several. */
    record Choice(List<Regex> alternatives) implements Regex {}

    /**
     * Several times.
     *
     * @param most {@link Integer#MAX_VALUE} for no bound
     */
    record Repeat(Regex body, int least, int most) implements Regex {}

    /** The empty text at the beginning or the end of the whole text. */
    record Anchor(boolean beginning) implements Regex {}

    /** The texts that an expression matches as a whole. */
    static CharDfa matching(String pattern, Budget budget) {
        Regex regex = RegexParser.parse(pattern, budget);
        CharNfa nfa = new CharNfa(budget);
        budget.states(regex.states());
        return nfa.toDfa(regex.build(nfa, 0), false);
    }

    /** The texts in which an expression matches somewhere, as JSON Schema's {@code pattern} means it. */
    static CharDfa within(String pattern, Budget budget) {
        Regex regex = RegexParser.parse(pattern, budget);
        CharNfa nfa = new CharNfa(budget);
        budget.states(regex.states());
        int before = nfa.newState();
        nfa.empty(0, before, CharNfa.When.ALWAYS);
        nfa.move(before, CodePoints.ALL, before);
        return nfa.toDfa(regex.build(nfa, before), true);
    }

    /** States that {@link #build} makes, at most {@link Integer#MAX_VALUE}. */
    private long states() {
        long count = switch (this) {
            case Chars chars -> 1;
            case Anchor anchor -> 1;
            case Sequence sequence ->
                1 + sequence.parts().stream().mapToLong(Regex::states).sum();
            case Choice choice ->
                1 + choice.alternatives().stream().mapToLong(Regex::states).sum();
            case Repeat repeat -> {
                long copies = repeat.most() == Integer.MAX_VALUE ? repeat.least() + 1L : repeat.most();
                yield 2 + copies * (repeat.body().states() + 1);
            }
        };
        return Math.min(count, Integer.MAX_VALUE);
    }

    /** Builds the moves from a state that nothing leads back to, and returns the state behind. */
    private int build(CharNfa nfa, int from) {
        return switch (this) {
            case Chars chars -> {
                int to = nfa.newState();
                nfa.move(from, chars.set(), to);
                yield to;
            }
            case Anchor anchor -> {
                int to = nfa.newState();
                nfa.empty(from, to, anchor.beginning() ? CharNfa.When.AT_BEGINNING : CharNfa.When.AT_END);
                yield to;
            }
            case Sequence sequence -> {
                int at = from;
                for (Regex part : sequence.parts()) {
                    at = part.build(nfa, at);
                }
                yield at;
            }
            case Choice choice -> {
                int to = nfa.newState();
                for (Regex alternative : choice.alternatives()) {
                    nfa.empty(alternative.build(nfa, from), to, CharNfa.When.ALWAYS);
                }
                yield to;
            }
            case Repeat repeat -> repeat(nfa, from, repeat);
        };
    }

    private static int repeat(CharNfa nfa, int from, Repeat repeat) {
        int at = from;
        for (int i = 0; i < repeat.least(); i++) {
            at = repeat.body().build(nfa, at);
        }
        int end = nfa.newState();
        if (repeat.most() == Integer.MAX_VALUE) {
            nfa.empty(at, end, CharNfa.When.ALWAYS);
            nfa.empty(repeat.body().build(nfa, loopHead(nfa, end)), end, CharNfa.When.ALWAYS);
            return exit(nfa, end);
        }
        for (int i = repeat.least(); i < repeat.most(); i++) {
            nfa.empty(at, end, CharNfa.When.ALWAYS);
            at = repeat.body().build(nfa, at);
        }
        nfa.empty(at, end, CharNfa.When.ALWAYS);
        return end;
    }

    private static int loopHead(CharNfa nfa, int end) {
        int head = nfa.newState();
        nfa.empty(end, head, CharNfa.When.ALWAYS);
        return head;
    }

    private static int exit(CharNfa nfa, int end) {
        int exit = nfa.newState();
        nfa.empty(end, exit, CharNfa.When.ALWAYS);
        return exit;
    }
}
