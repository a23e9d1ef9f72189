package org.bloomery.engine.grammar;

import java.util.Arrays;
import java.util.Comparator;
import org.bloomery.engine.tokenizer.Tokenizer;

/**
 * A vocabulary arranged by the bytes of its tokens, so that tokens that begin alike are looked at together. Control tokens
 * begin with a byte that no text holds, so that only a {@link Shape.Mark} allows them. Immutable; one a model.
 *
 * <p>Nodes are in the order of a walk from the root: a node's children follow it. A token that a vocabulary cannot
 * generate as content has no bytes and is in no node.
 */
public final class TokenTrie {

    private final int vocabSize;
    private final int[] endOfGeneration;
    private final byte[] label;
    private final short[] depth;
    private final int[] behind;
    /** The bytes that follow a node in its tokens, by {@link ByteGroups}, and how many at most, up to 127. */
    private final long[] below;

    private final byte[] height;
    private final int[] tokenStart;
    private final int[] tokens;
    private final int maxDepth;
    private final byte[][] bytes;

    private TokenTrie(Tokenizer tokenizer) {
        vocabSize = tokenizer.vocabSize();
        bytes = new byte[vocabSize][];
        int[] ends = new int[vocabSize];
        int endCount = 0;
        Integer[] order = new Integer[vocabSize];
        int count = 0;
        int most = 0;
        for (int token = 0; token < vocabSize; token++) {
            boolean end = tokenizer.isEndOfGeneration(token);
            if (end) {
                ends[endCount++] = token;
            }
            if (end) {
                bytes[token] = new byte[0];
            } else if (tokenizer.isControl(token)) {
                bytes[token] = ShapeCompiler.control(tokenizer.spelling(token));
            } else {
                byte[] text = tokenizer.bytes(token);
                bytes[token] = ShapeCompiler.isText(text) ? text : new byte[0];
            }
            if (bytes[token].length > 0) {
                order[count++] = token;
                most = Math.max(most, bytes[token].length);
            }
        }
        endOfGeneration = Arrays.copyOf(ends, endCount);
        maxDepth = most;
        Arrays.sort(order, 0, count, Comparator.comparing((Integer t) -> bytes[t], Arrays::compareUnsigned));

        int nodes = 0;
        byte[] previous = new byte[0];
        for (int i = 0; i < count; i++) {
            byte[] word = bytes[order[i]];
            nodes += word.length - shared(previous, word);
            previous = word;
        }
        label = new byte[nodes];
        depth = new short[nodes];
        behind = new int[nodes];
        tokenStart = new int[nodes + 1];
        tokens = new int[count];
        int[] path = new int[most + 1];
        int node = 0;
        int pathLength = 0;
        previous = new byte[0];
        for (int i = 0; i < count; i++) {
            byte[] word = bytes[order[i]];
            int common = shared(previous, word);
            for (; pathLength > common; pathLength--) {
                behind[path[pathLength - 1]] = node;
            }
            for (; pathLength < word.length; pathLength++) {
                label[node] = word[pathLength];
                depth[node] = (short) (pathLength + 1);
                tokenStart[node] = i;
                path[pathLength] = node++;
            }
            tokens[i] = order[i];
            previous = word;
        }
        for (; pathLength > 0; pathLength--) {
            behind[path[pathLength - 1]] = node;
        }
        tokenStart[nodes] = count;
        below = new long[nodes];
        height = new byte[nodes];
        int[] above = new int[most + 1];
        int[] within = new int[most + 1];
        for (int n = 0; n < nodes; n++) {
            above[depth[n]] = n;
            within[depth[n]] = Utf8.next(within[depth[n] - 1], label[n] & 0xFF);
            long broken = 1L << ByteGroups.BROKEN;
            long group = within[depth[n]] == Utf8.BROKEN ? broken : ByteGroups.of(label[n]);
            for (int d = 1; d < depth[n]; d++) {
                // Within a character, what follows is no whole one
                below[above[d]] |= within[d] == 0 ? group : broken;
                height[above[d]] = (byte) Math.clamp(depth[n] - d, height[above[d]], Byte.MAX_VALUE);
            }
        }
    }

    /** The trie of a model's vocabulary. */
    public static TokenTrie of(Tokenizer tokenizer) {
        return new TokenTrie(tokenizer);
    }

    private static int shared(byte[] a, byte[] b) {
        int mismatch = Arrays.mismatch(a, b);
        return mismatch < 0 ? a.length : mismatch;
    }

    /** Number of token ids, those outside of the trie included. */
    public int vocabSize() {
        return vocabSize;
    }

    /** The bytes of a token; empty where no text and no mark holds it. */
    byte[] bytes(int token) {
        return bytes[token];
    }

    /** Whether generating a token ends the answer. */
    boolean endsGeneration(int token) {
        return Arrays.binarySearch(endOfGeneration, token) >= 0;
    }

    /** The tokens that keep to the grammar from a state on. */
    TokenMask mask(Automaton automaton, Automaton.State from) {
        TokenMask.Collector allowed = new TokenMask.Collector(vocabSize);
        Automaton.State refused = automaton.refused();
        Automaton.State[] reached = new Automaton.State[maxDepth + 1];
        reached[0] = from;
        int node = 0;
        int end = label.length;
        while (node < end) {
            int d = depth[node];
            Automaton.State next = automaton.next(reached[d - 1], label[node] & 0xFF);
            if (next == refused) {
                node = behind[node];
                continue;
            }
            boolean all = height[node] <= Automaton.MAX_SAFE
                    && height[node] > 0
                    && (below[node] & ~automaton.safe(next, height[node])) == 0;
            int known = all ? behind[node] : node + 1;
            for (int i = tokenStart[node]; i < tokenStart[known]; i++) {
                allowed.add(tokens[i]);
            }
            reached[d] = next;
            node = next.closed() ? behind[node] : known;
        }
        if (from.accepting()) {
            for (int token : endOfGeneration) {
                allowed.add(token);
            }
        }
        return allowed.build();
    }
}
