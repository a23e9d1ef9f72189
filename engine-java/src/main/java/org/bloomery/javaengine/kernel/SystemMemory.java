package org.bloomery.javaengine.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** Pages from the system, by its own functions; numbers are those of Linux. The only class that calls them. */
@SuppressWarnings("restricted")
public final class SystemMemory {

    private static final int READ = 1;
    private static final int WRITE = 2;
    private static final int EXECUTE = 4;

    /** MAP_PRIVATE and MAP_ANONYMOUS. */
    private static final int PRIVATE_ANONYMOUS = 0x22;

    /** MADV_DONTNEED and MADV_HUGEPAGE. */
    private static final int DONT_NEED = 4;

    private static final int HUGE_PAGE = 14;

    /** Bytes of a page, or a multiple of that. */
    private static final long PAGE = 1 << 16;

    /** Bytes of a large page. */
    private static final long LARGE_PAGE = 2 << 20;

    private static final long FAILED = -1;

    private final MethodHandle mmap;
    private final MethodHandle mprotect;
    private final MethodHandle munmap;
    private final MethodHandle madvise;

    private SystemMemory(MethodHandle mmap, MethodHandle mprotect, MethodHandle munmap, MethodHandle madvise) {
        this.mmap = mmap;
        this.mprotect = mprotect;
        this.munmap = munmap;
        this.madvise = madvise;
    }

    /** The system's functions, or empty where one is missing. */
    public static Optional<SystemMemory> find() {
        ValueLayout word = ValueLayout.JAVA_LONG;
        ValueLayout number = ValueLayout.JAVA_INT;
        Optional<MethodHandle> map = function("mmap", word, word, word, number, number, number, word);
        Optional<MethodHandle> protect = function("mprotect", number, word, word, number);
        Optional<MethodHandle> unmap = function("munmap", number, word, word);
        Optional<MethodHandle> advise = function("madvise", number, word, word, number);
        if (map.isEmpty() || protect.isEmpty() || unmap.isEmpty() || advise.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new SystemMemory(map.get(), protect.get(), unmap.get(), advise.get()));
    }

    private static Optional<MethodHandle> function(String name, ValueLayout result, ValueLayout... parameters) {
        Linker linker = Linker.nativeLinker();
        SymbolLookup system = linker.defaultLookup();
        return system.find(name)
                .map(function -> linker.downcallHandle(function, FunctionDescriptor.of(result, parameters)));
    }

    /**
     * So many bytes, zero and writable, given back when the arena closes.
     *
     * @throws IllegalStateException if the system gives none
     */
    public MemorySegment map(long bytes, Arena arena) {
        long address = call(mmap, 0L, bytes, READ | WRITE, PRIVATE_ANONYMOUS, -1, 0L);
        if (address == FAILED) {
            throw new IllegalStateException("the system gave no memory of " + bytes + " bytes");
        }
        return MemorySegment.ofAddress(address)
                .reinterpret(bytes, arena, memory -> call(munmap, memory.address(), bytes));
    }

    /** As {@link #map}, in large pages where the system has them. */
    public MemorySegment mapLargePages(long bytes, Arena arena) {
        MemorySegment memory = map(Math.addExact(bytes, LARGE_PAGE), arena);
        MemorySegment aligned = memory.asSlice(-memory.address() & (LARGE_PAGE - 1), bytes);
        // advice only: small pages will do
        call(madvise, aligned.address(), bytes, HUGE_PAGE);
        return aligned;
    }

    /**
     * Makes memory from {@link #map} executable and no longer writable.
     *
     * @throws IllegalStateException if the system refuses, as hardened ones do
     */
    public void makeExecutable(MemorySegment memory) {
        if (call(mprotect, memory.address(), memory.byteSize(), READ | EXECUTE) != 0) {
            throw new IllegalStateException("the system refuses to make memory executable");
        }
    }

    /** Drops the pages of a mapped file from this process; they stay in the system's cache for as long as it likes. */
    public void drop(MemorySegment ofMappedFile) {
        if (!ofMappedFile.isMapped()) {
            throw new IllegalArgumentException("Memory that is no mapped file would lose what it holds");
        }
        long first = Math.ceilDiv(ofMappedFile.address(), PAGE) * PAGE;
        long end = (ofMappedFile.address() + ofMappedFile.byteSize()) / PAGE * PAGE;
        if (first < end) {
            call(madvise, first, end - first, DONT_NEED);
        }
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
