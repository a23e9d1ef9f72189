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

    /**
     * The dot product of a row with activations; added in any order.
     *
     * @param offset bytes to the row
     * @param columns elements, a multiple of the type's block size
     */
    float dot(MemorySegment source, long offset, int columns, float[] x, int xOffset);
}
