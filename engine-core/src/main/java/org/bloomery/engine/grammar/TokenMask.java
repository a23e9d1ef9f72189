package org.bloomery.engine.grammar;

import java.util.Arrays;

/** The tokens that may come next. Immutable. */
public final class TokenMask {

    /** Few allowed tokens are kept as a list, many as bits. */
    private static final int FEW = 512;

    private final int vocabSize;
    private final int count;
    private final int[] few;
    private final long[] bits;

    private TokenMask(int vocabSize, int count, int[] few, long[] bits) {
        this.vocabSize = vocabSize;
        this.count = count;
        this.few = few;
        this.bits = bits;
    }

    /** Number of allowed tokens. */
    public int count() {
        return count;
    }

    /** Whether a token is allowed. */
    public boolean allows(int token) {
        if (token < 0 || token >= vocabSize) {
            return false;
        }
        return bits.length > 0 ? (bits[token >> 6] >>> token & 1) == 1 : Arrays.binarySearch(few, token) >= 0;
    }

    /**
     * Makes every other token impossible.
     *
     * @param logits set to minus infinity where a token is not allowed
     * @param size how many of them count; those beyond the vocabulary are not allowed
     */
    public void apply(float[] logits, int size) {
        if (bits.length == 0) {
            applyFew(logits, size);
            return;
        }
        int known = Math.min(size, vocabSize);
        int at = 0;
        for (int word = 0; at < known; word++, at += 64) {
            long forbidden = ~bits[word];
            if (at + 64 > known) {
                forbidden &= (1L << (known - at)) - 1;
            }
            if (forbidden == -1L) {
                Arrays.fill(logits, at, at + 64, Float.NEGATIVE_INFINITY);
            } else {
                while (forbidden != 0) {
                    logits[at + Long.numberOfTrailingZeros(forbidden)] = Float.NEGATIVE_INFINITY;
                    forbidden &= forbidden - 1;
                }
            }
        }
        if (size > known) {
            Arrays.fill(logits, known, size, Float.NEGATIVE_INFINITY);
        }
    }

    private void applyFew(float[] logits, int size) {
        float[] kept = new float[few.length];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = few[i] < size ? logits[few[i]] : 0;
        }
        Arrays.fill(logits, 0, size, Float.NEGATIVE_INFINITY);
        for (int i = 0; i < kept.length; i++) {
            if (few[i] < size) {
                logits[few[i]] = kept[i];
            }
        }
    }

    /** Memory it takes. */
    long byteSize() {
        return 64 + 4L * few.length + 8L * bits.length;
    }

    /** Collects tokens in any order. Not safe for use by several threads. */
    static final class Collector {

        private final int vocabSize;
        private final long[] bits;

        Collector(int vocabSize) {
            this.vocabSize = vocabSize;
            this.bits = new long[(vocabSize + 63) >> 6];
        }

        void add(int token) {
            bits[token >> 6] |= 1L << token;
        }

        TokenMask build() {
            int count = 0;
            for (long word : bits) {
                count += Long.bitCount(word);
            }
            if (count > FEW) {
                return new TokenMask(vocabSize, count, new int[0], bits);
            }
            int[] few = new int[count];
            int size = 0;
            for (int word = 0; word < bits.length; word++) {
                for (long left = bits[word]; left != 0; left &= left - 1) {
                    few[size++] = 64 * word + Long.numberOfTrailingZeros(left);
                }
            }
            return new TokenMask(vocabSize, count, few, new long[0]);
        }
    }
}
