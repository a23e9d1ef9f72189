package org.bloomery.javaengine.layer;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.bloomery.engine.backend.Logits;

/**
 * The logits of a pass, in chunks of rows: one product makes a chunk, and no array outgrows what Java can index. Chunks
 * are kept from pass to pass.
 */
public final class LogitRows implements Logits {

    /** Rows of a chunk. */
    static final int CHUNK = 32;

    private final List<float[]> chunks = new ArrayList<>();
    private final int vocabSize;
    private int rows;

    public LogitRows(int vocabSize) {
        this.vocabSize = vocabSize;
    }

    /** Bytes of this many rows, kept in whole chunks. */
    public static long bytes(int rows, int vocabSize) {
        return Math.ceilDiv(rows, CHUNK) * (long) CHUNK * vocabSize * Float.BYTES;
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int vocabSize() {
        return vocabSize;
    }

    @Override
    public MemorySegment row(int row) {
        if (row < 0 || row >= rows) {
            throw new IndexOutOfBoundsException("Row " + row + " of " + rows + " rows of logits");
        }
        long bytes = (long) vocabSize * Float.BYTES;
        return MemorySegment.ofArray(chunk(row))
                .asSlice(row % CHUNK * bytes, bytes)
                .asReadOnly();
    }

    void resize(int rows) {
        while (chunks.size() * CHUNK < rows) {
            chunks.add(new float[Math.multiplyExact(CHUNK, vocabSize)]);
        }
        this.rows = rows;
    }

    float[] chunk(int row) {
        return chunks.get(row / CHUNK);
    }
}
