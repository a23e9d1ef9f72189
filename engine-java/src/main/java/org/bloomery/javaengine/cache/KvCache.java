package org.bloomery.javaengine.cache;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The key/value cache of all sequences. A page holds {@link #BLOCK} positions of one sequence, all layers; it is native
 * memory, so a large cache costs no Java heap, and no page exists before a sequence reaches it. Pages given back are
 * used again before new ones are made, so that memory never exceeds {@link #bytes}.
 *
 * <p>Inside a page each (layer, head) has a block of keys, transposed to (headDim, BLOCK), and one of values, (BLOCK,
 * headDim): both products of attention then run along consecutive elements.
 *
 * <p>One thread reserves, truncates and copies; between those, any threads may put and load, different rows each.
 */
public final class KvCache implements AutoCloseable {

    /** Positions of a page, and the width of a loaded block. */
    public static final int BLOCK = 64;

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

    private final CacheShape shape;
    private final CacheType type;
    private final long blockBytes;
    private final List<List<MemorySegment>> pages = new ArrayList<>();
    private final int[] lengths;
    private final Deque<MemorySegment> free = new ArrayDeque<>();
    private final Arena arena = Arena.ofShared();
    private int pagesMade;

    public KvCache(CacheShape shape, CacheType type, int sequences) {
        this.shape = shape;
        this.type = type;
        blockBytes = (long) BLOCK * shape.headDim() * type.bytes();
        lengths = new int[sequences];
        for (int i = 0; i < sequences; i++) {
            pages.add(new ArrayList<>());
        }
    }

    /** Most bytes such a cache takes, when every sequence is full. */
    public static long bytes(CacheShape shape, CacheType type, int sequences, int contextLength) {
        long positions = Math.ceilDiv(contextLength, BLOCK) * (long) BLOCK;
        return Math.multiplyExact(
                Math.multiplyExact(shape.elementsPerToken() * type.bytes(), positions), (long) sequences);
    }

    /** Positions the sequence holds. */
    public int length(int sequence) {
        return lengths[sequence];
    }

    /** Lets the sequence hold {@code length} positions; those beyond its present length are to be put next. */
    public void extend(int sequence, int length) {
        reserve(sequence, length);
        lengths[sequence] = Math.max(lengths[sequence], length);
    }

    /** Forgets positions {@code from} to the end. */
    public void truncate(int sequence, int from) {
        if (from >= lengths[sequence]) {
            return;
        }
        lengths[sequence] = from;
        List<MemorySegment> held = pages.get(sequence);
        while (held.size() > Math.ceilDiv(from, BLOCK)) {
            free.push(held.removeLast());
        }
    }

    /** Makes the empty {@code target} hold the first {@code length} positions of {@code source}. */
    public void copyPrefix(int source, int target, int length) {
        extend(target, length);
        for (int page = 0; page < Math.ceilDiv(length, BLOCK); page++) {
            pages.get(target).get(page).copyFrom(pages.get(source).get(page));
        }
    }

    /** Stores the key and the value of one head at a position below the sequence's length. */
    public void put(int sequence, int position, int layer, int head, float[] key, float[] value, int offset) {
        MemorySegment page = pages.get(sequence).get(position / BLOCK);
        int slot = position % BLOCK;
        int dim = shape.headDim();
        long keys = keyBlock(layer, head);
        long values = keys + blockBytes;
        if (type == CacheType.F16) {
            for (int d = 0; d < dim; d++) {
                page.set(SHORT, keys + 2L * (d * BLOCK + slot), Float.floatToFloat16(key[offset + d]));
                page.set(SHORT, values + 2L * (slot * dim + d), Float.floatToFloat16(value[offset + d]));
            }
        } else {
            for (int d = 0; d < dim; d++) {
                page.set(FLOAT, keys + 4L * (d * BLOCK + slot), key[offset + d]);
            }
            MemorySegment.copy(value, offset, page, FLOAT, values + 4L * slot * dim, dim);
        }
    }

    /**
     * Loads the keys of positions {@code block * BLOCK} and up as (headDim, BLOCK). Columns at and beyond the
     * sequence's length hold anything.
     */
    public void loadKeys(int sequence, int block, int layer, int head, BlockBuffer out) {
        load(sequence, block, keyBlock(layer, head), BLOCK * shape.headDim(), out);
    }

    /** Loads the first {@code count} values of positions {@code block * BLOCK} and up as (count, headDim). */
    public void loadValues(int sequence, int block, int layer, int head, int count, BlockBuffer out) {
        load(sequence, block, keyBlock(layer, head) + blockBytes, count * shape.headDim(), out);
    }

    /** A buffer that takes one block; each thread has its own. */
    public BlockBuffer buffer() {
        return new BlockBuffer(BLOCK * shape.headDim());
    }

    /** Pages made so far, in use or given back. */
    int pagesMade() {
        return pagesMade;
    }

    /** Frees all pages. */
    @Override
    public void close() {
        arena.close();
    }

    private void load(int sequence, int block, long offset, int elements, BlockBuffer out) {
        MemorySegment page = pages.get(sequence).get(block);
        if (type == CacheType.F16) {
            short[] halves = out.halves;
            float[] floats = out.floats;
            MemorySegment.copy(page, SHORT, offset, halves, 0, elements);
            for (int i = 0; i < elements; i++) {
                floats[i] = Float.float16ToFloat(halves[i]);
            }
        } else {
            MemorySegment.copy(page, FLOAT, offset, out.floats, 0, elements);
        }
    }

    private long keyBlock(int layer, int head) {
        return 2L * blockBytes * ((long) layer * shape.kvHeads() + head);
    }

    private void reserve(int sequence, int length) {
        List<MemorySegment> held = pages.get(sequence);
        while (held.size() < Math.ceilDiv(length, BLOCK)) {
            if (free.isEmpty()) {
                free.push(arena.allocate(pageBytes(), Long.BYTES));
                pagesMade++;
            }
            held.add(free.pop());
        }
    }

    private long pageBytes() {
        return shape.elementsPerToken() * BLOCK * type.bytes();
    }

    /** Room for one block of keys or values as floats. */
    public static final class BlockBuffer {

        private final float[] floats;
        private final short[] halves;

        private BlockBuffer(int elements) {
            floats = new float[elements];
            halves = new short[elements];
        }

        /** The block loaded last. */
        public float[] floats() {
            return floats;
        }
    }
}
