package org.bloomery.javaengine.kernel.machine;

import static org.bloomery.javaengine.kernel.machine.Instruction.*;

import org.bloomery.javaengine.kernel.machine.Assembler.Condition;
import org.bloomery.javaengine.kernel.machine.Assembler.Label;
import org.bloomery.javaengine.kernel.machine.Register.General;
import org.bloomery.javaengine.kernel.machine.Register.Mask;
import org.bloomery.javaengine.kernel.machine.Register.Vector;

/**
 * Kernels for BF16 with AVX512-BF16, which multiplies two pairs of brain floats a lane and adds to a float: 16 rows side
 * by side, as {@link Avx512Code} has them, register {@code j} with columns {@code 2j} and {@code 2j + 1} of a block of
 * each row. A row is a sum in the order of its columns, so it is the same for any number of tokens.
 */
final class Bf16Code implements MatrixCode {

    /** Bytes of a register, and of a block of 32 columns of one row or token. */
    private static final int VECTOR = 64;

    /** Pairs of columns in a block. */
    private static final int PAIRS = 16;

    /** The most tokens whose sums have registers beside a whole block of weights. */
    private static final int FEW = 12;

    private static final int SPARE = 16;
    private static final int FEW_SUMS = 20;
    private static final int PANEL_SUMS = 16;

    // arguments, in the order of the System V calling convention
    private static final General ACTIVATIONS = General.RDX;
    private static final General OUT = General.RCX;
    private static final General OUT_STRIDE = General.R8;
    private static final General BLOCKS = General.R9;
    private static final Memory GROUPS = Memory.at(General.RBP, 16);
    private static final Memory ROW_MASK = Memory.at(General.RBP, 24);

    private static final General LEFT = General.R12;
    private static final General AT = General.R13;
    private static final General TARGET = General.R14;
    private static final General AHEAD = General.R15;
    private static final Mask STORED = new Mask(5);

    private Assembler code = new Assembler();
    private SixteenRows rows = new SixteenRows(code, false);

    private static Vector zmm(int number) {
        return new Vector(number, 512);
    }

    @Override
    public int rows() {
        return SixteenRows.COUNT;
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
        return columns / GroupedActivations.BLOCK * PAIRS * VECTOR;
    }

    @Override
    public byte[] multiplyFew(int tokens) {
        Label group = new Label();
        Label block = new Label();
        enter();
        code.place(group);
        rows.find();
        rows.startAhead(AHEAD, SixteenRows.Ahead.NOTHING);
        code.lea(AT, Memory.at(ACTIVATIONS, centre(tokens)));
        code.mov(LEFT, BLOCKS);
        clear(FEW_SUMS, tokens);
        code.place(block);
        // A whole line of a row at once: the other half would not stay in a cache that rows of 4096 bytes share badly.
        for (int row = 0; row < SixteenRows.COUNT; row++) {
            code.emit(VMOVUPS, zmm(row), rows.row(row, 0));
        }
        rows.fetchAhead(AHEAD, SixteenRows.COUNT * VECTOR, SixteenRows.Ahead.NOTHING);
        rows.transpose64(SPARE);
        for (int pair = 0; pair < PAIRS; pair++) {
            addProducts(zmm(pair), pair, FEW_SUMS, tokens);
        }
        rows.advance(VECTOR);
        code.add(AT, tokens * VECTOR);
        code.sub(LEFT, 1);
        code.jump(Condition.NOT_ZERO, block);
        store(FEW_SUMS, tokens);
        rows.firstOfNextGroup();
        code.add(OUT, VECTOR);
        code.mov(LEFT, GROUPS);
        code.sub(LEFT, 1);
        code.movq(GROUPS, LEFT);
        code.jump(Condition.NOT_ZERO, group);
        return leave();
    }

    @Override
    public byte[] unpackPanel() {
        Label block = new Label();
        enter();
        rows.find();
        code.mov(AT, ACTIVATIONS);
        code.mov(LEFT, BLOCKS);
        code.place(block);
        for (int row = 0; row < SixteenRows.COUNT; row++) {
            code.emit(VMOVUPS, zmm(row), rows.row(row, 0));
        }
        rows.transpose64(SPARE);
        for (int pair = 0; pair < PAIRS; pair++) {
            code.emit(VMOVUPS_STORE, Memory.at(AT, pair * VECTOR), Mask.NONE, zmm(pair));
        }
        rows.advance(VECTOR);
        code.add(AT, PAIRS * VECTOR);
        code.sub(LEFT, 1);
        code.jump(Condition.NOT_ZERO, block);
        return leave();
    }

    @Override
    public byte[] multiplyPanel(int tokens) {
        Label block = new Label();
        enter();
        code.lea(AT, Memory.at(ACTIVATIONS, centre(tokens)));
        code.mov(LEFT, BLOCKS);
        clear(PANEL_SUMS, tokens);
        code.place(block);
        for (int pair = 0; pair < PAIRS; pair++) {
            Vector weights = zmm(pair);
            code.emit(VMOVUPS, weights, Memory.at(SixteenRows.FIRST, pair * VECTOR));
            addProducts(weights, pair, PANEL_SUMS, tokens);
        }
        code.add(SixteenRows.FIRST, PAIRS * VECTOR);
        code.add(AT, tokens * VECTOR);
        code.sub(LEFT, 1);
        code.jump(Condition.NOT_ZERO, block);
        store(PANEL_SUMS, tokens);
        return leave();
    }

    /**
     * The code that packs so many tokens as {@link Bf16Activations} tells. Tokens are rows here: arguments {@code (floats
     * of the first token, bytes from one token to the next, target, nothing, nothing, blocks, nothing, mask of the
     * tokens)}.
     */
    byte[] pack(int tokens) {
        Label block = new Label();
        enter();
        rows.find();
        code.mov(AT, ACTIVATIONS);
        code.mov(LEFT, BLOCKS);
        code.place(block);
        for (int token = 0; token < tokens; token++) {
            code.emit(VMOVUPS, zmm(token), rows.row(token, VECTOR));
            code.emit(VCVTNE2PS2BF16, zmm(token), zmm(token), rows.row(token, 0));
        }
        rows.transpose64(SPARE);
        for (int pair = 0; pair < PAIRS; pair++) {
            code.emit(VMOVUPS_STORE, Memory.at(AT, pair * tokens * Integer.BYTES), STORED, zmm(pair));
        }
        rows.advance(2 * VECTOR);
        code.add(AT, tokens * VECTOR);
        code.sub(LEFT, 1);
        code.jump(Condition.NOT_ZERO, block);
        return leave();
    }

    /** Where the pointer to a block of activations stands, so that short displacements reach all of it. */
    private static int centre(int tokens) {
        return tokens * VECTOR / 2;
    }

    private void clear(int sums, int tokens) {
        for (int token = 0; token < tokens; token++) {
            code.emit(VPXORD, zmm(sums + token), zmm(sums + token), zmm(sums + token));
        }
    }

    private void addProducts(Vector weights, int pair, int sums, int tokens) {
        for (int token = 0; token < tokens; token++) {
            int at = (pair * tokens + token) * Integer.BYTES - centre(tokens);
            code.emit(VDPBF16PS, zmm(sums + token), weights, Memory.at(AT, at).toAll());
        }
    }

    private void store(int sums, int tokens) {
        code.mov(TARGET, OUT);
        for (int token = 0; token < tokens; token++) {
            code.emit(VMOVUPS_STORE, Memory.at(TARGET, 0), STORED, zmm(sums + token));
            code.add(TARGET, OUT_STRIDE);
        }
    }

    private void enter() {
        code = new Assembler();
        rows = new SixteenRows(code, false);
        code.push(General.RBP);
        code.mov(General.RBP, General.RSP);
        code.push(General.RBX);
        code.push(General.R12);
        code.push(General.R13);
        code.push(General.R14);
        code.push(General.R15);
        code.mov(General.RAX, ROW_MASK);
        code.kmovw(STORED, General.RAX);
        rows.prepare();
    }

    private byte[] leave() {
        code.pop(General.R15);
        code.pop(General.R14);
        code.pop(General.R13);
        code.pop(General.R12);
        code.pop(General.RBX);
        code.pop(General.RBP);
        code.vzeroupper();
        code.ret();
        return code.toBytes();
    }
}
