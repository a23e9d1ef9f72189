package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@link ElementwiseCode} loaded at one width.
 *
 * @param lanes floats of a vector of {@code swiglu} and {@code exponentials}
 */
record ElementwiseLoops(
        int lanes, MemorySegment swiglu, MemorySegment exponentials, MemorySegment greatest, MemorySegment constants) {

    /** Floats of a vector of {@link #greatest}. */
    static final int GREATEST_LANES = 8;

    static ElementwiseLoops of(ExecutableMemory memory, int bits) {
        int size = ElementwiseCode.VECTOR;
        MemorySegment constants = Arena.global().allocate((long) ElementwiseCode.CONSTANTS.size() * size, size);
        for (int i = 0; i < constants.byteSize() / Integer.BYTES; i++) {
            constants.setAtIndex(ValueLayout.JAVA_INT, i, ElementwiseCode.CONSTANTS.get(i / (size / Integer.BYTES)));
        }
        return new ElementwiseLoops(
                bits / Float.SIZE,
                memory.load(ElementwiseCode.swiglu(bits)),
                memory.load(ElementwiseCode.exponentials(bits)),
                memory.load(ElementwiseCode.greatest()),
                constants);
    }
}
