package org.bloomery.engine.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Finds control and user-defined tokens in a text: an Aho-Corasick automaton over code points, so the cost does not
 * grow with the number of tokens. Longer tokens (in UTF-8 bytes) win over shorter ones wherever they overlap, and of
 * equal ones the leftmost, as in llama.cpp's {@code tokenizer_st_partition}. Immutable.
 */
final class SpecialTokens {

    /** A token in a text, {@code [start, end)} with the white space that goes with it. */
    record Found(int start, int end, int id) {}

    private static final List<Found> NONE = List.of();

    private final Vocabulary vocabulary;
    private final LongIntMap edges;
    /** Longest proper suffix of a node that is a node too. */
    private final int[] suffix;
    /** Rank of the token that ends at a node, or -1. */
    private final int[] rankAt;
    /** Nearest node on the suffix path at which a token ends, or 0. */
    private final int[] shorter;
    /** By rank: ids, and lengths in code points. */
    private final int[] ids;

    private final int[] lengths;
    private final int[] nodeOf;
    private final boolean anyEverywhere;

    SpecialTokens(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
        List<String> spellings = IntStream.range(0, vocabulary.size())
                .filter(vocabulary::isSpecial)
                .mapToObj(vocabulary::spelling)
                .sorted(Comparator.comparingInt(SpecialTokens::utf8Length).reversed())
                .toList();
        ids = spellings.stream().mapToInt(vocabulary.index()::find).toArray();
        lengths = spellings.stream()
                .mapToInt(s -> s.codePointCount(0, s.length()))
                .toArray();
        anyEverywhere = IntStream.of(ids).anyMatch(id -> !vocabulary.is(id, Vocabulary.TRUSTED_ONLY));

        nodeOf = new int[ids.length];
        int capacity = 1 + IntStream.of(lengths).sum();
        edges = new LongIntMap(capacity);
        rankAt = new int[capacity];
        suffix = new int[capacity];
        shorter = new int[capacity];
        Arrays.fill(rankAt, -1);
        int[] parent = new int[capacity];
        int[] label = new int[capacity];
        int nodes = 1;
        for (int rank = 0; rank < ids.length; rank++) {
            String spelling = spellings.get(rank);
            int node = 0;
            for (int i = 0; i < spelling.length(); i += Character.charCount(spelling.codePointAt(i))) {
                int codePoint = spelling.codePointAt(i);
                int next = edges.get(edge(node, codePoint));
                if (next < 0) {
                    next = nodes++;
                    parent[next] = node;
                    label[next] = codePoint;
                    edges.putIfAbsent(edge(node, codePoint), next);
                }
                node = next;
            }
            rankAt[node] = rank;
            nodeOf[rank] = node;
        }
        link(nodes, parent, label);
    }

    /** Sets the suffix links, shallow nodes first. */
    private void link(int nodes, int[] parent, int[] label) {
        int[] depth = new int[nodes];
        int deepest = 0;
        for (int node = 1; node < nodes; node++) {
            depth[node] = depth[parent[node]] + 1; // a parent is made before its children
            deepest = Math.max(deepest, depth[node]);
        }
        int[] starts = new int[deepest + 2];
        for (int node = 0; node < nodes; node++) {
            starts[depth[node] + 1]++;
        }
        for (int d = 0; d <= deepest; d++) {
            starts[d + 1] += starts[d];
        }
        int[] byDepth = new int[nodes];
        for (int node = 0; node < nodes; node++) {
            byDepth[starts[depth[node]]++] = node;
        }
        for (int node : byDepth) {
            if (depth[node] > 1) {
                suffix[node] = step(suffix[parent[node]], label[node]);
            }
            shorter[node] = rankAt[suffix[node]] >= 0 ? suffix[node] : shorter[suffix[node]];
        }
    }

    private int step(int from, int codePoint) {
        int node = from;
        while (true) {
            int next = edges.get(edge(node, codePoint));
            if (next >= 0) {
                return next;
            }
            if (node == 0) {
                return 0;
            }
            node = suffix[node];
        }
    }

    private static long edge(int node, int codePoint) {
        return (long) node << 21 | codePoint;
    }

    /** The special tokens of a text, ascending and disjoint; those for trusted text only within its trusted runs. */
    List<Found> find(Text text) {
        if (ids.length == 0 || (text.trustedRuns() == 0 && !anyEverywhere)) {
            return NONE;
        }
        // Each end of a token is a candidate, with its longest token first; a blocked one is tried again with the next.
        MergeQueue candidates = new MergeQueue();
        boolean any = false;
        int node = 0;
        for (int i = 0; i < text.length(); i++) {
            node = step(node, text.codePoint(i));
            int best = rankAt[node] >= 0 ? node : shorter[node];
            while (best != 0 && !isAllowed(text, rankAt[best], i)) {
                best = shorter[best];
            }
            if (best != 0) {
                candidates.add(rankAt[best], i);
                any = true;
            }
        }
        return any ? choose(text, candidates) : NONE;
    }

    private boolean isAllowed(Text text, int rank, int last) {
        return !vocabulary.is(ids[rank], Vocabulary.TRUSTED_ONLY) || text.isTrusted(last + 1 - lengths[rank], last + 1);
    }

    private List<Found> choose(Text text, MergeQueue candidates) {
        BitSet covered = new BitSet(text.length());
        List<Found> found = new ArrayList<>();
        for (long next = candidates.poll(); next >= 0; next = candidates.poll()) {
            int last = (int) next;
            int rank = (int) (next >>> 32);
            int first = last + 1 - lengths[rank];
            if (covered.get(last)) {
                continue;
            }
            // What is chosen has at least as many bytes, so it cannot lie strictly inside.
            if (covered.get(first)) {
                int best = shorter[nodeOf[rank]];
                while (best != 0
                        && (covered.get(last + 1 - lengths[rankAt[best]]) || !isAllowed(text, rankAt[best], last))) {
                    best = shorter[best];
                }
                if (best != 0) {
                    candidates.add(rankAt[best], last);
                }
                continue;
            }
            covered.set(first, last + 1);
            int start = first;
            int end = last + 1;
            if (vocabulary.is(ids[rank], Vocabulary.STRIPS_LEFT)) {
                while (start > 0 && isSpace(text, start - 1) && !covered.get(start - 1)) {
                    covered.set(--start);
                }
            }
            if (vocabulary.is(ids[rank], Vocabulary.STRIPS_RIGHT)) {
                while (end < text.length() && isSpace(text, end) && !covered.get(end)) {
                    covered.set(end++);
                }
            }
            found.add(new Found(start, end, ids[rank]));
        }
        found.sort(Comparator.comparingInt(Found::start));
        return found;
    }

    /** White space as C's {@code isspace} has it. */
    private static boolean isSpace(Text text, int index) {
        int codePoint = text.codePoint(index);
        return codePoint == ' ' || (codePoint >= '\t' && codePoint <= '\r');
    }

    private static int utf8Length(String text) {
        int length = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            length += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
        }
        return length;
    }
}
