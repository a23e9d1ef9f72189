package org.bloomery.engine.backend;

import java.util.Arrays;

/**
 * Tokens of one forward pass: prefill chunks and single decode tokens of many sequences, in any mix. The tokens of one
 * sequence stand in rising order of position, without gaps to what its cache holds. A batch is filled, run and cleared
 * by one thread.
 */
public final class Batch {

    private int[] tokens;
    private int[] positions;
    private int[] sequences;
    private boolean[] wanted;
    private int size;
    private int wantedCount;

    public Batch(int capacity) {
        tokens = new int[capacity];
        positions = new int[capacity];
        sequences = new int[capacity];
        wanted = new boolean[capacity];
    }

    /**
     * Appends a token.
     *
     * @param token id in the vocabulary
     * @param position place in its sequence, from 0
     * @param sequence number of the sequence, below the backend's {@code maxSequences}
     * @param wantsLogits whether the logits after this token are needed
     */
    public void add(int token, int position, int sequence, boolean wantsLogits) {
        if (size == tokens.length) {
            int capacity = Math.max(16, size * 2);
            tokens = Arrays.copyOf(tokens, capacity);
            positions = Arrays.copyOf(positions, capacity);
            sequences = Arrays.copyOf(sequences, capacity);
            wanted = Arrays.copyOf(wanted, capacity);
        }
        tokens[size] = token;
        positions[size] = position;
        sequences[size] = sequence;
        wanted[size] = wantsLogits;
        size++;
        if (wantsLogits) {
            wantedCount++;
        }
    }

    public void clear() {
        size = 0;
        wantedCount = 0;
    }

    /** Number of tokens. */
    public int size() {
        return size;
    }

    /** Number of tokens whose logits are wanted: the rows of the result. */
    public int wantedCount() {
        return wantedCount;
    }

    public int token(int i) {
        return tokens[checked(i)];
    }

    public int position(int i) {
        return positions[checked(i)];
    }

    public int sequence(int i) {
        return sequences[checked(i)];
    }

    public boolean wantsLogits(int i) {
        return wanted[checked(i)];
    }

    private int checked(int i) {
        if (i < 0 || i >= size) {
            throw new IndexOutOfBoundsException("Token " + i + " of a batch of " + size);
        }
        return i;
    }
}
