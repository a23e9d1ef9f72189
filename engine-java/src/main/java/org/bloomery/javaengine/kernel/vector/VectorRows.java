package org.bloomery.javaengine.kernel.vector;

import java.lang.foreign.MemorySegment;

/** How the rows of one element type are read. */
interface VectorRows {

    /**
     * Writes {@code count} consecutive elements of a row as floats, bit for bit those of the type's scalar truth.
     *
     * @param offset bytes to the first block
     * @param count elements, a multiple of the type's block size
     */
    void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset);

    /** Whether {@link #dotFour} is faster than dequantising the rows first. */
    default boolean hasDot() {
        return false;
    }

    /**
     * The dot products of four rows, {@code rowBytes} apart, with one vector of activations; added in any order.
     *
     * @param offset bytes to the first row
     */
    default void dotFour(
            MemorySegment source,
            long offset,
            long rowBytes,
            int columns,
            float[] x,
            int xOffset,
            float[] out,
            int outOffset) {
        throw new UnsupportedOperationException();
    }
}
