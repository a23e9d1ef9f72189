package org.bloomery.engine.grammar;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Runs a {@link Network} byte by byte. All positions that a text may have reached together are one state here; states and
 * the ways between them are found when they are first needed and kept, so that a text seen before costs one look-up a
 * byte. Not safe for use by several threads; its states may be held across {@link #forget}.
 */
final class Automaton {

    /** Positions that one text may have at once; more come of very ambiguous grammars only. */
    private static final int MAX_POSITIONS = 2_000;

    /** Positions looked at for one mask. A grammar for data needs some thousands. */
    private static final int MAX_WORK = 500_000;

    /** Most bytes in a row that {@link #safe} tells of. */
    static final int MAX_SAFE = 24;

    /** No set of groups: there are fewer than 63. */
    private static final long UNKNOWN = 1L << 63;

    /** The stack of calls, and for a repetition how many rounds of it are over. */
    private static final class Frame {
        final int next;
        final int rounds;
        final @Nullable Frame below;
        final int hash;

        Frame(int next, int rounds, @Nullable Frame below) {
            this.next = next;
            this.rounds = rounds;
            this.below = below;
            this.hash = 31 * (31 * next + rounds) + (below == null ? 17 : below.hash);
        }

        static boolean same(@Nullable Frame one, @Nullable Frame two) {
            Frame a = one;
            Frame b = two;
            while (a != b) {
                if (a == null || b == null || a.hash != b.hash || a.next != b.next || a.rounds != b.rounds) {
                    return false;
                }
                a = a.below;
                b = b.below;
            }
            return true;
        }
    }

    /** A place in the network. */
    private record Position(int at, @Nullable Frame stack) {

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Position that && at == that.at && Frame.same(stack, that.stack);
        }

        @Override
        public int hashCode() {
            return 31 * at + (stack == null ? 0 : stack.hash);
        }
    }

    /** Everywhere a text may have led to. */
    static final class State {

        private final Position[] positions;
        private final boolean accepting;
        private final State[] next;
        private @Nullable TokenMask mask;
        private long @Nullable [] safe;

        private State(Position[] positions, boolean accepting, int classes) {
            this.positions = positions;
            this.accepting = accepting;
            this.next = new State[classes];
        }

        /** Whether the text may end here. */
        boolean accepting() {
            return accepting;
        }

        /** Whether no byte can follow. */
        boolean closed() {
            return positions.length == 0;
        }

        @Nullable
        TokenMask mask() {
            return mask;
        }

        void keep(TokenMask computed) {
            mask = computed;
        }
    }

    private final Network network;
    private final Map<Set<Position>, State> states = new HashMap<>();
    private final State refused;
    private final State start;
    private long bytes;
    private long work;

    Automaton(Network network) {
        this.network = network;
        this.refused = new State(new Position[0], false, 0);
        Closure closure = new Closure();
        closure.add(network.start(), null);
        this.start = closure.state();
    }

    State start() {
        return start;
    }

    /** What no text leads out of: a byte was refused. */
    State refused() {
        return refused;
    }

    /** Memory that the known states take, roughly. */
    long byteSize() {
        return bytes;
    }

    /** Begins a new count of the work that is allowed for finding states. */
    void restartCount() {
        work = 0;
    }

    /** Lets go of the known states; those that are held elsewhere stay usable. */
    void forget() {
        states.clear();
        bytes = 0;
        Arrays.fill(start.next, null);
        start.mask = null;
    }

    /** The state after one more byte, {@link #refused} where it is not allowed. */
    State next(State from, int value) {
        if (from == refused) {
            return refused;
        }
        int c = network.classOf()[value] & 0xFF;
        State known = from.next[c];
        return known != null ? known : find(from, value, c);
    }

    /**
     * Groups of bytes of which any few in a row may follow a state: inside a string, what needs no look at each way through
     * it.
     *
     * @param count how many bytes, at most {@link #MAX_SAFE}
     */
    long safe(State from, int count) {
        if (from == refused) {
            return 0;
        }
        long[] known = from.safe;
        if (known == null) {
            known = new long[MAX_SAFE + 1];
            from.safe = known;
            bytes += 8L * known.length;
            Arrays.fill(known, UNKNOWN);
            known[0] = -1L;
            known[1] = alike(from);
        }
        if (known[count] == UNKNOWN) {
            State behind = next(from, 'e');
            known[count] = known[1] == 0 ? 0 : known[1] & (behind == from ? known[1] : safe(behind, count - 1));
        }
        return known[count];
    }

    /** The groups whose every byte leads where a common letter leads. */
    private long alike(State from) {
        State behind = next(from, 'e');
        long groups = 0;
        if (behind != refused) {
            for (int g = 0; g < ByteGroups.count(); g++) {
                boolean all = g != ByteGroups.BROKEN;
                for (byte b : ByteGroups.bytes(g)) {
                    all = all && next(from, b & 0xFF) == behind;
                }
                if (g == ByteGroups.BEYOND_ASCII) {
                    all = true;
                    Set<State> seen = new HashSet<>();
                    for (int lead = 0xC2; all && lead <= 0xF4; lead++) {
                        all = leadsTo(behind, next(from, lead), Utf8.next(0, lead), seen);
                    }
                }
                groups |= all ? 1L << g : 0;
            }
        }
        return groups;
    }

    /**
     * Whether every end of a character leads to a state.
     *
     * @param within where the beginning of the character has led, for a reader of UTF-8
     * @param seen states behind which this is known, for characters whose other bytes are free
     */
    private boolean leadsTo(State to, State from, int within, Set<State> seen) {
        if (within == 0 || from == refused) {
            return from == to && from != refused;
        }
        boolean free = Utf8.first(within) == 0x80 && Utf8.last(within) == 0xBF;
        if (free && seen.contains(from)) {
            return true;
        }
        for (int b = Utf8.first(within); b <= Utf8.last(within); b++) {
            if (!leadsTo(to, next(from, b), Utf8.next(within, b), seen)) {
                return false;
            }
        }
        if (free) {
            seen.add(from);
        }
        return true;
    }

    private State find(State from, int value, int c) {
        Closure closure = new Closure();
        for (Position position : from.positions) {
            int at = position.at;
            for (int i = network.moveStart()[at]; i < network.moveStart()[at + 1]; i++) {
                long move = network.moves()[i];
                if (Network.covers(move, value)) {
                    closure.add(Network.target(move), position.stack);
                }
            }
        }
        State to = closure.state();
        from.next[c] = to;
        return to;
    }

    /** Follows empty moves, calls and returns. */
    private final class Closure {

        private final Set<Position> seen = new HashSet<>();
        private final Set<Position> reading = new HashSet<>();
        private Position[] open = new Position[8];
        private int size;
        private boolean accepting;

        void add(int at, @Nullable Frame stack) {
            push(at, stack);
            while (size > 0) {
                Position position = open[--size];
                follow(position.at, position.stack);
            }
        }

        private void push(int at, @Nullable Frame stack) {
            Position position = new Position(at, stack);
            if (++work > MAX_WORK) {
                throw new GrammarException(
                        "The constraint is too ambiguous: to find the tokens that may come next takes" + " more than "
                                + MAX_WORK + " steps; write it so that fewer alternatives begin alike.");
            }
            if (!seen.add(position)) {
                return;
            }
            if (seen.size() > MAX_POSITIONS) {
                throw new GrammarException(
                        "The constraint is too ambiguous: the answer so far can be read in more than " + MAX_POSITIONS
                                + " ways; write it so that fewer alternatives begin alike.");
            }
            if (size == open.length) {
                open = Arrays.copyOf(open, 2 * size);
            }
            open[size++] = position;
        }

        private void follow(int at, @Nullable Frame stack) {
            int one = network.first()[at];
            int two = network.second()[at];
            switch (network.kinds()[at]) {
                case Network.CALL -> push(one, network.tail()[two] ? stack : new Frame(two, 0, stack));
                case Network.ENTER -> rounds(one, new Frame(two, 0, stack));
                case Network.LOOP -> rounds(one, oneMore(one, stack));
                case Network.RETURN -> {
                    if (stack == null) {
                        accepting = true;
                    } else {
                        push(stack.next, stack.below);
                    }
                }
                default -> {
                    if (network.moveStart()[at + 1] > network.moveStart()[at]) {
                        reading.add(new Position(at, stack));
                    }
                    for (int i = network.emptyStart()[at]; i < network.emptyStart()[at + 1]; i++) {
                        push(network.empties()[i], stack);
                    }
                }
            }
        }

        private Frame oneMore(int loop, @Nullable Frame stack) {
            if (stack == null) {
                throw new IllegalStateException("a repetition without its frame");
            }
            // Without an upper bound the count matters up to the lower one only
            int rounds = stack.rounds + 1;
            return network.loopMost()[loop] == Integer.MAX_VALUE && rounds > network.loopLeast()[loop]
                    ? stack
                    : new Frame(stack.next, rounds, stack.below);
        }

        private void rounds(int loop, Frame frame) {
            if (frame.rounds < network.loopMost()[loop]) {
                push(network.loopBody()[loop], frame);
            }
            if (frame.rounds >= network.loopLeast()[loop]) {
                push(frame.next, frame.below);
            }
        }

        State state() {
            if (reading.isEmpty() && !accepting) {
                return refused;
            }
            Set<Position> key = accepting ? withEnd() : reading;
            State known = states.get(key);
            if (known == null) {
                known = new State(reading.toArray(Position[]::new), accepting, network.classes());
                states.put(key, known);
                bytes += 160 + 4L * network.classes() + 80L * reading.size();
            }
            return known;
        }

        /** An accepting state is another one than the same positions without the end. */
        private Set<Position> withEnd() {
            Set<Position> key = new HashSet<>(reading);
            key.add(new Position(-1, null));
            return key;
        }
    }
}
