package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.MemorySegment;

/**
 * Rows that are computed side by side.
 *
 * @param weights as many rows as the code reads, at the segment's start
 * @param firstRow number of the first of them
 * @param mask of those whose results are asked for
 */
record RowGroup(MemorySegment weights, int firstRow, long mask) {

    /** Rows {@code from} to {@code to} of an interleaved matrix, where a group begins and has room for all its rows. */
    static RowGroup ofInterleaved(MemorySegment weights, int from, int to, long rowBytes, int groupRows) {
        return new RowGroup(weights.asSlice(from * rowBytes, groupRows * rowBytes), from, (1L << (to - from)) - 1);
    }

    /** Rows {@code from} to {@code to}, and beside them others that fill the group; a small matrix is copied. */
    static RowGroup of(MemorySegment weights, int from, int to, long rowBytes, int groupRows) {
        int count = to - from;
        long wanted = (1L << count) - 1;
        if (count == groupRows || weights.byteSize() >= (from + (long) groupRows) * rowBytes) {
            return new RowGroup(weights.asSlice(from * rowBytes, groupRows * rowBytes), from, wanted);
        }
        int first = to - groupRows;
        if (first >= 0) {
            return new RowGroup(
                    weights.asSlice(first * rowBytes, groupRows * rowBytes), first, wanted << (groupRows - count));
        }
        MemorySegment copy = MemorySegment.ofArray(new byte[Math.toIntExact(groupRows * rowBytes)]);
        MemorySegment.copy(weights, from * rowBytes, copy, 0, count * rowBytes);
        return new RowGroup(copy, from, wanted);
    }
}
