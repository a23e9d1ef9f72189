package org.bloomery.engine.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns rules into a {@link Network}, and refuses those that go round in circles or can never end. */
final class NetworkBuilder {

    /** A set with more ranges than this becomes a rule of its own, shared by all its uses. */
    private static final int MAX_INLINE_RANGES = 16;

    /** Copies of a repeated part that may be empty: rounds of it cannot be counted on the stack. */
    private static final int MAX_COPIES = 256;

    private final Budget budget;
    private final List<Expr> rules;
    private final List<String> names;
    private final boolean[] nullable;

    private byte[] kinds = new byte[64];
    private int[] first = new int[64];
    private int[] second = new int[64];
    private int states;
    private final List<long[]> moves = new ArrayList<>();
    private final List<int[]> empties = new ArrayList<>();
    private final List<int[]> loops = new ArrayList<>();
    private final Map<CodePoints, Integer> setRules = new HashMap<>();
    private long moveCount;

    private NetworkBuilder(List<Expr> rules, List<String> names, Budget budget) {
        this.rules = rules;
        this.names = names;
        this.budget = budget;
        this.nullable = new boolean[rules.size()];
    }

    /**
     * The network of some rules.
     */
    static Network build(Rules rules) {
        NetworkBuilder builder = new NetworkBuilder(rules.rules(), rules.names(), rules.budget());
        builder.findNullable();
        builder.refuseLeftRecursion();
        return builder.build();
    }

    private Network build() {
        int[] starts = new int[rules.size()];
        for (int i = 0; i < starts.length; i++) {
            starts[i] = newState();
            ruleEnd(build(rules.get(i), starts[i]));
        }
        for (int s = 0; s < states; s++) {
            // Rules are numbered until all of them have a start; those of sets are placed already
            if (kinds[s] == Network.CALL && first[s] < 0) {
                first[s] = starts[-1 - first[s]];
            }
        }
        boolean[] productive = productive();
        if (!productive[starts[0]]) {
            throw budget.refuse("allows no answer at all: its parts contradict each other or never end; loosen it.");
        }
        return freeze(starts[0], productive);
    }

    // Rules

    private void findNullable() {
        boolean grown = true;
        while (grown) {
            grown = false;
            for (int i = 0; i < nullable.length; i++) {
                budget.spend(1);
                if (!nullable[i] && nullable(rules.get(i))) {
                    nullable[i] = true;
                    grown = true;
                }
            }
        }
    }

    private boolean nullable(Expr expr) {
        budget.spend(4);
        return switch (expr) {
            case Expr.Literal literal -> literal.bytes().length == 0;
            case Expr.Chars chars -> false;
            case Expr.Sequence sequence -> sequence.parts().stream().allMatch(this::nullable);
            case Expr.Choice choice -> choice.alternatives().stream().anyMatch(this::nullable);
            case Expr.Repeat repeat -> repeat.least() == 0 || nullable(repeat.body());
            case Expr.Rule rule -> nullable[rule.number()];
            case Expr.Text text -> text.texts().accepting()[0];
            case Expr.Members list -> !list.some() && list.members().stream().noneMatch(Expr.Member::required);
        };
    }

    /** A rule that begins with itself would be called for ever without reading a byte. */
    private void refuseLeftRecursion() {
        int count = rules.size();
        List<List<Integer>> calls = new ArrayList<>();
        for (Expr rule : rules) {
            List<Integer> left = new ArrayList<>();
            leftCalls(rule, left);
            calls.add(left);
        }
        int[] mark = new int[count];
        for (int root = 0; root < count; root++) {
            if (mark[root] != 0) {
                continue;
            }
            ArrayDeque<int[]> path = new ArrayDeque<>();
            path.push(new int[] {root, 0});
            mark[root] = 1;
            while (!path.isEmpty()) {
                budget.spend(1);
                int[] top = path.element();
                List<Integer> left = calls.get(top[0]);
                if (top[1] == left.size()) {
                    mark[top[0]] = 2;
                    path.pop();
                    continue;
                }
                int callee = left.get(top[1]++);
                if (mark[callee] == 1) {
                    throw budget.refuse("begins " + names.get(callee) + " with itself, which never ends; put something"
                            + " before the reference, or repeat with '*' or an array.");
                }
                if (mark[callee] == 0) {
                    mark[callee] = 1;
                    path.push(new int[] {callee, 0});
                }
            }
        }
    }

    /** Rules that may be called before a byte is read. */
    private void leftCalls(Expr expr, List<Integer> into) {
        budget.spend(4);
        switch (expr) {
            case Expr.Literal literal -> {}
            case Expr.Chars chars -> {}
            case Expr.Text text -> {}
            case Expr.Rule rule -> into.add(rule.number());
            case Expr.Choice choice -> choice.alternatives().forEach(each -> leftCalls(each, into));
            case Expr.Repeat repeat -> leftCalls(repeat.body(), into);
            case Expr.Sequence sequence -> {
                for (Expr part : sequence.parts()) {
                    leftCalls(part, into);
                    if (!nullable(part)) {
                        return;
                    }
                }
            }
            case Expr.Members members -> {
                for (Expr.Member member : members.members()) {
                    leftCalls(member.expr(), into);
                    if (member.required()) {
                        return;
                    }
                }
                if (members.more() != null) {
                    leftCalls(members.more(), into);
                }
            }
        }
    }

    // States

    private int newState() {
        budget.states(states + 1L);
        budget.spend(4);
        if (states == kinds.length) {
            kinds = Arrays.copyOf(kinds, 2 * states);
            first = Arrays.copyOf(first, 2 * states);
            second = Arrays.copyOf(second, 2 * states);
        }
        moves.add(NO_MOVES);
        empties.add(NO_EMPTIES);
        return states++;
    }

    private static final long[] NO_MOVES = {};
    private static final int[] NO_EMPTIES = {};

    private int newState(byte kind, int firstValue, int secondValue) {
        int state = newState();
        kinds[state] = kind;
        first[state] = firstValue;
        second[state] = secondValue;
        return state;
    }

    private void move(int from, int low, int high, int to) {
        budget.spend(2);
        moveCount++;
        budget.states(moveCount / 8);
        long[] old = moves.get(from);
        long[] grown = Arrays.copyOf(old, old.length + 1);
        grown[old.length] = Network.move(low, high, to);
        moves.set(from, grown);
        budget.spend(old.length / 8);
    }

    private void empty(int from, int to) {
        budget.spend(2);
        int[] old = empties.get(from);
        int[] grown = Arrays.copyOf(old, old.length + 1);
        grown[old.length] = to;
        empties.set(from, grown);
        budget.spend(old.length / 8);
    }

    private void ruleEnd(int end) {
        empty(end, newState(Network.RETURN, 0, 0));
    }

    /** Builds the moves from a state at which nothing but this begins, and returns the state behind. */
    private int build(Expr expr, int from) {
        return switch (expr) {
            case Expr.Literal literal -> {
                int at = from;
                for (byte b : literal.bytes()) {
                    int to = newState();
                    move(at, b & 0xFF, b & 0xFF, to);
                    at = to;
                }
                yield at;
            }
            case Expr.Chars chars -> {
                int to = newState();
                new Encoder(to).add(chars.set(), from);
                yield to;
            }
            case Expr.Sequence sequence -> {
                int at = from;
                for (Expr part : sequence.parts()) {
                    at = build(part, at);
                }
                yield at;
            }
            case Expr.Choice choice -> {
                int to = newState();
                for (Expr alternative : choice.alternatives()) {
                    empty(build(alternative, from), to);
                }
                yield to;
            }
            case Expr.Repeat repeat -> repeat(repeat, from);
            case Expr.Rule rule -> {
                int to = newState();
                empty(from, newState(Network.CALL, -1 - rule.number(), to));
                yield to;
            }
            case Expr.Text text -> text(text.texts(), text.escaped(), from);
            case Expr.Members members -> members(members, from);
        };
    }

    private int repeat(Expr.Repeat repeat, int from) {
        Expr body = repeat.body();
        int least = repeat.least();
        int most = repeat.most();
        if (most == 0) {
            return from;
        }
        if (least == 1 && most == 1) {
            return build(body, from);
        }
        if (most == 1) {
            int to = newState();
            empty(from, to);
            empty(build(body, from), to);
            return to;
        }
        if (most == Integer.MAX_VALUE && (least <= 1 || nullable(body))) {
            int head = newState();
            empty(from, head);
            int round = build(body, head);
            int to = newState();
            empty(round, head);
            empty(round, to);
            if (least == 0) {
                empty(head, to);
            }
            return to;
        }
        if (nullable(body)) {
            if (most > MAX_COPIES) {
                throw budget.refuse("repeats something that may be empty up to " + most + " times; at most "
                        + MAX_COPIES + " times are supported, so leave the bound or the empty case out.");
            }
            int to = newState();
            int at = from;
            for (int i = 0; i < most; i++) {
                empty(at, to);
                at = build(body, at);
            }
            empty(at, to);
            return to;
        }
        int start = newState();
        int loop = loops.size();
        loops.add(new int[] {start, least, most});
        int to = newState();
        empty(from, newState(Network.ENTER, loop, to));
        int end = build(body, start);
        kinds[end] = Network.LOOP;
        first[end] = loop;
        if (empties.get(end).length > 0 || moves.get(end).length > 0) {
            throw new IllegalStateException("the end of a repeated part has moves of its own");
        }
        return to;
    }

    private int members(Expr.Members list, int from) {
        int none = from; // no member yet
        int some = -1; // at least one member
        for (Expr.Member member : list.members()) {
            int start = newState();
            if (none >= 0) {
                empty(none, start);
            }
            if (some >= 0) {
                empty(build(list.separator(), some), start);
            }
            int end = build(member.expr(), start);
            if (member.required()) {
                none = -1;
                some = end;
            } else {
                int either = newState();
                empty(end, either);
                if (some >= 0) {
                    empty(some, either);
                }
                some = either;
            }
        }
        Expr more = list.more();
        if (more != null) {
            Expr next = Expr.sequence(list.separator(), more);
            boolean endless = list.most() == Integer.MAX_VALUE;
            int behind = newState();
            if (none >= 0) {
                Expr rest = new Expr.Repeat(next, 0, endless ? Integer.MAX_VALUE : list.most() - 1);
                empty(build(Expr.sequence(more, rest), none), behind);
            }
            if (some >= 0) {
                empty(build(new Expr.Repeat(next, 0, list.most()), some), behind);
            }
            some = behind;
        }
        int to = newState();
        if (none >= 0 && !list.some()) {
            empty(none, to);
        }
        if (some >= 0) {
            empty(some, to);
        }
        return to;
    }

    private int text(CharDfa dfa, boolean escaped, int before) {
        int[] numbers = new int[dfa.states()];
        Encoder[] encoders = new Encoder[dfa.states()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = newState();
            encoders[i] = new Encoder(numbers[i]);
        }
        empty(before, numbers[0]);
        int to = newState();
        Map<List<Integer>, CodePoints> unions = new HashMap<>();
        for (int i = 0; i < numbers.length; i++) {
            Map<Integer, List<Integer>> byTarget = new LinkedHashMap<>();
            int[] row = dfa.next()[i];
            budget.spend(2L * row.length);
            for (int c = 0; c < row.length; c++) {
                if (row[c] >= 0) {
                    byTarget.computeIfAbsent(row[c], target -> new ArrayList<>())
                            .add(c);
                }
            }
            int from = numbers[i];
            byTarget.forEach((target, classes) -> {
                CodePoints set = unions.computeIfAbsent(classes, these -> union(dfa.classes(), these));
                budget.spend(4L + set.ranges() / 8);
                if (escaped) {
                    encoders[target].addEscaped(set, from);
                } else {
                    encoders[target].add(set, from);
                }
            });
            if (dfa.accepting()[i]) {
                empty(numbers[i], to);
            }
        }
        return to;
    }

    private CodePoints union(CharClasses of, List<Integer> classes) {
        CodePoints.Collector collector = new CodePoints.Collector();
        for (int c : classes) {
            CodePoints set = of.sets().get(c);
            budget.spend(set.ranges());
            collector.add(set);
        }
        return collector.build();
    }

    /** The bytes of characters that lead to one state; the ways of their last bytes are shared. */
    private final class Encoder {

        private final int target;
        private @Nullable Map<List<Integer>, Integer> shared;

        Encoder(int target) {
            this.target = target;
        }

        void add(CodePoints set, int from) {
            if (set.ranges() > MAX_INLINE_RANGES) {
                Integer rule = setRules.get(set);
                if (rule == null) {
                    rule = newState();
                    setRules.put(set, rule);
                    int end = newState();
                    new Encoder(end).addInline(set, rule);
                    ruleEnd(end);
                }
                empty(from, newState(Network.CALL, rule, target));
            } else {
                addInline(set, from);
            }
        }

        private void addInline(CodePoints set, int from) {
            for (int[] sequence : Utf8.sequences(set)) {
                move(from, sequence[0], sequence[1], behind(sequence, 1));
            }
        }

        /** The state before the bytes from this position on. */
        private int behind(int[] sequence, int position) {
            if (2 * position == sequence.length) {
                return target;
            }
            List<Integer> rest = new ArrayList<>();
            for (int i = 2 * position; i < sequence.length; i++) {
                rest.add(sequence[i]);
            }
            if (shared == null) {
                shared = new HashMap<>();
            }
            Integer known = shared.get(rest);
            if (known == null) {
                known = newState();
                shared.put(rest, known);
                move(known, sequence[2 * position], sequence[2 * position + 1], behind(sequence, position + 1));
            }
            return known;
        }

        /** As {@link #add}, but as JSON strings spell them: short escapes where there are some, the rest as it is. */
        void addEscaped(CodePoints set, int from) {
            budget.spend(set.ranges());
            add(set.minus(Json.ESCAPED), from);
            CodePoints escaped = set.and(Json.ESCAPED);
            for (int i = 0; i < escaped.ranges(); i++) {
                for (int c = escaped.first(i); c <= escaped.last(i); c++) {
                    String spelling = Json.escape(c);
                    int at = from;
                    for (int k = 0; k < spelling.length(); k++) {
                        int to = k + 1 == spelling.length() ? target : newState();
                        move(at, spelling.charAt(k), spelling.charAt(k), to);
                        at = to;
                    }
                }
            }
        }
    }

    // What can end

    /** States from which the end of their rule, or of their round of a repetition, can be reached. */
    private boolean[] productive() {
        boolean[] productive = new boolean[states];
        boolean grown = true;
        while (grown) {
            grown = false;
            budget.spend(states);
            for (int s = states - 1; s >= 0; s--) {
                if (!productive[s] && productive(s, productive)) {
                    productive[s] = true;
                    grown = true;
                }
            }
        }
        return productive;
    }

    private boolean productive(int s, boolean[] productive) {
        return switch (kinds[s]) {
            case Network.RETURN, Network.LOOP -> true;
            case Network.CALL -> productive[first[s]] && productive[second[s]];
            case Network.ENTER -> {
                int[] loop = loops.get(first[s]);
                yield productive[second[s]] && (loop[1] == 0 || productive[loop[0]]);
            }
            default -> {
                for (int to : empties.get(s)) {
                    if (productive[to]) {
                        yield true;
                    }
                }
                for (long move : moves.get(s)) {
                    if (productive[Network.target(move)]) {
                        yield true;
                    }
                }
                yield false;
            }
        };
    }

    private Network freeze(int start, boolean[] productive) {
        int[] moveStart = new int[states + 1];
        int[] emptyStart = new int[states + 1];
        long[] allMoves = new long[(int) moveCount];
        int[] allEmpties =
                new int[empties.stream().mapToInt(each -> each.length).sum()];
        int moveSize = 0;
        int emptySize = 0;
        boolean[] cuts = new boolean[257];
        for (int s = 0; s < states; s++) {
            moveStart[s] = moveSize;
            emptyStart[s] = emptySize;
            if (!productive[s]) {
                continue;
            }
            for (long move : moves.get(s)) {
                if (productive[Network.target(move)]) {
                    allMoves[moveSize++] = move;
                    cuts[(int) (move >>> 8 & 0xFF)] = true;
                    cuts[(int) (move & 0xFF) + 1] = true;
                }
            }
            for (int to : empties.get(s)) {
                if (productive[to]) {
                    allEmpties[emptySize++] = to;
                }
            }
        }
        moveStart[states] = moveSize;
        emptyStart[states] = emptySize;
        byte[] classOf = new byte[256];
        int classes = 0;
        for (int b = 0; b < 256; b++) {
            if (b > 0 && cuts[b]) {
                classes++;
            }
            classOf[b] = (byte) classes;
        }
        int[] body = new int[loops.size()];
        int[] least = new int[body.length];
        int[] most = new int[body.length];
        for (int i = 0; i < body.length; i++) {
            int[] loop = loops.get(i);
            body[i] = loop[0];
            least[i] = loop[1];
            most[i] = productive[loop[0]] ? loop[2] : 0;
        }
        int[] emptiesInUse = Arrays.copyOf(allEmpties, emptySize);
        return new Network(
                start,
                Arrays.copyOf(kinds, states),
                Arrays.copyOf(first, states),
                Arrays.copyOf(second, states),
                moveStart,
                Arrays.copyOf(allMoves, moveSize),
                emptyStart,
                emptiesInUse,
                tails(moveStart, emptyStart, emptiesInUse),
                body,
                least,
                most,
                classOf,
                classes + 1);
    }

    /** States that do nothing but return: a call that goes on there needs no place on the stack. */
    private boolean[] tails(int[] moveStart, int[] emptyStart, int[] allEmpties) {
        boolean[] tail = new boolean[states];
        for (int s = 0; s < states; s++) {
            int at = s;
            for (int steps = 0; steps < 16; steps++) {
                if (kinds[at] == Network.RETURN) {
                    tail[s] = true;
                    break;
                }
                if (kinds[at] != Network.PLAIN
                        || moveStart[at + 1] > moveStart[at]
                        || emptyStart[at + 1] != emptyStart[at] + 1) {
                    break;
                }
                at = allEmpties[emptyStart[at]];
            }
        }
        return tail;
    }
}
