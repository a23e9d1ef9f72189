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
        blockBytes = type.bytes(BLOCK, shape.headDim());
        lengths = new int[sequences];
        for (int i = 0; i < sequences; i++) {
            pages.add(new ArrayList<>());
        }
    }

    /** Most bytes such a cache takes, when every sequence is full. */
    public static long bytes(CacheShape shape, CacheType type, int sequences, int contextLength) {
        long pages = Math.multiplyExact((long) Math.ceilDiv(contextLength, BLOCK), (long) sequences);
        return Math.multiplyExact(shape.blocks() * type.bytes(BLOCK, shape.headDim()), pages);
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
        switch (type) {
            case F16 -> {
                for (int d = 0; d < dim; d++) {
                    page.set(SHORT, keys + 2L * (d * BLOCK + slot), Float.floatToFloat16(key[offset + d]));
                    page.set(SHORT, values + 2L * (slot * dim + d), Float.floatToFloat16(value[offset + d]));
                }
            }
            case F32 -> {
                for (int d = 0; d < dim; d++) {
                    page.set(FLOAT, keys + 4L * (d * BLOCK + slot), key[offset + d]);
                }
                MemorySegment.copy(value, offset, page, FLOAT, values + 4L * slot * dim, dim);
            }
            case Q8_0 -> {
                quantize(key, offset, page, keys, slot, BLOCK, BLOCK, slot);
                quantize(value, offset, page, values, slot * dim, 1, 1, slot * CacheType.groups(dim));
            }
        }
    }

    /**
     * Stores one head as whole numbers. A block has its codes first, then its scales.
     *
     * @param code place of the first code, the next ones {@code codeStep} apart
     * @param scale place of the first scale, the next ones {@code scaleStep} apart
     */
    private void quantize(
            float[] x, int offset, MemorySegment page, long block, int code, int codeStep, int scaleStep, int scale) {
        int dim = shape.headDim();
        long scales = block + (long) BLOCK * dim;
        for (int group = 0; group * CacheType.GROUP < dim; group++) {
            int from = group * CacheType.GROUP;
            int to = Math.min(dim, from + CacheType.GROUP);
            float most = 0;
            for (int d = from; d < to; d++) {
                most = Math.max(most, Math.abs(x[offset + d]));
            }
            short half = Float.floatToFloat16(most / Byte.MAX_VALUE);
            page.set(SHORT, scales + 2L * (scale + group * scaleStep), half);
            float unit = Float.float16ToFloat(half);
            float factor = unit > 0 ? 1 / unit : 0;
            for (int d = from; d < to; d++) {
                int rounded = Math.clamp(Math.round(x[offset + d] * factor), -Byte.MAX_VALUE, Byte.MAX_VALUE);
                page.set(ValueLayout.JAVA_BYTE, block + code + (long) d * codeStep, (byte) rounded);
            }
        }
    }

    /**
     * Loads the keys of positions {@code block * BLOCK} and up as (headDim, BLOCK). Columns at and beyond the
     * sequence's length hold anything.
     */
    public void loadKeys(int sequence, int block, int layer, int head, BlockBuffer out) {
        long keys = keyBlock(layer, head);
        if (type == CacheType.Q8_0) {
            loadKeyCodes(pages.get(sequence).get(block), keys, out);
        } else {
            load(sequence, block, keys, BLOCK * shape.headDim(), out);
        }
    }

    /** Loads the first {@code count} values of positions {@code block * BLOCK} and up as (count, headDim). */
    public void loadValues(int sequence, int block, int layer, int head, int count, BlockBuffer out) {
        long values = keyBlock(layer, head) + blockBytes;
        if (type == CacheType.Q8_0) {
            loadValueCodes(pages.get(sequence).get(block), values, count, out);
        } else {
            load(sequence, block, values, count * shape.headDim(), out);
        }
    }

    /** A buffer that takes one block; each thread has its own. */
    public BlockBuffer buffer() {
        return new BlockBuffer(BLOCK * shape.headDim(), BLOCK * CacheType.groups(shape.headDim()));
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

    /** Each element of a head has a row of codes, one for each position; so has each group of elements, of scales. */
    private void loadKeyCodes(MemorySegment page, long block, BlockBuffer out) {
        int dim = shape.headDim();
        int groups = CacheType.groups(dim);
        MemorySegment.copy(page, ValueLayout.JAVA_BYTE, block, out.codes, 0, BLOCK * dim);
        MemorySegment.copy(page, SHORT, block + (long) BLOCK * dim, out.halves, 0, BLOCK * groups);
        for (int i = 0; i < BLOCK * groups; i++) {
            out.scales[i] = Float.float16ToFloat(out.halves[i]);
        }
        for (int d = 0; d < dim; d++) {
            scaleByPosition(out, d * BLOCK, d / CacheType.GROUP * BLOCK);
        }
    }

    private static void scaleByPosition(BlockBuffer out, int at, int scalesAt) {
        for (int slot = 0; slot < BLOCK; slot++) {
            out.floats[at + slot] = out.codes[at + slot] * out.scales[scalesAt + slot];
        }
    }

    private void loadValueCodes(MemorySegment page, long block, int count, BlockBuffer out) {
        int dim = shape.headDim();
        int groups = CacheType.groups(dim);
        MemorySegment.copy(page, ValueLayout.JAVA_BYTE, block, out.codes, 0, count * dim);
        MemorySegment.copy(page, SHORT, block + (long) BLOCK * dim, out.halves, 0, count * groups);
        for (int slot = 0; slot < count; slot++) {
            for (int group = 0; group < groups; group++) {
                int from = group * CacheType.GROUP;
                scaleAll(
                        out,
                        slot * dim + from,
                        slot * dim + Math.min(dim, from + CacheType.GROUP),
                        Float.float16ToFloat(out.halves[slot * groups + group]));
            }
        }
    }

    private static void scaleAll(BlockBuffer out, int from, int to, float scale) {
        for (int i = from; i < to; i++) {
            out.floats[i] = out.codes[i] * scale;
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
        return shape.blocks() * blockBytes;
    }

    /** Room for one block of keys or values as floats. */
    public static final class BlockBuffer {

        private final float[] floats;
        private final short[] halves;
        private final byte[] codes;
        private final float[] scales;

        private BlockBuffer(int elements, int scales) {
            floats = new float[elements];
            halves = new short[elements];
            codes = new byte[elements];
            this.scales = new float[scales];
        }

        /** The block loaded last. */
        public float[] floats() {
            return floats;
        }
    }
}
