package org.bloomery.javaengine.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A layout of a matrix in which rows that are read side by side are one stream of memory, which is read faster than many
 * streams, and stand in registers as they are needed: of each group of rows the first four bytes of each, then the next
 * four of each, and so on. Bytes stay the same, so products have the same bits in either layout. A last group that is not
 * whole has room for all its rows, whose bytes are zero.
 *
 * @param rows of a group
 * @param blockBytes bytes of a block of a row, which is a whole number of blocks
 * @param halfWord where two bytes of a block stand alone that is no multiple of four bytes long; -1 if it is
 */
public record Interleaving(int rows, int blockBytes, int halfWord) {

    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfShort HALF_WORD = ValueLayout.JAVA_SHORT_UNALIGNED;

    /** Bytes of a matrix of so many rows in this layout. */
    public long byteSize(int rows, long rowBytes) {
        return Math.multiplyExact(Math.ceilDiv((long) rows, this.rows) * this.rows, rowBytes);
    }

    /**
     * Copies the rows {@code from} to {@code to}, the first a multiple of {@link #rows}, to where they belong.
     *
     * @param weights (at least {@code to}, columns), row after row
     * @param target {@link #byteSize} bytes, zero where a group has no row
     */
    public void copy(MemorySegment weights, int from, int to, long rowBytes, MemorySegment target) {
        for (long first = from; first < to; first += rows) {
            int count = (int) Math.min(rows, to - first);
            MemorySegment source = weights.asSlice(first * rowBytes, count * rowBytes);
            MemorySegment group = target.asSlice(first * rowBytes, rows * rowBytes);
            for (long block = 0; block < rowBytes; block += blockBytes) {
                for (int at = 0; at < blockBytes; at += width(at)) {
                    if (at == halfWord) {
                        for (int row = 0; row < count; row++) {
                            short part = source.get(HALF_WORD, row * rowBytes + block + at);
                            group.set(HALF_WORD, (block + at) * rows + row * 2L, part);
                        }
                    } else {
                        for (int row = 0; row < count; row++) {
                            int part = source.get(WORD, row * rowBytes + block + at);
                            group.set(WORD, (block + at) * rows + row * 4L, part);
                        }
                    }
                }
            }
        }
    }

    private int width(int at) {
        return at == halfWord ? Short.BYTES : Integer.BYTES;
    }

    /** The bytes of one row of a matrix in this layout, in their order. */
    public MemorySegment row(MemorySegment interleaved, int row, int rowBytes) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[rowBytes]);
        MemorySegment group = interleaved.asSlice((long) row / rows * rows * rowBytes, (long) rows * rowBytes);
        for (int block = 0; block < rowBytes; block += blockBytes) {
            for (int at = 0; at < blockBytes; at += width(at)) {
                long from = (long) (block + at) * rows + (long) row % rows * width(at);
                MemorySegment.copy(group, from, bytes, block + at, width(at));
            }
        }
        return bytes;
    }
}
