package org.bloomery.engine.sampling;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.tokenizer.Tokenizer;

/**
 * DRY's sequence breakers as tokens. A breaker may begin anywhere inside a token and end in later ones, so each token
 * that can begin one (the head) maps to the tokens that must follow (the tails, in order; empty where the head holds
 * the breaker whole). Immutable; made once for a list of strings, since it looks at the whole vocabulary.
 */
public final class SequenceBreakers {

    /** No breakers: nothing ends a repetition. */
    public static final SequenceBreakers NONE = new SequenceBreakers(Map.of());

    private static final int MAX_TAIL_TOKENS = 20;

    private final Map<Integer, List<int[]>> tailsByHead;

    private SequenceBreakers(Map<Integer, List<int[]>> tailsByHead) {
        this.tailsByHead = tailsByHead;
    }

    /** The breakers for a vocabulary. */
    public static SequenceBreakers of(Tokenizer tokenizer, List<String> breakers) {
        Map<Integer, List<int[]>> tails = new HashMap<>();
        for (String breaker : breakers) {
            byte[] wanted = breaker.getBytes(StandardCharsets.UTF_8);
            for (int token = 0; token < tokenizer.vocabSize(); token++) {
                addOverlaps(tokenizer, token, wanted, tails);
            }
        }
        return new SequenceBreakers(tails);
    }

    private static void addOverlaps(Tokenizer tokenizer, int token, byte[] wanted, Map<Integer, List<int[]>> tails) {
        byte[] word = tokenizer.bytes(token);
        for (int start = 0; start < word.length; start++) {
            int length = Math.min(wanted.length, word.length - start);
            if (!Arrays.equals(word, start, start + length, wanted, 0, length)) {
                continue;
            }
            int[] tail = new int[0];
            if (length < wanted.length) {
                String rest = new String(wanted, length, wanted.length - length, StandardCharsets.UTF_8);
                tail = tokenizer.encode(rest, false, false);
                tail = Arrays.copyOf(tail, Math.min(tail.length, MAX_TAIL_TOKENS));
            }
            List<int[]> known = tails.computeIfAbsent(token, head -> new ArrayList<>());
            int[] candidate = tail;
            if (known.stream().noneMatch(t -> Arrays.equals(t, candidate))) {
                known.add(candidate);
            }
            if (length == wanted.length) {
                return;
            }
        }
    }

    /** Whether this token alone holds a breaker whole. */
    boolean isBreaker(int token) {
        for (int[] tail : tailsByHead.getOrDefault(token, List.of())) {
            if (tail.length == 0) {
                return true;
            }
        }
        return false;
    }

    /**
     * How many of the last tokens may count as a repetition: those after the latest breaker.
     *
     * @param history all tokens
     * @param length how many of them
     * @param window how many of the last ones to look at
     */
    int repetitionLimit(int[] history, int length, int window) {
        for (int back = 0; back < window; back++) {
            List<int[]> tails = tailsByHead.get(history[length - 1 - back]);
            if (tails == null) {
                continue;
            }
            int longest = -1;
            for (int[] tail : tails) {
                if (tail.length > longest && tail.length <= back && follows(history, length - back, tail)) {
                    longest = tail.length;
                }
            }
            if (longest >= 0) {
                return back - longest;
            }
        }
        return window;
    }

    private static boolean follows(int[] history, int from, int[] tail) {
        return Arrays.equals(history, from, from + tail.length, tail, 0, tail.length);
    }
}
