package org.bloomery.javaengine.kernel.machine;

import static org.bloomery.javaengine.kernel.machine.Instruction.*;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.machine.Assembler.Condition;
import org.bloomery.javaengine.kernel.machine.Assembler.Label;
import org.bloomery.javaengine.kernel.machine.Register.General;
import org.bloomery.javaengine.kernel.machine.Register.Mask;
import org.bloomery.javaengine.kernel.machine.Register.Vector;

/**
 * The part of {@link Avx512Code} that reads blocks of a quantised type from 16 rows and makes bytes of them: four columns
 * of 16 rows in a register. It takes the vector registers 0 to 15 and 24 to 26, the registers R12, R14 and R15, and the
 * beginning of the stack frame.
 */
final class Unpacking {

    /** Registers that the codes of a block take. */
    static final int CODES = 8;

    /** The scales of the block at hand. */
    static final Vector SCALE = zmm(24);

    /** Its minima, or the scales of its second half. */
    static final Vector SECOND_SCALE = zmm(25);

    private static final Vector SPARE = zmm(26);

    /** Counts the blocks that are left. */
    static final General LEFT = General.R12;

    private static final General SLOT = General.R14;
    private static final General COPIED = General.R15;

    private static final int ROWS = SixteenRows.COUNT;

    /** Bytes of a register. */
    private static final int VECTOR = 64;

    /** Blocks whose scales are copied ahead. */
    private static final int CHUNK = 8;

    // the stack frame
    private static final int SCALES = 0;
    private static final int SECOND = CHUNK * VECTOR;
    private static final int BITS = 2 * CHUNK * VECTOR;
    private static final int KEPT_CODES = BITS + CODES * VECTOR;
    private static final int CONSTANTS = KEPT_CODES + 2 * CODES * VECTOR;

    /** Bytes of the stack frame, from RSP on, that unpacking takes. */
    static final int FRAME = CONSTANTS + VECTOR;

    /** The truth table of {@code a | b & c}. */
    private static final int OR_OF_AND = 0xF8;

    /** What becomes of an unpacked block. */
    interface Sink {
        /**
         * The codes are in {@link #CODES} registers from {@code codes} on, scales in theirs.
         *
         * @param shifted how many of the registers have the codes, the others 16 times those
         */
        void block(int codes, int shifted);
    }

    private final TensorType type;
    private final BlockForm form;
    private final Assembler code;
    private final SixteenRows rows;
    private final boolean unshifted;
    private final Map<Integer, Vector> kept = new HashMap<>();

    /** Registers for upper bits of codes, where there are enough. */
    private List<Vector> bits = List.of();

    /**
     * @param unshifted whether codes may stay where or what they are, for their products to be corrected: upper nibbles
     *     come 16-fold, and codes from 0 instead of around 128 (4-bit and 6-bit types)
     */
    Unpacking(TensorType type, Assembler code, SixteenRows rows, boolean unshifted) {
        this.type = type;
        this.form = BlockForm.of(type);
        this.code = code;
        this.rows = rows;
        this.unshifted = unshifted;
    }

    boolean unshifted() {
        return unshifted;
    }

    /** Where the half word of a block stands whose other parts are words: a half float; -1 where there is none. */
    static int halfWord(TensorType type) {
        return switch (type) {
            case Q8_0, Q4_0, Q5_0 -> 0;
            case Q6_K -> 208;
            default -> -1;
        };
    }

    private static Vector zmm(int number) {
        return new Vector(number, 512);
    }

    /** Puts constants into the frame. Overwrites RAX. */
    void prepare() {
        for (int i = 0; i < CONSTANT.length; i++) {
            code.mov(General.RAX, CONSTANT[i]);
            code.movd(Memory.at(General.RSP, CONSTANTS + 4 * i), General.RAX);
        }
    }

    private static final int[] CONSTANT = {
        0x0F0F0F0F,
        0xF0F0F0F0,
        0x80808080,
        0x78787878,
        0x70707070,
        0x60606060,
        0x3F3F3F3F,
        0x30303030,
        0xFF,
        0x10101010,
        0x80000000,
        0x01010101,
        0x00204081,
        0xF
    };

    private static Memory constant(int bits) {
        for (int i = 0; i < CONSTANT.length; i++) {
            if (CONSTANT[i] == bits) {
                return Memory.at(General.RSP, CONSTANTS + 4 * i);
            }
        }
        throw new IllegalArgumentException("No constant " + Integer.toHexString(bits));
    }

    /** What unpacking a block needs most, the most frequent first. */
    private int[] frequentConstants() {
        return switch (type) {
            case Q8_0 -> new int[] {0x80808080};
            case Q4_0 -> new int[] {0x0F0F0F0F, unshifted ? 0xF0F0F0F0 : 0x78787878};
            case Q4_1 -> new int[] {0x0F0F0F0F, 0xF0F0F0F0};
            case Q4_K -> new int[] {0x0F0F0F0F, 0xF0F0F0F0, 0xFF};
            case Q5_0, Q5_1 -> new int[] {0x01010101, 0x00204081, 0xF, 0x0F0F0F0F, 0x70707070};
            case Q5_K -> new int[] {0x0F0F0F0F, 0x10101010};
            case Q6_K ->
                unshifted ? new int[] {0x0F0F0F0F, 0x30303030} : new int[] {0x0F0F0F0F, 0x30303030, 0x60606060};
            default -> new int[0];
        };
    }

    /**
     * Registers that are free while a group of rows is read: for the constants needed most, as a load of a whole register
     * takes a cycle, and then for upper bits of codes.
     */
    void use(List<Vector> registers) {
        int[] frequent = frequentConstants();
        int used = Math.min(frequent.length, registers.size());
        for (int i = 0; i < used; i++) {
            code.emit(VPBROADCASTD, registers.get(i), constant(frequent[i]));
            kept.put(frequent[i], registers.get(i));
        }
        if (type == TensorType.Q6_K && registers.size() >= used + CODES) {
            bits = registers.subList(used, used + CODES);
        }
    }

    /** {@code result = operation(first, constant)} */
    private void emit(Instruction instruction, Vector result, Vector first, int bits) {
        Vector register = kept.get(bits);
        if (register != null) {
            code.emit(instruction, result, first, register);
        } else {
            code.emit(instruction, result, first, constant(bits).toAll());
        }
    }

    /** Unpacks {@code blocks} blocks of the rows at hand, one after the other. */
    void unpack(General blocks, Sink sink) {
        code.mov(LEFT, blocks);
        Label next = new Label();
        switch (type) {
            case Q8_0, Q4_0, Q4_1, Q5_0, Q5_1 -> {
                if (rows.interleaved()) {
                    code.place(next);
                    unpackSmallBlock(sink);
                    code.sub(LEFT, 1);
                    code.jump(Condition.NOT_ZERO, next);
                } else {
                    unpackSmallBlocks(sink);
                }
            }
            case Q4_K, Q5_K -> {
                code.place(next);
                unpackGroups(sink);
                rows.advance((int) type.byteSize(256));
                code.sub(LEFT, 8);
                code.jump(Condition.NOT_ZERO, next);
            }
            case Q6_K -> {
                code.place(next);
                unpackSixBits(sink);
                rows.advance((int) type.byteSize(256));
                code.sub(LEFT, 8);
                code.jump(Condition.NOT_ZERO, next);
            }
            default -> throw new IllegalStateException("Type " + type + " has no integer kernel");
        }
    }

    /**
     * Blocks of 32 columns. What stands before the codes is copied some blocks ahead with general registers, whose work
     * hides behind that of the vectors; a gathering load would take longer than all the rest. It goes to a ring of slots,
     * and {@link #LEFT} counts in slots, so that its lower bits tell the block's.
     */
    private void unpackSmallBlocks(Sink sink) {
        Label block = new Label();
        Label noneAhead = new Label();

        for (int doubled = 1; doubled < VECTOR; doubled *= 2) {
            code.add(LEFT, LEFT);
        }
        for (int b = 0; b < CHUNK; b++) {
            if (b > 0) {
                code.cmp(LEFT, b * VECTOR + 1);
                code.jump(Condition.LESS, block);
            }
            findSlot(b);
            copyHeaders(b);
        }

        code.place(block);
        findSlot(0);
        readSmallBlock(Memory.at(SLOT, SCALES), Memory.at(SLOT, SECOND));
        code.cmp(LEFT, CHUNK * VECTOR + 1);
        code.jump(Condition.LESS, noneAhead);
        copyHeaders(CHUNK);
        code.place(noneAhead);
        finishSmallBlock(sink);
        code.sub(LEFT, VECTOR);
        code.jump(Condition.NOT_ZERO, block);
    }

    /** A block of 32 columns of interleaved rows. */
    private void unpackSmallBlock(Sink sink) {
        readSmallBlock(rows.all(0), rows.all(header() - 4));
        finishSmallBlock(sink);
    }

    private void finishSmallBlock(Sink sink) {
        sink.block(0, unshifted && !fifthBits() && type != TensorType.Q8_0 ? CODES / 2 : CODES);
        rows.advance((int) type.byteSize(32));
    }

    private boolean fifthBits() {
        return type == TensorType.Q5_0 || type == TensorType.Q5_1;
    }

    /** Bytes before the codes of a block of 32 columns. */
    private int header() {
        return (form == BlockForm.MINIMUM ? 4 : 2) + (fifthBits() ? 4 : 0);
    }

    /**
     * @param scales of all rows, with their minima where the type has those
     * @param fifthBits of all rows
     */
    private void readSmallBlock(Memory scales, Memory fifthBits) {
        int header = header();
        switch (type) {
            case Q8_0 -> {
                rows.transpose32(header);
                for (int j = 0; j < 8; j++) {
                    emit(VPXORD, zmm(j), zmm(j), 0x80808080);
                }
            }
            case Q4_0 -> {
                unpackNibbles(header);
                for (int j = 0; j < 8 && !unshifted; j++) {
                    emit(VPADDD, zmm(j), zmm(j), 0x78787878);
                }
            }
            case Q5_0 -> {
                unpackNibbles(header);
                addFifthBits(fifthBits);
                for (int j = 0; j < 8; j++) {
                    emit(VPADDD, zmm(j), zmm(j), 0x70707070);
                }
            }
            case Q5_1 -> {
                unpackNibbles(header);
                addFifthBits(fifthBits);
            }
            default -> unpackNibbles(header);
        }
        if (form == BlockForm.MINIMUM) {
            code.emit(VMOVUPS, SECOND_SCALE, scales);
            code.narrow(VPMOVDW, SCALE.as(256), SECOND_SCALE);
            code.emit(VCVTPH2PS, SCALE, SCALE.as(256));
            code.emit(VPSRLD, SECOND_SCALE, SECOND_SCALE, 16);
            code.narrow(VPMOVDW, SECOND_SCALE.as(256), SECOND_SCALE);
            code.emit(VCVTPH2PS, SECOND_SCALE, SECOND_SCALE.as(256));
            // what is added in the file is subtracted here
            emit(VPXORD, SECOND_SCALE, SECOND_SCALE, 0x80000000);
        } else {
            code.emit(VCVTPH2PS, SCALE, scales);
        }
    }

    /** The slot of the block so many after the one at hand. */
    private void findSlot(int after) {
        code.mov(SLOT, LEFT);
        code.sub(SLOT, after * VECTOR);
        code.and(SLOT, CHUNK * VECTOR - 1);
        code.add(SLOT, General.RSP);
    }

    /** Copies what stands before the codes of the block so many after the one at hand to its slot. */
    private void copyHeaders(int after) {
        int header = header();
        int at = after * (int) type.byteSize(32);
        for (int row = 0; row < ROWS; row++) {
            if (form == BlockForm.MINIMUM) {
                code.movd(COPIED, rows.row(row, at));
                code.movd(Memory.at(SLOT, SCALES + 4 * row), COPIED);
            } else {
                code.movzxw(COPIED, rows.row(row, at));
                code.movw(Memory.at(SLOT, SCALES + 2 * row), COPIED);
            }
            if (header > 4) {
                code.movd(COPIED, rows.row(row, at + header - 4));
                code.movd(Memory.at(SLOT, SECOND + 4 * row), COPIED);
            }
        }
    }

    /** 16 bytes of nibbles to registers 0 to 7: the low ones are the first 16 columns. */
    private void unpackNibbles(int offset) {
        rows.transpose16(offset);
        boolean shift = !unshifted || type == TensorType.Q5_0 || type == TensorType.Q5_1;
        for (int j = 0; j < 4; j++) {
            emit(VPANDD, zmm(j), zmm(8 + j), 0x0F0F0F0F);
            upperNibbles(zmm(4 + j), zmm(8 + j), shift);
        }
    }

    /** The upper nibble of each byte, or 16 times those. */
    private void upperNibbles(Vector result, Vector bytes, boolean shift) {
        if (shift) {
            code.emit(VPSRLD, result, bytes, 4);
            emit(VPANDD, result, result, 0x0F0F0F0F);
        } else {
            emit(VPANDD, result, bytes, 0xF0F0F0F0);
        }
    }

    /** Adds bit {@code 4j + i} of each row's fifth bits to byte {@code i} of register {@code j}, as 16. */
    private void addFifthBits(Memory fifthBits) {
        code.emit(VMOVUPS, zmm(8), fifthBits);
        for (int j = 0; j < 8; j++) {
            code.emit(VPSRLD, zmm(9), zmm(8), 4 * j);
            emit(VPANDD, zmm(9), zmm(9), 0xF);
            // four copies, each shifted by 7 more, have one of the four bits at the bottom of each byte
            emit(VPMULLD, zmm(9), zmm(9), 0x00204081);
            emit(VPANDD, zmm(9), zmm(9), 0x01010101);
            code.emit(VPSLLD, zmm(9), zmm(9), 4);
            code.emit(VPORD, zmm(j), zmm(j), zmm(9));
        }
    }

    /** A block of 256 of Q4_K or Q5_K: eight groups with scales and minima of 6 bits (GroupScales tells the layout). */
    private void unpackGroups(Sink sink) {
        boolean fifthBits = type == TensorType.Q5_K;
        int nibbles = fifthBits ? 48 : 16;

        // half floats and 12 bytes of scales and minima
        rows.transpose16(0);
        code.narrow(VPMOVDW, zmm(12).as(256), zmm(8));
        code.emit(VCVTPH2PS, zmm(12), zmm(12).as(256));
        code.emit(VPSRLD, zmm(8), zmm(8), 16);
        code.narrow(VPMOVDW, zmm(13).as(256), zmm(8));
        code.emit(VCVTPH2PS, zmm(13), zmm(13).as(256));
        // scales of groups 0 to 3 and 4 to 7, minima of groups 0 to 3 and 4 to 7, a byte each
        code.emit(VPSRLD, zmm(4), zmm(9), 2);
        code.emit(VPSRLD, zmm(5), zmm(10), 2);
        code.emit(VPSRLD, zmm(3), zmm(11), 4);
        emit(VPANDD, zmm(0), zmm(9), 0x3F3F3F3F);
        emit(VPANDD, zmm(2), zmm(10), 0x3F3F3F3F);
        emit(VPANDD, zmm(1), zmm(11), 0x0F0F0F0F);
        emit(VPANDD, zmm(3), zmm(3), 0x0F0F0F0F);
        emit(VPANDD, zmm(4), zmm(4), 0x30303030);
        emit(VPANDD, zmm(5), zmm(5), 0x30303030);
        code.emit(VPORD, zmm(1), zmm(1), zmm(4));
        code.emit(VPORD, zmm(3), zmm(3), zmm(5));
        for (int group = 0; group < 8; group++) {
            storeByteTimes(zmm(group / 4), group % 4, zmm(12), SCALES + group * VECTOR);
            storeByteTimes(zmm(2 + group / 4), group % 4, zmm(13), SECOND + group * VECTOR);
        }

        if (fifthBits) {
            rows.transpose32(16);
            for (int j = 0; j < 8; j++) {
                code.emit(VMOVUPS_STORE, Memory.at(General.RSP, BITS + j * VECTOR), Mask.NONE, zmm(j));
            }
        }
        for (int group = 0; group < 8; group += 2) {
            rows.transpose32(nibbles + 16 * group);
            for (int j = 0; j < 8; j++) {
                upperNibbles(zmm(8 + j), zmm(j), !unshifted || fifthBits);
                emit(VPANDD, zmm(j), zmm(j), 0x0F0F0F0F);
                if (fifthBits) {
                    addFifthBit(zmm(j), j, group);
                    addFifthBit(zmm(8 + j), j, group + 1);
                }
            }
            for (int half = 0; half < 2; half++) {
                int at = (group + half) * VECTOR;
                code.emit(VMOVUPS, SCALE, Memory.at(General.RSP, SCALES + at));
                code.emit(VMOVUPS, SECOND_SCALE, Memory.at(General.RSP, SECOND + at));
                boolean sixteenfold = half == 1 && unshifted && !fifthBits;
                sink.block(8 * half, sixteenfold ? 0 : CODES);
            }
        }
    }

    private void addFifthBit(Vector codes, int register, int group) {
        code.emit(VMOVUPS, SPARE, Memory.at(General.RSP, BITS + register * VECTOR));
        shift(SPARE, 4 - group);
        emit(VPANDD, SPARE, SPARE, 0x10101010);
        code.emit(VPORD, codes, codes, SPARE);
    }

    /** Shifts lanes to the left, or to the right by a negative number; bits of other bytes are to be cleared after. */
    private void shift(Vector register, int bits) {
        if (bits != 0) {
            code.emit(bits > 0 ? VPSLLD : VPSRLD, register, register, Math.abs(bits));
        }
    }

    /** Stores byte {@code number} of each lane, as a float times {@code factor}. */
    private void storeByteTimes(Vector bytes, int number, Vector factor, int offset) {
        if (number > 0) {
            code.emit(VPSRLD, SPARE, bytes, 8 * number);
        }
        if (number < 3) {
            emit(VPANDD, SPARE, number > 0 ? SPARE : bytes, 0xFF);
        }
        code.emit(VCVTDQ2PS, SPARE, SPARE);
        code.emit(VMULPS, SPARE, SPARE, factor);
        code.emit(VMOVUPS_STORE, Memory.at(General.RSP, offset), Mask.NONE, SPARE);
    }

    /** A block of 256 of Q6_K: nibbles, upper pairs of bits, 16 signed scales and a half float. */
    private void unpackSixBits(Sink sink) {
        int pairs = 128;
        int scales = 192;
        Memory factors = rows.all(scales + 16);
        if (!rows.interleaved()) {
            factors = Memory.at(General.RSP, KEPT_CODES);
            for (int row = 0; row < ROWS; row++) {
                code.movzxw(SLOT, rows.row(row, scales + 16));
                code.movw(Memory.at(General.RSP, KEPT_CODES + 2 * row), SLOT);
            }
        }
        rows.transpose16(scales);
        code.emit(VCVTPH2PS, zmm(12), factors);
        for (int group = 0; group < 16; group++) {
            Vector signed = zmm(8 + group / 4);
            if (group % 4 < 3) {
                code.emit(VPSLLD, SPARE, signed, 24 - 8 * (group % 4));
                signed = SPARE;
            }
            code.emit(VPSRAD, SPARE, signed, 24);
            code.emit(VCVTDQ2PS, SPARE, SPARE);
            code.emit(VMULPS, SPARE, SPARE, zmm(12));
            code.emit(VMOVUPS_STORE, Memory.at(General.RSP, SCALES + group * VECTOR), Mask.NONE, SPARE);
        }
        for (int half = 0; half < 2; half++) {
            rows.transpose32(pairs + 32 * half);
            for (int j = 0; j < CODES; j++) {
                if (bits.isEmpty()) {
                    code.emit(VMOVUPS_STORE, inFrame(BITS, j), Mask.NONE, zmm(j));
                } else {
                    code.emit(VMOVUPS, bits.get(j), zmm(j));
                }
            }
            for (int quarter = 0; quarter < 4; quarter++) {
                int nibbles = KEPT_CODES + quarter % 2 * CODES * VECTOR;
                if (quarter < 2) {
                    rows.transpose32(64 * half + 32 * quarter);
                }
                for (int j = 0; j < CODES; j++) {
                    if (quarter < 2) {
                        code.emit(VMOVUPS_STORE, inFrame(nibbles, j), Mask.NONE, zmm(j));
                    } else {
                        code.emit(VMOVUPS, zmm(j), inFrame(nibbles, j));
                        code.emit(VPSRLD, zmm(j), zmm(j), 4);
                    }
                    emit(VPANDD, zmm(j), zmm(j), 0x0F0F0F0F);
                    addPair(zmm(j), j, 4 - 2 * quarter);
                    if (!unshifted) {
                        emit(VPADDD, zmm(j), zmm(j), 0x60606060);
                    }
                }
                int at = SCALES + (8 * half + 2 * quarter) * VECTOR;
                code.emit(VMOVUPS, SCALE, Memory.at(General.RSP, at));
                code.emit(VMOVUPS, SECOND_SCALE, Memory.at(General.RSP, at + VECTOR));
                sink.block(0, CODES);
            }
        }
    }

    /** Adds the pairs of bits of register {@code j}, shifted to the left, or to the right by a negative number, as 16. */
    private void addPair(Vector codes, int j, int bitsLeft) {
        Vector pairs = SPARE;
        if (bits.isEmpty()) {
            code.emit(VMOVUPS, SPARE, inFrame(BITS, j));
            shift(SPARE, bitsLeft);
        } else if (bitsLeft == 0) {
            pairs = bits.get(j);
        } else {
            code.emit(bitsLeft > 0 ? VPSLLD : VPSRLD, SPARE, bits.get(j), Math.abs(bitsLeft));
        }
        Vector mask = kept.get(0x30303030);
        if (mask != null) {
            code.emit(VPTERNLOGD, codes, pairs, mask, OR_OF_AND);
        } else {
            code.emit(VPTERNLOGD, codes, pairs, constant(0x30303030).toAll(), OR_OF_AND);
        }
    }

    private static Memory inFrame(int offset, int vector) {
        return Memory.at(General.RSP, offset + vector * VECTOR);
    }
}
