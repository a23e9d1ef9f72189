package org.bloomery.javaengine.kernel.machine;

import static org.bloomery.javaengine.kernel.machine.Instruction.*;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
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

    private static final int CODES_OF_BLOCK = Unpacking.CODES;

    private static final int PANEL_SCALE = CODES_OF_BLOCK * VECTOR;
    private static final int PANEL_SECOND = PANEL_SCALE + VECTOR;
    private static final int PANEL_BYTES = PANEL_SECOND + VECTOR;

    /** More tokens than this have their weights unpacked to a panel. */
    private static final int FEW = 8;

    /** Up to as many tokens weights are used as fast as memory brings them. */
    private static final int FORESEEN = 2;

    /** Up to as many tokens upper nibbles stay where they are, and sums of their products are shifted instead. */
    private static final int UNSHIFTED = 4;

    // the stack frame: what unpacking keeps there, and one of the arguments
    private static final int FRAME = Unpacking.FRAME + 2 * VECTOR;
    private static final int TOKEN_STRIDE = Unpacking.FRAME;

    // arguments, in the order of the System V calling convention
    private static final General ACTIVATIONS = General.RDX;
    private static final General OUT = General.RCX;
    private static final General OUT_STRIDE = General.R8;
    private static final General BLOCKS = General.R9;
    private static final Memory GROUPS = Memory.at(General.RBP, 16);
    private static final Memory ROW_MASK = Memory.at(General.RBP, 24);

    private static final General LEFT = Unpacking.LEFT;
    private static final General AT = General.R13;
    private static final General TARGET = General.R14;

    /** What is fetched ahead; takes the place of an argument that only stores need, which waits in the frame. */
    private static final General AHEAD = OUT_STRIDE;

    private static final Mask STORED = new Mask(5);

    private final TensorType type;
    private final boolean interleaved;
    private final BlockForm form;
    private Assembler code = new Assembler();
    private SixteenRows rows;
    private Unpacking unpacking;

    /** @param interleaved how the rows stand */
    Avx512Code(TensorType type, boolean interleaved) {
        this.type = type;
        this.interleaved = interleaved;
        this.form = BlockForm.of(type);
        rows = new SixteenRows(code, interleaved);
        unpacking = new Unpacking(type, code, rows, false);
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
    private record Products(Vector scale, Vector second, int integers, Vector factor, int sums) {}

    private static Vector zmm(int number) {
        return new Vector(number, 512);
    }

    /** Unpacks and multiplies in one go. */
    @Override
    public byte[] multiplyFew(int tokens) {
        start(tokens <= UNSHIFTED);
        SixteenRows.Ahead ahead = type == TensorType.Q6_K
                ? SixteenRows.Ahead.NEAR
                : tokens > FORESEEN ? SixteenRows.Ahead.FAR : SixteenRows.Ahead.NOTHING;
        Products registers = new Products(Unpacking.SCALE, Unpacking.SECOND_SCALE, 26, zmm(30), 16);
        Label group = new Label();
        enter();
        List<Vector> free = new ArrayList<>(List.of(zmm(31)));
        if (tokens == 1) {
            free.add(zmm(29));
            free.add(zmm(28));
        }
        if (form == BlockForm.SYMMETRIC) {
            free.add(Unpacking.SECOND_SCALE);
        }
        for (int sum = tokens; sum < FEW; sum++) {
            free.add(zmm(registers.sums + sum));
        }
        unpacking.use(free);
        code.place(group);
        rows.find();
        rows.startAhead(AHEAD, ahead);
        code.lea(AT, Memory.at(ACTIVATIONS, centre(tokens)));
        clear(registers, tokens);
        unpacking.unpack(BLOCKS, (codes, shifted) -> {
            rows.fetchAhead(AHEAD, (int) (ROWS * type.byteSize(256) / 8), ahead);
            addProducts(registers, tokens, j -> zmm(codes + j), shifted);
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
        start(false);
        enter();
        unpacking.use(IntStream.range(16, 24).mapToObj(Avx512Code::zmm).toList());
        rows.find();
        code.mov(AT, ACTIVATIONS);
        unpacking.unpack(BLOCKS, (codes, shifted) -> {
            for (int j = 0; j < 8; j++) {
                code.emit(VMOVUPS_STORE, Memory.at(AT, j * VECTOR), Mask.NONE, zmm(codes + j));
            }
            code.emit(VMOVUPS_STORE, Memory.at(AT, PANEL_SCALE), Mask.NONE, Unpacking.SCALE);
            if (form != BlockForm.SYMMETRIC) {
                code.emit(VMOVUPS_STORE, Memory.at(AT, PANEL_SECOND), Mask.NONE, Unpacking.SECOND_SCALE);
            }
            code.add(AT, PANEL_BYTES);
        });
        leave();
        return code.toBytes();
    }

    /** Multiplies a panel, which stands in place of the weights, with a group of tokens. */
    @Override
    public byte[] multiplyPanel(int tokens) {
        start(false);
        Products registers = new Products(zmm(8), zmm(9), 10, zmm(14), 16);
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
        addProducts(registers, tokens, Avx512Code::zmm, CODES_OF_BLOCK);
        code.add(SixteenRows.FIRST, PANEL_BYTES);
        code.add(AT, tokens * ByteActivations.TOKEN_BYTES);
        code.sub(LEFT, 1);
        code.jump(Condition.NOT_ZERO, block);
        store(registers, tokens);
        leave();
        return code.toBytes();
    }

    private void start(boolean unshifted) {
        code = new Assembler();
        rows = new SixteenRows(code, interleaved);
        unpacking = new Unpacking(type, code, rows, unshifted);
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
        unpacking.prepare();
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
        code.mov(TARGET, OUT);
        code.mov(AT, Memory.at(General.RSP, TOKEN_STRIDE));
        for (int token = 0; token < tokens; token++) {
            code.emit(VMOVUPS_STORE, Memory.at(TARGET, 0), STORED, zmm(registers.sums + token));
            if (token < tokens - 1) {
                code.add(TARGET, AT);
            }
        }
    }

    /**
     * Adds the products of one block with each token, two tokens side by side.
     *
     * @param shifted how many of the eight registers have the codes, the others 16 times those: all, half of them, or none
     */
    private void addProducts(Products registers, int tokens, IntFunction<Vector> codes, int shifted) {
        int centre = centre(tokens);
        for (int token = 0; token < tokens; token += 2) {
            int pair = Math.min(2, tokens - token);
            for (int t = 0; t < pair; t++) {
                startSums(registers.integers + 2 * t, tokens, token + t, shifted);
            }
            for (int j = 0; j < CODES_OF_BLOCK; j++) {
                for (int t = 0; t < pair; t++) {
                    int four = (token + t) * ByteActivations.BLOCK + 4 * j - centre;
                    Vector integers = zmm(registers.integers + 2 * t + (inSecondSum(j, shifted) ? 1 : 0));
                    code.emit(
                            VPDPBUSD,
                            integers,
                            codes.apply(j),
                            Memory.at(AT, four).toAll());
                }
            }
            for (int t = 0; t < pair; t++) {
                addScaled(registers, registers.integers + 2 * t, tokens, token + t, shifted);
            }
        }
    }

    /** Whether products of that register have a sum of their own: another scale goes with them, or they are 16-fold. */
    private boolean inSecondSum(int j, int shifted) {
        return j >= CODES_OF_BLOCK / 2 && (form == BlockForm.PAIR || (j >= shifted && shifted > 0));
    }

    /** What sums of products with {@code u} start at, so that they are of {@code u - 128}, or of {@code u - 8}, 16-fold. */
    private void startSums(int integers, int tokens, int token, int shifted) {
        Vector first = zmm(integers);
        Vector second = zmm(integers + 1);
        Memory all = number(tokens, 1, token);
        Memory last = number(tokens, 2, token);
        boolean two = inSecondSum(CODES_OF_BLOCK - 1, shifted);
        switch (form) {
            case SYMMETRIC -> {
                code.emit(VPBROADCASTD, two ? second : first, all);
                if (two) {
                    code.emit(VPXORD, first, first, first);
                }
            }
            case MINIMUM -> {
                code.emit(VPXORD, first, first, first);
                if (two) {
                    code.emit(VPXORD, second, second, second);
                }
            }
            case PAIR -> {
                code.emit(VPBROADCASTD, first, all);
                code.emit(VPBROADCASTD, second, last);
                code.emit(VPSUBD, first, first, second);
                if (unpacking.unshifted()) {
                    code.emit(VPSRAD, first, first, 2);
                    code.emit(VPSRAD, second, second, 2);
                }
            }
        }
    }

    private void addScaled(Products registers, int integers, int tokens, int token, int shifted) {
        Vector first = zmm(integers);
        Vector second = zmm(integers + 1);
        Vector factor = registers.factor;
        Vector sum = zmm(registers.sums + token);
        Memory scale = number(tokens, 0, token).toAll();
        if (form != BlockForm.PAIR && shifted < CODES_OF_BLOCK) {
            Vector sixteenfold = shifted == 0 ? first : second;
            code.emit(VPSRAD, sixteenfold, sixteenfold, 4);
            if (shifted > 0) {
                code.emit(VPADDD, first, first, second);
            }
        }
        code.emit(VCVTDQ2PS, first, first);
        code.emit(VMULPS, factor, registers.scale, scale);
        code.emit(VFMADD231PS, sum, first, factor);
        if (form == BlockForm.PAIR) {
            code.emit(VCVTDQ2PS, second, second);
            code.emit(VMULPS, factor, registers.second, scale);
            code.emit(VFMADD231PS, sum, second, factor);
        } else if (form == BlockForm.MINIMUM) {
            code.emit(
                    VFNMADD231PS,
                    sum,
                    registers.second,
                    number(tokens, 3, token).toAll());
        }
    }

    /** One of the numbers that a record has for each token. */
    private static Memory number(int tokens, int array, int token) {
        int numbers = tokens * ByteActivations.BLOCK - centre(tokens);
        return Memory.at(AT, numbers + 4 * (array * tokens + token));
    }
}
