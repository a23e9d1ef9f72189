package org.bloomery.nativeengine.binding;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.function.BooleanSupplier;
import java.util.function.DoublePredicate;

/** Functions of ours that native code calls. Whatever they throw is caught here: an escape would end the process. */
public final class Upcalls {

    private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();

    private Upcalls() {}

    /** Is asked while a batch runs; true ends it. */
    public static MemorySegment abort(BooleanSupplier interrupted, Arena arena) {
        return stub(
                new Abort(interrupted),
                "raised",
                MethodType.methodType(boolean.class, MemorySegment.class),
                FunctionDescriptor.of(JAVA_BOOLEAN, ADDRESS),
                arena);
    }

    /** Is told how far a model has been loaded, 0 to 1; false gives up. */
    public static MemorySegment progress(DoublePredicate goesOn, Arena arena) {
        return stub(
                new Progress(goesOn),
                "loaded",
                MethodType.methodType(boolean.class, float.class, MemorySegment.class),
                FunctionDescriptor.of(JAVA_BOOLEAN, JAVA_FLOAT, ADDRESS),
                arena);
    }

    /** Takes pieces of the log. */
    static MemorySegment log(NativeLog log) {
        return stub(
                log,
                "accept",
                MethodType.methodType(void.class, int.class, MemorySegment.class, MemorySegment.class),
                FunctionDescriptor.ofVoid(JAVA_INT, ADDRESS, ADDRESS),
                Arena.global());
    }

    private static MemorySegment stub(
            Object target, String method, MethodType type, FunctionDescriptor descriptor, Arena arena) {
        try {
            MethodHandle handle = LOOKUP.bind(target, method, type);
            return Linker.nativeLinker().upcallStub(handle, descriptor, arena);
        } catch (NoSuchMethodException | IllegalAccessException e) {
            throw new IllegalStateException("An upcall names no method", e);
        }
    }

    private record Abort(BooleanSupplier interrupted) {

        @SuppressWarnings({"unused", "CatchingUnchecked"})
        boolean raised(MemorySegment data) {
            try {
                return interrupted.getAsBoolean();
            } catch (Throwable t) {
                return true;
            }
        }
    }

    private record Progress(DoublePredicate goesOn) {

        @SuppressWarnings({"unused", "CatchingUnchecked"})
        boolean loaded(float fraction, MemorySegment data) {
            try {
                return goesOn.test(fraction);
            } catch (Throwable t) {
                return false;
            }
        }
    }
}
