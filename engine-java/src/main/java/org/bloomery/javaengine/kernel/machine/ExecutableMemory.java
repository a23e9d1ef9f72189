package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.bloomery.javaengine.kernel.SystemMemory;

/**
 * Pages of machine code: mapped writable, filled, then made executable and no longer writable, so that no page is ever
 * both. They stay for as long as the JVM runs.
 */
final class ExecutableMemory {

    private final SystemMemory system;

    private ExecutableMemory(SystemMemory system) {
        this.system = system;
    }

    /** Empty where the system has no such memory. */
    static Optional<ExecutableMemory> find() {
        return SystemMemory.find().map(ExecutableMemory::new);
    }

    /**
     * The code as something that can be called.
     *
     * @throws IllegalStateException if the system refuses executable memory, as hardened ones do
     */
    MemorySegment load(byte[] code) {
        MemorySegment memory = system.map(code.length, Arena.global());
        memory.copyFrom(MemorySegment.ofArray(code));
        system.makeExecutable(memory);
        return memory;
    }
}
