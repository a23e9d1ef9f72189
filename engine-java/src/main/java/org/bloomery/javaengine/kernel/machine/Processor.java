package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.bloomery.javaengine.kernel.machine.Register.General;

/**
 * What this processor and its operating system allow, asked of the CPUID and XGETBV instructions.
 *
 * @param avx2 256-bit vectors with FMA and half floats
 * @param avxVnni the dot product of bytes with VEX prefix
 * @param avx512Vnni 512-bit vectors (F, BW, DQ, VL) and the dot product of bytes
 * @param avx512Bf16 the dot product of brain floats in 512-bit vectors
 */
@SuppressWarnings("restricted")
record Processor(boolean avx2, boolean avxVnni, boolean avx512Vnni, boolean avx512Bf16) {

    private static final FunctionDescriptor CPUID =
            FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS);

    /** Registers that the operating system saves: XMM and YMM, and with them masks and ZMM. */
    private static final int SAVES_256 = 0x6;

    private static final int SAVES_512 = 0xE6;

    /**
     * Asks the processor.
     *
     * @throws IllegalStateException if the system refuses executable memory
     */
    static Processor ask(ExecutableMemory memory) {
        MethodHandle cpuid = Linker.nativeLinker().downcallHandle(memory.load(cpuid()), CPUID);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment registers = arena.allocate(4L * Integer.BYTES);
            int features = query(cpuid, 1, registers, 2);
            boolean saves = bit(features, 27);
            boolean fma = bit(features, 12);
            boolean halves = bit(features, 29);
            int highest = query(cpuid, 0, registers, 0);
            if (!saves || highest < 7) {
                return new Processor(false, false, false, false);
            }
            int leaves = query(cpuid, 7, registers, 0);
            int more = registers.getAtIndex(ValueLayout.JAVA_INT, 1);
            int vnni = registers.getAtIndex(ValueLayout.JAVA_INT, 2);
            int subleaf = leaves >= 1 ? query(cpuid, 7 | 1L << 32, registers, 0) : 0;
            boolean avxVnni = bit(subleaf, 4);
            boolean bf16 = bit(subleaf, 5);
            int saved = query(Linker.nativeLinker().downcallHandle(memory.load(xgetbv()), CPUID), 0, registers, 0);
            boolean avx2 = (saved & SAVES_256) == SAVES_256 && bit(more, 5) && fma && halves;
            boolean avx512 = avx2
                    && (saved & SAVES_512) == SAVES_512
                    && bit(more, 16)
                    && bit(more, 17)
                    && bit(more, 30)
                    && bit(more, 31);
            return new Processor(avx2, avx2 && avxVnni, avx512 && bit(vnni, 11), avx512 && bf16);
        }
    }

    private static boolean bit(int flags, int number) {
        return ((flags >>> number) & 1) == 1;
    }

    /** One leaf, its subleaf above bit 32; gives back the register with this index: EAX, EBX, ECX, EDX. */
    private static int query(MethodHandle code, long leaf, MemorySegment registers, int index) {
        try {
            code.invokeExact(leaf & 0xFFFF_FFFFL, leaf >>> 32, registers);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("asking the processor for its features ended in " + e, e);
        }
        return registers.getAtIndex(ValueLayout.JAVA_INT, index);
    }

    /** {@code void (long leaf, long subleaf, int[4] result)} */
    private static byte[] cpuid() {
        Assembler code = new Assembler();
        code.push(General.RBX);
        code.mov(General.R8, General.RDX);
        code.mov(General.RAX, General.RDI);
        code.mov(General.RCX, General.RSI);
        code.cpuid();
        code.movd(Memory.at(General.R8, 0), General.RAX);
        code.movd(Memory.at(General.R8, 4), General.RBX);
        code.movd(Memory.at(General.R8, 8), General.RCX);
        code.movd(Memory.at(General.R8, 12), General.RDX);
        code.pop(General.RBX);
        code.ret();
        return code.toBytes();
    }

    /** As {@link #cpuid}, for the extended control register 0. */
    private static byte[] xgetbv() {
        Assembler code = new Assembler();
        code.mov(General.R8, General.RDX);
        code.mov(General.RCX, 0);
        code.xgetbv();
        code.movd(Memory.at(General.R8, 0), General.RAX);
        code.ret();
        return code.toBytes();
    }
}
