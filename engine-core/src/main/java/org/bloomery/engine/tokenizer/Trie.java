package org.bloomery.engine.tokenizer;

/** Words over code points with an id each, as nodes from the root 0. */
final class Trie {

    private final LongIntMap edges = new LongIntMap(16);
    private final Ints values = new Ints();

    Trie() {
        values.add(-1);
    }

    /** Adds a word and returns its node. */
    int add(String word, int value) {
        int node = 0;
        for (int i = 0; i < word.length(); i += Character.charCount(word.codePointAt(i))) {
            int next = child(node, word.codePointAt(i));
            if (next < 0) {
                next = values.size();
                values.add(-1);
                edges.putIfAbsent(edge(node, word.codePointAt(i)), next);
            }
            node = next;
        }
        values.set(node, value);
        return node;
    }

    /** The node after a character, or -1. */
    int child(int node, int codePoint) {
        return edges.get(edge(node, codePoint));
    }

    /** The value of the word that ends here, or -1. */
    int value(int node) {
        return values.get(node);
    }

    private static long edge(int node, int codePoint) {
        return (long) node << 21 | codePoint;
    }
}
