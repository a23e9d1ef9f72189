package org.bloomery.javaengine.kernel.machine;

import static org.bloomery.javaengine.kernel.machine.Instruction.*;

import java.util.function.IntFunction;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.machine.Assembler.Condition;
import org.bloomery.javaengine.kernel.machine.Assembler.Label;
import org.bloomery.javaengine.kernel.machine.Register.General;
import org.bloomery.javaengine.kernel.machine.Register.Mask;
import org.bloomery.javaengine.kernel.machine.Register.Vector;

/**
 * Integer kernels for AVX-512 with VNNI: 16 rows side by side. All take the same arguments, {@code void (weights, bytes
 * from row to row, activations, out, bytes from one token's results to the next's, blocks of 32 columns, groups of 16
 * rows, mask of the rows to store)}.
 */
final class Avx512Code implements MatrixCode {

    private static final int ROWS = SixteenRows.COUNT;

    /** Bytes of a register. */
    private static final int VECTOR = 64;

    private static final int PANEL_SCALE = 8 * VECTOR;
    private static final int PANEL_SECOND = PANEL_SCALE + VECTOR;
    private static final int PANEL_BYTES = PANEL_SECOND + VECTOR;

    /** More tokens than this have their weights unpacked to a panel. */
    private static final int FEW = 8;

    /** Blocks whose scales are gathered at a time. */
    private static final int CHUNK = 8;

    // the stack frame
    private static final int FRAME = 3072;
    private static final int SCALES = 0;
    private static final int SECOND = CHUNK * VECTOR;
    private static final int BITS = 2 * CHUNK * VECTOR;
    private static final int CODES = BITS + 8 * VECTOR;
    private static final int CONSTANTS = CODES + 16 * VECTOR;
    private static final int TOKEN_STRIDE = CONSTANTS + VECTOR;

    // arguments, in the order of the System V calling convention
    private static final General ACTIVATIONS = General.RDX;
    private static final General OUT = General.RCX;
    private static final General OUT_STRIDE = General.R8;
    private static final General BLOCKS = General.R9;
    private static final Memory GROUPS = Memory.at(General.RBP, 16);
    private static final Memory ROW_MASK = Memory.at(General.RBP, 24);

    private static final General LEFT = General.R12;
    private static final General AT = General.R13;
    private static final General GATHERED = General.R14;
    private static final General COUNT = General.R15;

    /** What is fetched ahead; takes the place of an argument that only stores need, which waits in the frame. */
    private static final General AHEAD = OUT_STRIDE;

    private static final Mask STORED = new Mask(5);

    private final TensorType type;
    private final BlockForm form;
    private Assembler code = new Assembler();
    private SixteenRows rows = new SixteenRows(code);

    /** What becomes of an unpacked block. */
    private interface Sink {
        /** The codes are in eight registers from {@code codes} on, scales in those two. */
        void block(int codes, Vector scale, Vector second);
    }

    Avx512Code(TensorType type) {
        this.type = type;
        this.form = BlockForm.of(type);
    }

    @Override
    public int rows() {
        return ROWS;
    }

    @Override
    public int few() {
        return FEW;
    }

    @Override
    public boolean hasPanels() {
        return true;
    }

    @Override
    public int panelBytes(int columns) {
        return columns / ByteActivations.BLOCK * PANEL_BYTES;
    }

    /** Registers that the product of a block with tokens uses. */
    private record Products(Vector scale, Vector second, int integers, int factors, int sums) {}

    private static Vector zmm(int number) {
        return new Vector(number, 512);
    }

    /** Unpacks and multiplies in one go. */
    @Override
    public byte[] multiplyFew(int tokens) {
        start();
        Products registers = new Products(zmm(24), zmm(25), 26, 30, 16);
        Label group = new Label();
        enter();
        code.place(group);
        rows.find();
        rows.toNextGroup(AHEAD);
        code.lea(AT, Memory.at(ACTIVATIONS, centre(tokens)));
        clear(registers, tokens);
        unpack((codes, scale, second) -> {
            rows.fetchAhead(AHEAD, (int) (ROWS * type.byteSize(256) / 8));
            addProducts(registers, tokens, j -> zmm(codes + j));
            code.add(AT, tokens * ByteActivations.TOKEN_BYTES);
        });
        store(registers, tokens);
        rows.firstOfNextGroup();
        code.add(OUT, VECTOR);
        code.mov(LEFT, GROUPS);
        code.sub(LEFT, 1);
        code.movq(GROUPS, LEFT);
        code.jump(Condition.NOT_ZERO, group);
        leave();
        return code.toBytes();
    }

    /** Unpacks 16 rows to a panel, which stands in place of the activations. */
    @Override
    public byte[] unpackPanel() {
        start();
        enter();
        rows.find();
        code.mov(AT, ACTIVATIONS);
        unpack((codes, scale, second) -> {
            for (int j = 0; j < 8; j++) {
                code.emit(VMOVUPS_STORE, Memory.at(AT, j * VECTOR), Mask.NONE, zmm(codes + j));
            }
            code.emit(VMOVUPS_STORE, Memory.at(AT, PANEL_SCALE), Mask.NONE, scale);
            if (form != BlockForm.SYMMETRIC) {
                code.emit(VMOVUPS_STORE, Memory.at(AT, PANEL_SECOND), Mask.NONE, second);
            }
            code.add(AT, PANEL_BYTES);
        });
        leave();
        return code.toBytes();
    }

    /** Multiplies a panel, which stands in place of the weights, with a group of tokens. */
    @Override
    public byte[] multiplyPanel(int tokens) {
        start();
        Products registers = new Products(zmm(8), zmm(9), 10, 14, 16);
        Label block = new Label();
        enter();
        code.lea(AT, Memory.at(ACTIVATIONS, centre(tokens)));
        code.mov(LEFT, BLOCKS);
        clear(registers, tokens);
        code.place(block);
        for (int j = 0; j < 8; j++) {
            code.emit(VMOVUPS, zmm(j), Memory.at(SixteenRows.FIRST, j * VECTOR));
        }
        code.emit(VMOVUPS, registers.scale, Memory.at(SixteenRows.FIRST, PANEL_SCALE));
        if (form != BlockForm.SYMMETRIC) {
            code.emit(VMOVUPS, registers.second, Memory.at(SixteenRows.FIRST, PANEL_SECOND));
        }
        addProducts(registers, tokens, Avx512Code::zmm);
        code.add(SixteenRows.FIRST, PANEL_BYTES);
        code.add(AT, tokens * ByteActivations.TOKEN_BYTES);
        code.sub(LEFT, 1);
        code.jump(Condition.NOT_ZERO, block);
        store(registers, tokens);
        leave();
        return code.toBytes();
    }

    // frame

    private static final int[] CONSTANT = {
        0x0F0F0F0F,
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
                return Memory.at(General.RSP, CONSTANTS + 4 * i).toAll();
            }
        }
        throw new IllegalArgumentException("No constant " + Integer.toHexString(bits));
    }

    private void start() {
        code = new Assembler();
        rows = new SixteenRows(code);
    }

    private void enter() {
        code.push(General.RBP);
        code.mov(General.RBP, General.RSP);
        code.push(General.RBX);
        code.push(General.R12);
        code.push(General.R13);
        code.push(General.R14);
        code.push(General.R15);
        code.sub(General.RSP, FRAME);
        code.and(General.RSP, -VECTOR);
        for (int i = 0; i < CONSTANT.length; i++) {
            code.mov(General.RAX, CONSTANT[i]);
            code.movd(Memory.at(General.RSP, CONSTANTS + 4 * i), General.RAX);
        }
        code.movq(Memory.at(General.RSP, TOKEN_STRIDE), OUT_STRIDE);
        code.mov(General.RAX, ROW_MASK);
        code.kmovw(STORED, General.RAX);
        rows.prepare();
    }

    private void leave() {
        code.lea(General.RSP, Memory.at(General.RBP, -40));
        code.pop(General.R15);
        code.pop(General.R14);
        code.pop(General.R13);
        code.pop(General.R12);
        code.pop(General.RBX);
        code.pop(General.RBP);
        code.vzeroupper();
        code.ret();
    }

    // products

    /** Where the pointer to a record stands, so that short displacements reach all of it. */
    private static int centre(int tokens) {
        return tokens * ByteActivations.TOKEN_BYTES / 2;
    }

    private void clear(Products registers, int tokens) {
        for (int token = 0; token < tokens; token++) {
            Vector sum = zmm(registers.sums + token);
            code.emit(VPXORD, sum, sum, sum);
        }
    }

    private void store(Products registers, int tokens) {
        code.mov(GATHERED, OUT);
        code.mov(AT, Memory.at(General.RSP, TOKEN_STRIDE));
        for (int token = 0; token < tokens; token++) {
            code.emit(VMOVUPS_STORE, Memory.at(GATHERED, 0), STORED, zmm(registers.sums + token));
            if (token < tokens - 1) {
                code.add(GATHERED, AT);
            }
        }
    }

    /** Adds the products of one block with each token, two tokens side by side: four chains hide the latency. */
    private void addProducts(Products registers, int tokens, IntFunction<Vector> codes) {
        int centre = centre(tokens);
        int numbers = tokens * ByteActivations.BLOCK - centre;
        for (int token = 0; token < tokens; token += 2) {
            int pair = Math.min(2, tokens - token);
            for (int t = 0; t < pair; t++) {
                for (int half = 0; half < 2; half++) {
                    Vector integers = zmm(registers.integers + 2 * t + half);
                    if (form == BlockForm.MINIMUM) {
                        code.emit(VPXORD, integers, integers, integers);
                    } else {
                        int start = numbers + 4 * (tokens * (1 + half) + token + t);
                        code.emit(VPBROADCASTD, integers, Memory.at(AT, start));
                    }
                }
            }
            for (int j = 0; j < 4; j++) {
                for (int t = 0; t < pair; t++) {
                    int four = (token + t) * ByteActivations.BLOCK + 4 * j - centre;
                    int integers = registers.integers + 2 * t;
                    code.emit(
                            VPDPBUSD,
                            zmm(integers),
                            codes.apply(j),
                            Memory.at(AT, four).toAll());
                    code.emit(
                            VPDPBUSD,
                            zmm(integers + 1),
                            codes.apply(4 + j),
                            Memory.at(AT, four + 16).toAll());
                }
            }
            for (int t = 0; t < pair; t++) {
                Vector first = zmm(registers.integers + 2 * t);
                Vector last = zmm(registers.integers + 2 * t + 1);
                Vector factor = zmm(registers.factors + t);
                Vector sum = zmm(registers.sums + token + t);
                Memory scale = Memory.at(AT, numbers + 4 * (token + t)).toAll();
                if (form == BlockForm.PAIR) {
                    code.emit(VCVTDQ2PS, first, first);
                    code.emit(VMULPS, factor, registers.scale, scale);
                    code.emit(VFMADD231PS, sum, first, factor);
                    code.emit(VCVTDQ2PS, last, last);
                    code.emit(VMULPS, factor, registers.second, scale);
                    code.emit(VFMADD231PS, sum, last, factor);
                } else {
                    code.emit(VPADDD, first, first, last);
                    code.emit(VCVTDQ2PS, first, first);
                    code.emit(VMULPS, factor, registers.scale, scale);
                    code.emit(VFMADD231PS, sum, first, factor);
                }
                if (form == BlockForm.MINIMUM) {
                    Memory total = Memory.at(AT, numbers + 4 * (3 * tokens + token + t))
                            .toAll();
                    code.emit(VFNMADD231PS, sum, registers.second, total);
                }
            }
        }
    }

    // unpacking: registers 0 to 15 and 26 to 31 are free, scales go to 24 and 25

    private static final Vector SCALE = zmm(24);
    private static final Vector SECOND_SCALE = zmm(25);
    private static final Vector SPARE = zmm(26);

    private void unpack(Sink sink) {
        code.mov(LEFT, BLOCKS);
        Label next = new Label();
        switch (type) {
            case Q8_0, Q4_0, Q4_1, Q5_0, Q5_1 -> unpackSmallBlocks(sink);
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
     * Blocks of 32 columns. What stands before the codes is first copied for some blocks with general registers, whose
     * work hides behind that of the vectors; a gathering load would take longer than all the rest.
     */
    private void unpackSmallBlocks(Sink sink) {
        int bytes = (int) type.byteSize(32);
        boolean minimum = form == BlockForm.MINIMUM;
        boolean fifthBits = type == TensorType.Q5_0 || type == TensorType.Q5_1;
        int header = (minimum ? 4 : 2) + (fifthBits ? 4 : 0);
        Label chunk = new Label();
        Label whole = new Label();
        Label gathered = new Label();
        Label block = new Label();

        code.place(chunk);
        code.mov(COUNT, CHUNK);
        code.cmp(LEFT, CHUNK);
        code.jump(Condition.GREATER, whole);
        code.mov(COUNT, LEFT);
        code.place(whole);
        for (int b = 0; b < CHUNK; b++) {
            for (int row = 0; row < ROWS; row++) {
                if (minimum) {
                    code.movd(GATHERED, rows.row(row, b * bytes));
                    code.movd(Memory.at(General.RSP, SCALES + b * VECTOR + 4 * row), GATHERED);
                } else {
                    code.movzxw(GATHERED, rows.row(row, b * bytes));
                    code.movw(Memory.at(General.RSP, SCALES + b * VECTOR + 2 * row), GATHERED);
                }
                if (fifthBits) {
                    code.movd(GATHERED, rows.row(row, b * bytes + header - 4));
                    code.movd(Memory.at(General.RSP, SECOND + b * VECTOR + 4 * row), GATHERED);
                }
            }
            if (b < CHUNK - 1) {
                code.cmp(COUNT, b + 1);
                code.jump(Condition.ZERO, gathered);
            }
        }
        code.place(gathered);
        code.sub(LEFT, COUNT);
        code.mov(GATHERED, General.RSP);

        code.place(block);
        switch (type) {
            case Q8_0 -> {
                rows.transpose32(header);
                for (int j = 0; j < 8; j++) {
                    code.emit(VPXORD, zmm(j), zmm(j), constant(0x80808080));
                }
            }
            case Q4_0 -> {
                unpackNibbles(header);
                for (int j = 0; j < 8; j++) {
                    code.emit(VPADDD, zmm(j), zmm(j), constant(0x78787878));
                }
            }
            case Q5_0 -> {
                unpackNibbles(header);
                addFifthBits();
                for (int j = 0; j < 8; j++) {
                    code.emit(VPADDD, zmm(j), zmm(j), constant(0x70707070));
                }
            }
            case Q5_1 -> {
                unpackNibbles(header);
                addFifthBits();
            }
            default -> unpackNibbles(header);
        }
        if (minimum) {
            code.emit(VMOVUPS, SECOND_SCALE, Memory.at(GATHERED, SCALES));
            code.narrow(VPMOVDW, SCALE.as(256), SECOND_SCALE);
            code.emit(VCVTPH2PS, SCALE, SCALE.as(256));
            code.emit(VPSRLD, SECOND_SCALE, SECOND_SCALE, 16);
            code.narrow(VPMOVDW, SECOND_SCALE.as(256), SECOND_SCALE);
            code.emit(VCVTPH2PS, SECOND_SCALE, SECOND_SCALE.as(256));
            // what is added in the file is subtracted here
            code.emit(VPXORD, SECOND_SCALE, SECOND_SCALE, constant(0x80000000));
        } else {
            code.emit(VCVTPH2PS, SCALE, Memory.at(GATHERED, SCALES));
        }
        sink.block(0, SCALE, SECOND_SCALE);
        rows.advance(bytes);
        code.add(GATHERED, VECTOR);
        code.sub(COUNT, 1);
        code.jump(Condition.NOT_ZERO, block);
        code.cmp(LEFT, 0);
        code.jump(Condition.NOT_ZERO, chunk);
    }

    /** 16 bytes of nibbles to registers 0 to 7: the low ones are the first 16 columns. */
    private void unpackNibbles(int offset) {
        rows.transpose16(offset);
        for (int j = 0; j < 4; j++) {
            code.emit(VPSRLD, zmm(4 + j), zmm(8 + j), 4);
            code.emit(VPANDD, zmm(j), zmm(8 + j), constant(0x0F0F0F0F));
            code.emit(VPANDD, zmm(4 + j), zmm(4 + j), constant(0x0F0F0F0F));
        }
    }

    /** Adds bit {@code 4j + i} of each row's fifth bits to byte {@code i} of register {@code j}, as 16. */
    private void addFifthBits() {
        code.emit(VMOVUPS, zmm(8), Memory.at(GATHERED, SECOND));
        for (int j = 0; j < 8; j++) {
            code.emit(VPSRLD, zmm(9), zmm(8), 4 * j);
            code.emit(VPANDD, zmm(9), zmm(9), constant(0xF));
            // four copies, each shifted by 7 more, have one of the four bits at the bottom of each byte
            code.emit(VPMULLD, zmm(9), zmm(9), constant(0x00204081));
            code.emit(VPANDD, zmm(9), zmm(9), constant(0x01010101));
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
        code.emit(VPANDD, zmm(0), zmm(9), constant(0x3F3F3F3F));
        code.emit(VPANDD, zmm(2), zmm(10), constant(0x3F3F3F3F));
        code.emit(VPANDD, zmm(1), zmm(11), constant(0x0F0F0F0F));
        code.emit(VPANDD, zmm(3), zmm(3), constant(0x0F0F0F0F));
        code.emit(VPANDD, zmm(4), zmm(4), constant(0x30303030));
        code.emit(VPANDD, zmm(5), zmm(5), constant(0x30303030));
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
                code.emit(VPSRLD, zmm(8 + j), zmm(j), 4);
                code.emit(VPANDD, zmm(j), zmm(j), constant(0x0F0F0F0F));
                code.emit(VPANDD, zmm(8 + j), zmm(8 + j), constant(0x0F0F0F0F));
                if (fifthBits) {
                    addFifthBit(zmm(j), j, group);
                    addFifthBit(zmm(8 + j), j, group + 1);
                }
            }
            for (int half = 0; half < 2; half++) {
                int at = (group + half) * VECTOR;
                code.emit(VMOVUPS, SCALE, Memory.at(General.RSP, SCALES + at));
                code.emit(VMOVUPS, SECOND_SCALE, Memory.at(General.RSP, SECOND + at));
                sink.block(8 * half, SCALE, SECOND_SCALE);
            }
        }
    }

    private void addFifthBit(Vector codes, int register, int group) {
        code.emit(VMOVUPS, SPARE, Memory.at(General.RSP, BITS + register * VECTOR));
        shift(SPARE, 4 - group);
        code.emit(VPANDD, SPARE, SPARE, constant(0x10101010));
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
        code.emit(VPSRLD, SPARE, bytes, 8 * number);
        code.emit(VPANDD, SPARE, SPARE, constant(0xFF));
        code.emit(VCVTDQ2PS, SPARE, SPARE);
        code.emit(VMULPS, SPARE, SPARE, factor);
        code.emit(VMOVUPS_STORE, Memory.at(General.RSP, offset), Mask.NONE, SPARE);
    }

    /** A block of 256 of Q6_K: nibbles, upper pairs of bits, 16 signed scales and a half float. */
    private void unpackSixBits(Sink sink) {
        int pairs = 128;
        int scales = 192;
        for (int row = 0; row < ROWS; row++) {
            code.movzxw(GATHERED, rows.row(row, scales + 16));
            code.movw(Memory.at(General.RSP, CODES + 2 * row), GATHERED);
        }
        rows.transpose16(scales);
        code.emit(VCVTPH2PS, zmm(12), Memory.at(General.RSP, CODES));
        for (int group = 0; group < 16; group++) {
            code.emit(VPSLLD, SPARE, zmm(8 + group / 4), 24 - 8 * (group % 4));
            code.emit(VPSRAD, SPARE, SPARE, 24);
            code.emit(VCVTDQ2PS, SPARE, SPARE);
            code.emit(VMULPS, SPARE, SPARE, zmm(12));
            code.emit(VMOVUPS_STORE, Memory.at(General.RSP, SCALES + group * VECTOR), Mask.NONE, SPARE);
        }
        for (int half = 0; half < 2; half++) {
            keepTransposed(pairs + 32 * half, BITS);
            keepTransposed(64 * half, CODES);
            keepTransposed(64 * half + 32, CODES + 8 * VECTOR);
            for (int quarter = 0; quarter < 4; quarter++) {
                for (int j = 0; j < 8; j++) {
                    int nibbles = CODES + (quarter % 2 * 8 + j) * VECTOR;
                    code.emit(VMOVUPS, zmm(j), Memory.at(General.RSP, nibbles));
                    shift(zmm(j), quarter < 2 ? 0 : -4);
                    code.emit(VPANDD, zmm(j), zmm(j), constant(0x0F0F0F0F));
                    code.emit(VMOVUPS, SPARE, Memory.at(General.RSP, BITS + j * VECTOR));
                    shift(SPARE, 4 - 2 * quarter);
                    code.emit(VPANDD, SPARE, SPARE, constant(0x30303030));
                    code.emit(VPORD, zmm(j), zmm(j), SPARE);
                    code.emit(VPADDD, zmm(j), zmm(j), constant(0x60606060));
                }
                int at = SCALES + (8 * half + 2 * quarter) * VECTOR;
                code.emit(VMOVUPS, SCALE, Memory.at(General.RSP, at));
                code.emit(VMOVUPS, SECOND_SCALE, Memory.at(General.RSP, at + VECTOR));
                sink.block(0, SCALE, SECOND_SCALE);
            }
        }
    }

    private void keepTransposed(int offset, int frame) {
        rows.transpose32(offset);
        for (int j = 0; j < 8; j++) {
            code.emit(VMOVUPS_STORE, Memory.at(General.RSP, frame + j * VECTOR), Mask.NONE, zmm(j));
        }
    }
}
