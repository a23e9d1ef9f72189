package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Calls of assembled code. They are critical: short, without a thread transition, and the segments may lie in the Java
 * heap, where nothing moves meanwhile.
 */
@SuppressWarnings("restricted")
final class MachineCall {

    private static final MethodHandle MULTIPLY = handle(FunctionDescriptor.ofVoid(
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_LONG,
            ValueLayout.ADDRESS,
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG));

    private static final MethodHandle PACK = handle(FunctionDescriptor.ofVoid(
            ValueLayout.ADDRESS,
            ValueLayout.ADDRESS,
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG));

    private static final MethodHandle LOOP = handle(FunctionDescriptor.of(
            ValueLayout.JAVA_FLOAT,
            ValueLayout.ADDRESS,
            ValueLayout.ADDRESS,
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_FLOAT));

    private MachineCall() {}

    private static MethodHandle handle(FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(descriptor, Linker.Option.critical(true));
    }

    /** Calls a kernel; {@link MatrixCode} tells the arguments. */
    static void multiply(
            MemorySegment code,
            MemorySegment weights,
            long rowBytes,
            MemorySegment activations,
            MemorySegment out,
            long tokenBytes,
            long blocks,
            long groups,
            long mask) {
        try {
            MULTIPLY.invokeExact(code, weights, rowBytes, activations, out, tokenBytes, blocks, groups, mask);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** Calls {@link ByteActivations#packing}. */
    static void pack(
            MemorySegment code,
            MemorySegment x,
            MemorySegment codes,
            MemorySegment numbers,
            long arrayBytes,
            long recordBytes,
            long blocks) {
        try {
            PACK.invokeExact(code, x, codes, numbers, arrayBytes, recordBytes, blocks);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** Calls {@link ElementwiseCode}. */
    static float loop(
            MemorySegment code,
            MemorySegment x,
            MemorySegment other,
            MemorySegment constants,
            long vectors,
            float number) {
        try {
            return (float) LOOP.invokeExact(code, x, other, constants, vectors, number);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** What a call throws is unchecked, though the type of a handle's call cannot say so. */
    private static RuntimeException unchecked(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        return (RuntimeException) thrown;
    }
}
