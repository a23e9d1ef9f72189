package org.bloomery.javaengine.cache;

/** How an element of the cache is stored. */
public enum CacheType {
    /** Half precision: half the memory, rounding of 1 in 2048. */
    F16(2),
    F32(4);

    private final int bytes;

    CacheType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }
}
