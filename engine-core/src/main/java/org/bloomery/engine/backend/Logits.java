package org.bloomery.engine.backend;

import java.lang.foreign.MemorySegment;

/** Logits of one forward pass, read in place: (rows, vocabSize) floats, row-major. Valid until the next pass. */
public interface Logits {

    int rows();

    int vocabSize();

    /** The floats of one row, {@code vocabSize} of them, read-only by convention. */
    MemorySegment row(int row);

    /** Copies one row to the start of {@code target}. */
    default void copyRow(int row, float[] target) {
        MemorySegment.copy(row(row), java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED, 0, target, 0, vocabSize());
    }
}
