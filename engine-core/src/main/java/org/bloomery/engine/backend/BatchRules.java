package org.bloomery.engine.backend;

/**
 * What every backend checks before anything of a call runs. Each rule throws an {@link IllegalArgumentException} that
 * names what is wrong; a backend that obeys them gives nothing but valid ids, positions and sequence numbers to what
 * computes.
 */
public final class BatchRules {

    private BatchRules() {}

    /**
     * How long each sequence will be after a batch.
     *
     * @param lengths how long each is now, one number for each of {@link BackendInfo#maxSequences}; left as it is
     */
    public static int[] lengthsAfter(Batch batch, BackendInfo info, int[] lengths) {
        if (batch.size() > info.maxBatchTokens()) {
            throw new IllegalArgumentException(
                    "A batch of " + batch.size() + " tokens; the most is " + info.maxBatchTokens());
        }
        int[] after = lengths.clone();
        for (int i = 0; i < batch.size(); i++) {
            int token = batch.token(i);
            int position = batch.position(i);
            int sequence = batch.sequence(i);
            requireSequence(sequence, info);
            if (token < 0 || token >= info.vocabSize()) {
                throw new IllegalArgumentException("Token " + i + " of the batch has id " + token
                        + "; the vocabulary has 0 to " + (info.vocabSize() - 1));
            }
            if (position >= info.contextLength()) {
                throw new IllegalArgumentException("Token " + i + " of the batch has position " + position
                        + "; the context holds " + info.contextLength());
            }
            if (position != after[sequence]) {
                throw new IllegalArgumentException("Token " + i + " of the batch has position " + position
                        + " in sequence " + sequence + "; the next one there is " + after[sequence]);
            }
            after[sequence]++;
        }
        return after;
    }

    /** Whether a sequence may be cut. */
    public static void checkTruncate(int sequence, int from, BackendInfo info) {
        requireSequence(sequence, info);
        if (from < 0) {
            throw new IllegalArgumentException("Position " + from + " to truncate at is below 0");
        }
    }

    /** Whether a prefix may be copied. */
    public static void checkCopy(int source, int target, int length, BackendInfo info, int[] lengths) {
        requireSequence(source, info);
        requireSequence(target, info);
        if (lengths[target] != 0) {
            throw new IllegalArgumentException("Sequence " + target + " holds " + lengths[target]
                    + " positions; a prefix is copied to an empty one");
        }
        if (length < 0 || length > lengths[source]) {
            throw new IllegalArgumentException(
                    "Sequence " + source + " holds " + lengths[source] + " positions; cannot copy " + length);
        }
    }

    private static void requireSequence(int sequence, BackendInfo info) {
        if (sequence < 0 || sequence >= info.maxSequences()) {
            throw new IllegalArgumentException(
                    "Sequence " + sequence + "; there are 0 to " + (info.maxSequences() - 1));
        }
    }
}
