package org.bloomery.javaengine.kernel.machine;

/**
 * The loaded variants of {@link AttentionCode} at one width.
 *
 * @param lanes floats of a vector
 * @param widest vectors of the widest tile; the others have half or a quarter
 * @param one tiles of one row, by number of vectors
 * @param four tiles of {@link AttentionCode#ROWS} rows
 */
record AttentionTiles(int lanes, int widest, LoadedCode one, LoadedCode four) {

    static AttentionTiles of(ExecutableMemory memory, int bits) {
        int widest = AttentionCode.widest(bits);
        return new AttentionTiles(
                bits / Float.SIZE,
                widest,
                new LoadedCode(memory, widest, vectors -> AttentionCode.multiplyAdd(bits, 1, vectors)),
                new LoadedCode(
                        memory, widest, vectors -> AttentionCode.multiplyAdd(bits, AttentionCode.ROWS, vectors)));
    }
}
