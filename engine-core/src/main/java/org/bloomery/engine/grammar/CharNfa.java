package org.bloomery.engine.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A nondeterministic automaton over characters under construction; {@link #toDfa} makes it usable. State 0 is the start.
 * Moves that are possible only at the beginning or the end of the text stand for {@code ^} and {@code $}.
 */
final class CharNfa {

    /** When an empty move may be taken. */
    enum When {
        ALWAYS,
        AT_BEGINNING,
        AT_END
    }

    private record Empty(int to, When when) {}

    private record Move(int set, int to) {}

    private final Budget budget;
    private final List<List<Empty>> empty = new ArrayList<>();
    private final List<List<Move>> moves = new ArrayList<>();
    private final Map<CodePoints, Integer> setNumbers = new HashMap<>();
    private final List<CodePoints> sets = new ArrayList<>();

    CharNfa(Budget budget) {
        this.budget = budget;
        newState();
    }

    int newState() {
        budget.states(empty.size() + 1L);
        budget.spend(4);
        empty.add(new ArrayList<>(1));
        moves.add(new ArrayList<>(1));
        return empty.size() - 1;
    }

    void move(int from, CodePoints set, int to) {
        if (set.isEmpty()) {
            return;
        }
        budget.spend(2);
        int number = setNumbers.computeIfAbsent(set, s -> {
            sets.add(s);
            return sets.size() - 1;
        });
        moves.get(from).add(new Move(number, to));
    }

    void empty(int from, int to, When when) {
        budget.spend(2);
        empty.get(from).add(new Empty(to, when));
    }

    /**
     * The same language as a deterministic automaton.
     *
     * @param accept the accepting state
     * @param acceptsRest whether anything may follow once {@code accept} is reached
     */
    CharDfa toDfa(int accept, boolean acceptsRest) {
        CharClasses classes = CharClasses.of(sets, budget);
        int[][] classesOfSet = new int[sets.size()][];
        for (int i = 0; i < sets.size(); i++) {
            classesOfSet[i] = classes.within(sets.get(i));
        }
        Map<StateSet, Integer> numbers = new HashMap<>();
        List<StateSet> order = new ArrayList<>();
        List<int[]> next = new ArrayList<>();
        Closure closure = new Closure(accept, acceptsRest);
        StateSet start = closure.of(new int[] {0}, 1, true);
        numbers.put(start, 0);
        order.add(start);
        int[][] targets = new int[classes.size()][8];
        int[] counts = new int[classes.size()];
        for (int at = 0; at < order.size(); at++) {
            int[] row = new int[classes.size()];
            Arrays.fill(row, -1);
            StateSet from = order.get(at);
            budget.spend(classes.size());
            if (from.rest()) {
                Arrays.fill(row, at);
                next.add(row);
                continue;
            }
            Arrays.fill(counts, 0);
            for (int state : from.states()) {
                for (Move move : moves.get(state)) {
                    for (int c : classesOfSet[move.set()]) {
                        budget.spend(1);
                        if (counts[c] == targets[c].length) {
                            targets[c] = Arrays.copyOf(targets[c], 2 * counts[c]);
                        }
                        targets[c][counts[c]++] = move.to();
                    }
                }
            }
            for (int c = 0; c < row.length; c++) {
                if (counts[c] > 0) {
                    StateSet to = closure.of(targets[c], counts[c], false);
                    Integer known = numbers.get(to);
                    if (known == null) {
                        known = order.size();
                        budget.states(known + 1L);
                        numbers.put(to, known);
                        order.add(to);
                    }
                    row[c] = known;
                }
            }
            next.add(row);
        }
        boolean[] accepting = new boolean[order.size()];
        for (int i = 0; i < accepting.length; i++) {
            accepting[i] = order.get(i).accepting();
        }
        return new CharDfa(classes, next.toArray(int[][]::new), accepting).trimmed(budget);
    }

    /**
     * A state of the deterministic automaton.
     *
     * @param rest whether anything may follow
     */
    private record StateSet(int[] states, boolean accepting, boolean rest) {

        @Override
        public boolean equals(Object other) {
            return other instanceof StateSet that
                    && Arrays.equals(states, that.states)
                    && accepting == that.accepting
                    && rest == that.rest;
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(states) + (accepting ? 1 : 0);
        }
    }

    /** What empty moves reach. */
    private final class Closure {

        private final int accept;
        private final boolean acceptsRest;
        private final int[] seen = new int[empty.size()];
        private final int[] stack = new int[empty.size()];
        private int round;

        Closure(int accept, boolean acceptsRest) {
            this.accept = accept;
            this.acceptsRest = acceptsRest;
        }

        StateSet of(int[] states, int count, boolean beginning) {
            int reached = reach(states, count, beginning, false);
            boolean rest = acceptsRest && seen[accept] == round;
            int[] kept = new int[rest ? 0 : reached];
            if (!rest) {
                int size = 0;
                for (int i = 0; i < reached; i++) {
                    // States with empty moves only matter by where those lead, but for the end's, looked at here
                    if (!moves.get(stack[i]).isEmpty()) {
                        kept[size++] = stack[i];
                    }
                }
                kept = Arrays.copyOf(kept, size);
                budget.spend(4L * size);
                Arrays.sort(kept);
            }
            reach(states, count, beginning, true);
            return new StateSet(kept, seen[accept] == round, rest);
        }

        /** Fills the stack with what is reached, and returns how much. */
        private int reach(int[] states, int count, boolean beginning, boolean end) {
            round++;
            int size = 0;
            for (int i = 0; i < count; i++) {
                if (seen[states[i]] != round) {
                    seen[states[i]] = round;
                    stack[size++] = states[i];
                }
            }
            for (int at = 0; at < size; at++) {
                budget.spend(1);
                for (Empty move : empty.get(stack[at])) {
                    boolean possible = switch (move.when()) {
                        case ALWAYS -> true;
                        case AT_BEGINNING -> beginning;
                        case AT_END -> end;
                    };
                    if (possible && seen[move.to()] != round) {
                        seen[move.to()] = round;
                        stack[size++] = move.to();
                    }
                }
            }
            return size;
        }
    }
}
