package org.bloomery.engine.grammar;

import java.util.Arrays;

/**
 * A compiled grammar: states with moves over bytes, and states that call a rule, repeat a part or return. A position in
 * it is a state and a stack of calls, so the language is context-free. Immutable.
 *
 * <p>The arrays are by state: its moves are {@code moves[moveStart[s]] … moves[moveStart[s + 1]]}, each packed as first
 * byte, last byte and target; its empty moves likewise.
 */
record Network(
        int start,
        byte[] kinds,
        int[] first,
        int[] second,
        int[] moveStart,
        long[] moves,
        int[] emptyStart,
        int[] empties,
        boolean[] tail,
        int[] loopBody,
        int[] loopLeast,
        int[] loopMost,
        byte[] classOf,
        int classes) {

    /** Moves over bytes and empty moves. */
    static final byte PLAIN = 0;

    /** Calls the rule that begins at {@code first} and goes on at {@code second}. */
    static final byte CALL = 1;

    /** Begins the repetition {@code first} and goes on at {@code second}. */
    static final byte ENTER = 2;

    /** Between two rounds of the repetition {@code first}. */
    static final byte LOOP = 3;

    /** The end of a rule. */
    static final byte RETURN = 4;

    static long move(int from, int to, int target) {
        return (long) target << 16 | from << 8 | to;
    }

    static int target(long move) {
        return (int) (move >>> 16);
    }

    static boolean covers(long move, int value) {
        return value >= (move >>> 8 & 0xFF) && value <= (move & 0xFF);
    }

    int states() {
        return kinds.length;
    }

    /** Memory it takes. */
    long byteSize() {
        return 18L * kinds.length + 8L * moves.length + 4L * empties.length + 12L * loopBody.length + 512;
    }

    @Override
    public String toString() {
        return "Network[" + states() + " states, " + moves.length + " moves, " + Arrays.toString(loopMost) + "]";
    }
}
