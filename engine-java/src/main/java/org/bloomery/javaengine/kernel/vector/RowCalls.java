package org.bloomery.javaengine.kernel.vector;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * Calls of {@link VectorRows} that C2 cannot inline. In a model of two element types it would otherwise inline both into
 * the loop over rows, reach {@code NodeCountInliningCutoff} in the second, and leave that one's vectors boxed, seven
 * times slower; whether it did so changed from run to run. A handle in a plain field is no constant to the compiler, so
 * each method is compiled as a whole by itself. A call takes some nanoseconds, a row some hundred.
 */
final class RowCalls {

    private static final MethodType DEQUANTIZE =
            MethodType.methodType(void.class, MemorySegment.class, long.class, int.class, float[].class, int.class);
    private static final MethodType DOT = DEQUANTIZE.changeReturnType(float.class);

    private final MethodHandle dequantize;
    private final MethodHandle dot;

    RowCalls(VectorRows rows) {
        try {
            dequantize = MethodHandles.lookup().bind(rows, "dequantize", DEQUANTIZE);
            dot = MethodHandles.lookup().bind(rows, "dot", DOT);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    /** {@link VectorRows#dequantize} */
    void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        try {
            dequantize.invokeExact(source, offset, count, out, outOffset);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** {@link VectorRows#dot} */
    float dot(MemorySegment source, long offset, int columns, float[] x, int xOffset) {
        try {
            return (float) dot.invokeExact(source, offset, columns, x, xOffset);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** What these methods throw is unchecked, though the type of a handle's call cannot say so. */
    private static RuntimeException unchecked(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        return (RuntimeException) thrown;
    }
}
