package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Variants of one piece of code, by a small number; each is assembled and loaded when it is first asked for. */
final class LoadedCode {

    private final ExecutableMemory memory;
    private final IntFunction<byte[]> assemble;
    private final AtomicReferenceArray<@Nullable MemorySegment> loaded;

    /** @param most the highest number */
    LoadedCode(ExecutableMemory memory, int most, IntFunction<byte[]> assemble) {
        this.memory = memory;
        this.assemble = assemble;
        loaded = new AtomicReferenceArray<>(most + 1);
    }

    MemorySegment get(int number) {
        MemorySegment found = loaded.get(number);
        return found == null ? load(number) : found;
    }

    private synchronized MemorySegment load(int number) {
        MemorySegment found = loaded.get(number);
        if (found == null) {
            found = memory.load(assemble.apply(number));
            loaded.set(number, found);
        }
        return found;
    }
}
