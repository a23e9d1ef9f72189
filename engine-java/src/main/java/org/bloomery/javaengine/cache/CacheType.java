package org.bloomery.javaengine.cache;

/** How elements of the cache are stored. */
public enum CacheType {
    /** Half precision: half the memory, rounding of 1 in 2048. */
    F16,
    F32,
    /**
     * Whole numbers of 8 bits under one half-precision scale for up to {@link #GROUP} elements of a head: a quarter of the
     * memory, rounding of 1 in 254 of the largest.
     */
    Q8_0;

    /** Elements under one scale. */
    static final int GROUP = 32;

    /** Scales of one key or value. */
    static int groups(int headDim) {
        return Math.ceilDiv(headDim, GROUP);
    }

    /** Bytes of the keys, or values, of so many positions of one head. */
    long bytes(int positions, int headDim) {
        long elements = (long) positions * headDim;
        return switch (this) {
            case F16 -> elements * Short.BYTES;
            case F32 -> elements * Float.BYTES;
            case Q8_0 -> elements + (long) positions * groups(headDim) * Short.BYTES;
        };
    }
}
