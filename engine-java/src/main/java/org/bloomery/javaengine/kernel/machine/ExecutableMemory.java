package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Pages of machine code from the system: mapped writable, filled, then made executable and no longer writable, so that no
 * page is ever both. They stay for as long as the JVM runs. The only class that calls the system's memory functions.
 */
@SuppressWarnings("restricted")
final class ExecutableMemory {

    private static final int READ = 1;
    private static final int WRITE = 2;
    private static final int EXECUTE = 4;

    /** Linux: MAP_PRIVATE and MAP_ANONYMOUS. */
    private static final int PRIVATE_ANONYMOUS = 0x22;

    private static final long FAILED = -1;

    private final MethodHandle mmap;
    private final MethodHandle mprotect;
    private final MethodHandle munmap;

    private ExecutableMemory(MethodHandle mmap, MethodHandle mprotect, MethodHandle munmap) {
        this.mmap = mmap;
        this.mprotect = mprotect;
        this.munmap = munmap;
    }

    /** The system's functions, or empty where one is missing. */
    static Optional<ExecutableMemory> find() {
        SymbolLookup system = Linker.nativeLinker().defaultLookup();
        ValueLayout word = ValueLayout.JAVA_LONG;
        ValueLayout number = ValueLayout.JAVA_INT;
        return system.find("mmap")
                .flatMap(map -> system.find("mprotect")
                        .flatMap(protect -> system.find("munmap")
                                .map(unmap -> new ExecutableMemory(
                                        handle(
                                                map,
                                                FunctionDescriptor.of(word, word, word, number, number, number, word)),
                                        handle(protect, FunctionDescriptor.of(number, word, word, number)),
                                        handle(unmap, FunctionDescriptor.of(number, word, word))))));
    }

    private static MethodHandle handle(MemorySegment function, FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(function, descriptor);
    }

    /**
     * The code as something that can be called.
     *
     * @throws IllegalStateException if the system refuses executable memory, as hardened ones do
     */
    MemorySegment load(byte[] code) {
        long address = call(mmap, 0L, (long) code.length, READ | WRITE, PRIVATE_ANONYMOUS, -1, 0L);
        if (address == FAILED) {
            throw new IllegalStateException("the system gave no memory of " + code.length + " bytes for machine code");
        }
        MemorySegment memory = MemorySegment.ofAddress(address).reinterpret(code.length, Arena.global(), null);
        memory.copyFrom(MemorySegment.ofArray(code));
        if (call(mprotect, address, (long) code.length, READ | EXECUTE) != 0) {
            call(munmap, address, (long) code.length);
            throw new IllegalStateException("the system refuses to make memory executable");
        }
        return memory;
    }

    private static long call(MethodHandle function, Object... arguments) {
        try {
            return ((Number) function.invokeWithArguments(arguments)).longValue();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("a call of the system's memory functions ended in " + e, e);
        }
    }
}
