package org.bloomery.engine.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A deterministic automaton over characters: a set of texts that can be intersected and complemented. State 0 is the
 * start. Immutable.
 *
 * @param classes the characters it tells apart
 * @param next the state after a class, by state and class; -1 where the text is refused
 * @param accepting whether a text may end in a state
 */
record CharDfa(CharClasses classes, int[][] next, boolean[] accepting) {

    private static final CharClasses ONE_CLASS = new CharClasses(List.of(CodePoints.ALL));

    /** Every text. */
    static final CharDfa ALL = new CharDfa(ONE_CLASS, new int[][] {{0}}, new boolean[] {true});

    /** These texts. */
    static CharDfa of(Collection<String> texts, Budget budget) {
        CharNfa nfa = new CharNfa(budget);
        int end = nfa.newState();
        Map<Long, Integer> trie = new HashMap<>();
        for (String text : texts) {
            int state = 0;
            for (int c : text.codePoints().toArray()) {
                int from = state;
                budget.spend(4);
                Integer known = trie.get((long) state << 32 | c);
                if (known == null) {
                    known = nfa.newState();
                    trie.put((long) state << 32 | c, known);
                    nfa.move(from, CodePoints.of(c), known);
                }
                state = known;
            }
            nfa.empty(state, end, CharNfa.When.ALWAYS);
        }
        return nfa.toDfa(end, false);
    }

    /** Texts of so many characters. */
    static CharDfa ofLength(int least, int most, Budget budget) {
        int longest = most == Integer.MAX_VALUE ? least : most;
        budget.states(1L + longest);
        int states = 1 + longest;
        int[][] next = new int[states][1];
        boolean[] accepting = new boolean[states];
        for (int i = 0; i < states; i++) {
            next[i][0] = i + 1 < states ? i + 1 : most == Integer.MAX_VALUE ? i : -1;
            accepting[i] = i >= least;
        }
        return new CharDfa(ONE_CLASS, next, accepting);
    }

    int states() {
        return next.length;
    }

    /** Whether no text is accepted. */
    boolean isEmpty() {
        // Trimmed: every state leads to an accepting one, but for a lone start
        return states() == 1 && !accepting[0];
    }

    boolean matches(String text) {
        int state = 0;
        for (int c : text.codePoints().toArray()) {
            if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
                return false;
            }
            state = next[state][classes.of(c)];
            if (state < 0) {
                return false;
            }
        }
        return accepting[state];
    }

    /** What both accept. */
    CharDfa and(CharDfa other, Budget budget) {
        List<CodePoints> sets = new ArrayList<>();
        List<int[]> pairs = new ArrayList<>();
        for (int a = 0; a < classes.size(); a++) {
            for (int b = 0; b < other.classes.size(); b++) {
                budget.spend(1);
                CodePoints both = classes.sets().get(a).and(other.classes.sets().get(b));
                if (!both.isEmpty()) {
                    sets.add(both);
                    pairs.add(new int[] {a, b});
                }
            }
        }
        Map<Long, Integer> numbers = new HashMap<>();
        List<int[]> order = new ArrayList<>();
        List<int[]> rows = new ArrayList<>();
        numbers.put(0L, 0);
        order.add(new int[] {0, 0});
        for (int at = 0; at < order.size(); at++) {
            int[] from = order.get(at);
            int[] row = new int[sets.size()];
            for (int c = 0; c < row.length; c++) {
                budget.spend(1);
                int a = next[from[0]][pairs.get(c)[0]];
                int b = other.next[from[1]][pairs.get(c)[1]];
                row[c] = -1;
                if (a >= 0 && b >= 0) {
                    budget.spend(4);
                    Integer known = numbers.get((long) a << 32 | b);
                    if (known == null) {
                        known = order.size();
                        budget.states(known + 1L);
                        numbers.put((long) a << 32 | b, known);
                        order.add(new int[] {a, b});
                    }
                    row[c] = known;
                }
            }
            rows.add(row);
        }
        boolean[] ends = new boolean[order.size()];
        for (int i = 0; i < ends.length; i++) {
            ends[i] = accepting[order.get(i)[0]] && other.accepting[order.get(i)[1]];
        }
        return new CharDfa(new CharClasses(sets), rows.toArray(int[][]::new), ends).trimmed(budget);
    }

    /** Everything else. */
    CharDfa not(Budget budget) {
        int sink = states();
        int[][] rows = new int[sink + 1][];
        boolean[] ends = new boolean[sink + 1];
        for (int i = 0; i < sink; i++) {
            rows[i] = next[i].clone();
            for (int c = 0; c < rows[i].length; c++) {
                if (rows[i][c] < 0) {
                    rows[i][c] = sink;
                }
            }
            ends[i] = !accepting[i];
        }
        rows[sink] = new int[classes.size()];
        Arrays.fill(rows[sink], sink);
        ends[sink] = true;
        return new CharDfa(classes, rows, ends).trimmed(budget);
    }

    /** The same language without states that are not reached or lead nowhere. */
    CharDfa trimmed(Budget budget) {
        int count = states();
        List<List<Integer>> before = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            before.add(new ArrayList<>());
        }
        for (int i = 0; i < count; i++) {
            budget.spend(next[i].length);
            for (int to : next[i]) {
                if (to >= 0) {
                    before.get(to).add(i);
                }
            }
        }
        boolean[] useful = new boolean[count];
        ArrayDeque<Integer> open = new ArrayDeque<>();
        for (int i = 0; i < count; i++) {
            if (accepting[i]) {
                useful[i] = true;
                open.add(i);
            }
        }
        while (!open.isEmpty()) {
            for (int from : before.get(open.remove())) {
                if (!useful[from]) {
                    useful[from] = true;
                    open.add(from);
                }
            }
        }
        int[] number = new int[count];
        Arrays.fill(number, -1);
        List<Integer> order = new ArrayList<>();
        number[0] = 0;
        order.add(0);
        for (int at = 0; at < order.size(); at++) {
            for (int to : next[order.get(at)]) {
                if (to >= 0 && useful[to] && number[to] < 0) {
                    number[to] = order.size();
                    order.add(to);
                }
            }
        }
        int[][] rows = new int[order.size()][];
        boolean[] ends = new boolean[order.size()];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = next[order.get(i)].clone();
            for (int c = 0; c < rows[i].length; c++) {
                rows[i][c] = rows[i][c] < 0 ? -1 : number[rows[i][c]];
            }
            ends[i] = accepting[order.get(i)];
        }
        return new CharDfa(classes, rows, ends);
    }
}
