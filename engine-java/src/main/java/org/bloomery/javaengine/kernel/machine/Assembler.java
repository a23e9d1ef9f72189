package org.bloomery.javaengine.kernel.machine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bloomery.javaengine.kernel.machine.Register.General;
import org.bloomery.javaengine.kernel.machine.Register.Mask;
import org.bloomery.javaengine.kernel.machine.Register.Vector;

/**
 * Writes x86-64 machine code: the vector instructions of {@link Instruction} with VEX or EVEX prefixes (Intel's manual,
 * volume 2, sections 2.3 and 2.7), and the few others that loops and addresses need. Operands stand in the manual's
 * order, the result first.
 */
final class Assembler {

    /** A place in the code to jump to. */
    static final class Label {
        private int position = -1;
        private final List<Integer> uses = new ArrayList<>();
    }

    /** When a conditional jump is taken, by its number in the opcode. */
    enum Condition {
        ZERO(0x4),
        NOT_ZERO(0x5),
        LESS(0xC),
        GREATER(0xF);

        private final int code;

        Condition(int code) {
            this.code = code;
        }
    }

    private byte[] code = new byte[4096];
    private int size;

    /** The code so far; every label that is jumped to must be placed. */
    byte[] toBytes() {
        return Arrays.copyOf(code, size);
    }

    /** Bytes so far. */
    int size() {
        return size;
    }

    // vector instructions

    /** {@code result = operation(first, second)} */
    void emit(Instruction instruction, Vector result, Vector first, Vector second) {
        vector(instruction, result.number(), first.number(), second, result.bits(), Mask.NONE, -1);
    }

    /** {@code result = operation(first, second)}, the second from memory. */
    void emit(Instruction instruction, Vector result, Vector first, Memory second) {
        vector(instruction, result.number(), first.number(), second, result.bits(), Mask.NONE, -1);
    }

    /** As {@link #emit(Instruction, Vector, Vector, Vector)}, with an immediate byte. */
    void emit(Instruction instruction, Vector result, Vector first, Vector second, int immediate) {
        vector(instruction, result.number(), first.number(), second, result.bits(), Mask.NONE, immediate);
    }

    /** As {@link #emit(Instruction, Vector, Vector, Memory)}, with an immediate byte. */
    void emit(Instruction instruction, Vector result, Vector first, Memory second, int immediate) {
        vector(instruction, result.number(), first.number(), second, result.bits(), Mask.NONE, immediate);
    }

    /** {@code result = operation(source)}; the width is the wider of the two. */
    void emit(Instruction instruction, Vector result, Vector source) {
        vector(instruction, result.number(), 0, source, Math.max(result.bits(), source.bits()), Mask.NONE, -1);
    }

    /** {@code result = operation(source)}, from memory. */
    void emit(Instruction instruction, Vector result, Memory source) {
        vector(instruction, result.number(), 0, source, result.bits(), Mask.NONE, -1);
    }

    /** {@code result = operation(source)} in the lanes of the mask; the others keep what they hold. */
    void emit(Instruction instruction, Vector result, Mask mask, Memory source) {
        vector(instruction, result.number(), 0, source, result.bits(), mask, -1);
    }

    /** {@code target = source}, for a store; with a mask only its lanes. */
    void emit(Instruction instruction, Memory target, Mask mask, Vector source) {
        vector(instruction, source.number(), 0, target, source.bits(), mask, -1);
    }

    /** {@code result = operation(source, immediate)}: shifts, and shuffles of one operand. */
    void emit(Instruction instruction, Vector result, Vector source, int immediate) {
        if (instruction.extension >= 0) {
            vector(instruction, instruction.extension, result.number(), source, result.bits(), Mask.NONE, immediate);
        } else {
            vector(instruction, result.number(), 0, source, result.bits(), Mask.NONE, immediate);
        }
    }

    /** {@code result = part of source}, where the encoding has the source first: extractions. */
    void extract(Instruction instruction, Vector result, Vector source, int immediate) {
        vector(instruction, source.number(), 0, result, source.bits(), Mask.NONE, immediate);
    }

    /** As {@link #extract}, of instructions without an immediate. */
    void narrow(Instruction instruction, Vector result, Vector source) {
        vector(instruction, source.number(), 0, result, source.bits(), Mask.NONE, -1);
    }

    /** {@code result} = lane 0 of {@code source}, zero-extended. */
    void moveToGeneral(General result, Vector source) {
        vector(Instruction.VMOVD_TO_GENERAL, source.number(), 0, new Vector(result.number(), 128), 128, Mask.NONE, -1);
    }

    /** {@code lane 0 of result} = {@code source}, the others 0. */
    void moveToVector(Vector result, General source) {
        vector(Instruction.VMOVD, result.number(), 0, new Vector(source.number(), 128), 128, Mask.NONE, -1);
    }

    /** {@code mask} = the low 16 bits of {@code source}. */
    void kmovw(Mask mask, General source) {
        // VEX.L0.0F.W0 92 /r
        vex(1, 0, 0, 0x92, mask.number(), 0, source.number(), 0, 0);
        modRegister(mask.number(), source.number());
    }

    /** Clears the upper halves of the vector registers, which code without VEX prefixes would wait for. */
    void vzeroupper() {
        bytes(0xC5, 0xF8, 0x77);
    }

    private void vector(
            Instruction instruction, int reg, int first, Object second, int bits, Mask mask, int immediate) {
        boolean broadcast = second instanceof Memory memory && memory.broadcast();
        int other = second instanceof Vector vector ? vector.number() : 0;
        boolean evex = instruction.encoding == Instruction.Encoding.EVEX
                || bits == 512
                || reg > 15
                || first > 15
                || other > 15
                || mask.number() != 0
                || broadcast;
        if (evex && instruction.encoding == Instruction.Encoding.VEX) {
            throw new IllegalArgumentException(instruction + " has no EVEX form");
        }
        int length = bits == 512 ? 2 : bits == 256 ? 1 : 0;
        int x = 0;
        int b = 0;
        if (second instanceof Memory memory) {
            b = memory.base().number() >> 3;
            x = memory.index() == null ? 0 : memory.index().number() >> 3;
        } else {
            b = other >> 3 & 1;
            x = other >> 4;
        }
        if (evex) {
            bytes(
                    0x62,
                    (~reg >> 3 & 1) << 7 | (~x & 1) << 6 | (~b & 1) << 5 | (~reg >> 4 & 1) << 4 | instruction.map,
                    instruction.wide << 7 | (~first & 15) << 3 | 4 | instruction.prefix,
                    length << 5 | (broadcast ? 1 : 0) << 4 | (~first >> 4 & 1) << 3 | mask.number(),
                    instruction.opcode);
        } else {
            vex(
                    instruction.map,
                    instruction.prefix,
                    instruction.wide,
                    instruction.opcode,
                    reg,
                    first,
                    b << 3,
                    x,
                    length);
        }
        if (second instanceof Memory memory) {
            int unit = !evex ? 1 : broadcast ? (instruction.wide == 1 ? 8 : 4) : instruction.memory.bytes(bits);
            modMemory(reg, memory, unit);
        } else {
            modRegister(reg, other);
        }
        if (immediate >= 0) {
            bytes(immediate);
        }
    }

    private void vex(int map, int prefix, int wide, int opcode, int reg, int first, int rm, int x, int length) {
        bytes(
                0xC4,
                (~reg >> 3 & 1) << 7 | (~x & 1) << 6 | (~rm >> 3 & 1) << 5 | map,
                wide << 7 | (~first & 15) << 3 | length << 2 | prefix,
                opcode);
    }

    private void modRegister(int reg, int rm) {
        bytes(0xC0 | (reg & 7) << 3 | (rm & 7));
    }

    /** @param unit bytes that an 8-bit displacement counts in */
    private void modMemory(int reg, Memory memory, int unit) {
        int base = memory.base().number() & 7;
        int displacement = memory.displacement();
        General index = memory.index();
        boolean sib = index != null || base == 4;
        boolean small = displacement % unit == 0 && displacement / unit >= -128 && displacement / unit <= 127;
        int mod = displacement == 0 && base != 5 ? 0 : small ? 1 : 2;
        bytes(mod << 6 | (reg & 7) << 3 | (sib ? 4 : base));
        if (sib) {
            int log = Integer.numberOfTrailingZeros(memory.scale());
            bytes(log << 6 | (index == null ? 4 : index.number() & 7) << 3 | base);
        }
        if (mod == 1) {
            bytes(displacement / unit);
        } else if (mod == 2) {
            word(displacement);
        }
    }

    // general instructions

    void mov(General result, General source) {
        general(0x89, source, result);
    }

    /** A 32-bit constant, zero-extended. */
    void mov(General result, int constant) {
        if (result.number() > 7) {
            bytes(0x41);
        }
        bytes(0xB8 | (result.number() & 7));
        word(constant);
    }

    /** Eight bytes. */
    void mov(General result, Memory source) {
        general(1, 0, 0x8B, result.number(), source);
    }

    /** Stores eight bytes. */
    void movq(Memory target, General source) {
        general(1, 0, 0x89, source.number(), target);
    }

    /** Stores four bytes. */
    void movd(Memory target, General source) {
        general(0, 0, 0x89, source.number(), target);
    }

    /** Four bytes, zero-extended. */
    void movd(General result, Memory source) {
        general(0, 0, 0x8B, result.number(), source);
    }

    /** Stores two bytes. */
    void movw(Memory target, General source) {
        bytes(0x66);
        general(0, 0, 0x89, source.number(), target);
    }

    /** Two bytes, zero-extended. */
    void movzxw(General result, Memory source) {
        general(0, 0x0F, 0xB7, result.number(), source);
    }

    void lea(General result, Memory source) {
        general(1, 0, 0x8D, result.number(), source);
    }

    void add(General result, General source) {
        general(0x01, source, result);
    }

    void sub(General result, General source) {
        general(0x29, source, result);
    }

    void cmp(General first, General second) {
        general(0x39, second, first);
    }

    void add(General result, int constant) {
        immediate(0, result, constant);
    }

    void and(General result, int constant) {
        immediate(4, result, constant);
    }

    void sub(General result, int constant) {
        immediate(5, result, constant);
    }

    void cmp(General first, int constant) {
        immediate(7, first, constant);
    }

    void push(General register) {
        if (register.number() > 7) {
            bytes(0x41);
        }
        bytes(0x50 | (register.number() & 7));
    }

    void pop(General register) {
        if (register.number() > 7) {
            bytes(0x41);
        }
        bytes(0x58 | (register.number() & 7));
    }

    void prefetcht0(Memory memory) {
        general(0, 0x0F, 0x18, 1, memory);
    }

    void prefetcht1(Memory memory) {
        general(0, 0x0F, 0x18, 2, memory);
    }

    void cpuid() {
        bytes(0x0F, 0xA2);
    }

    /** EDX:EAX = the extended control register that ECX names. */
    void xgetbv() {
        bytes(0x0F, 0x01, 0xD0);
    }

    void ret() {
        bytes(0xC3);
    }

    void place(Label label) {
        label.position = size;
        for (int use : label.uses) {
            patch(use, size);
        }
    }

    void jmp(Label label) {
        bytes(0xE9);
        target(label);
    }

    void jump(Condition condition, Label label) {
        bytes(0x0F, 0x80 | condition.code);
        target(label);
    }

    private void target(Label label) {
        word(0);
        if (label.position >= 0) {
            patch(size - 4, label.position);
        } else {
            label.uses.add(size - 4);
        }
    }

    private void patch(int use, int target) {
        int distance = target - (use + 4);
        for (int i = 0; i < 4; i++) {
            code[use + i] = (byte) (distance >> (8 * i));
        }
    }

    /** 64-bit operation on two registers, the result in ModRM's last field. */
    private void general(int opcode, General reg, General rm) {
        bytes(0x48 | reg.number() >> 3 << 2 | rm.number() >> 3, opcode);
        modRegister(reg.number(), rm.number());
    }

    private void general(int wide, int escape, int opcode, int reg, Memory memory) {
        int index = memory.index() == null ? 0 : memory.index().number();
        int rex = 0x40
                | wide << 3
                | reg >> 3 << 2
                | index >> 3 << 1
                | memory.base().number() >> 3;
        if (rex != 0x40) {
            bytes(rex);
        }
        if (escape != 0) {
            bytes(escape);
        }
        bytes(opcode);
        modMemory(reg, memory, 1);
    }

    private void immediate(int operation, General rm, int constant) {
        boolean small = constant >= -128 && constant <= 127;
        bytes(0x48 | rm.number() >> 3, small ? 0x83 : 0x81);
        modRegister(operation, rm.number());
        if (small) {
            bytes(constant);
        } else {
            word(constant);
        }
    }

    private void word(int value) {
        bytes(value, value >> 8, value >> 16, value >> 24);
    }

    private void bytes(int... values) {
        if (size + values.length > code.length) {
            code = Arrays.copyOf(code, 2 * code.length);
        }
        for (int value : values) {
            code[size++] = (byte) value;
        }
    }
}
