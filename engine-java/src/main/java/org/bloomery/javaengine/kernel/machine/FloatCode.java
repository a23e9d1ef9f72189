package org.bloomery.javaengine.kernel.machine;

import static org.bloomery.javaengine.kernel.machine.Instruction.*;

import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.machine.Assembler.Condition;
import org.bloomery.javaengine.kernel.machine.Assembler.Label;
import org.bloomery.javaengine.kernel.machine.Register.General;
import org.bloomery.javaengine.kernel.machine.Register.Mask;
import org.bloomery.javaengine.kernel.machine.Register.Vector;

/**
 * Dot products in single precision of F32, F16 and BF16 rows with activations as they are: {@link #ROWS} rows by up to
 * {@link #TOKENS} tokens have their sums in registers of 512 bits, each with 16 partial sums. Arguments {@code (weights,
 * bytes from row to row, activations, out, bytes from one token's results to the next's, blocks of 32 columns, groups of
 * rows with the bytes from one token's activations to the next's above bit 32, mask of the rows to store)}.
 */
final class FloatCode {

    /** Rows of a group. */
    static final int ROWS = 8;

    /** Tokens that one call takes at most. */
    static final int TOKENS = 3;

    /** Columns that a turn of the loop takes: a whole line of 16-bit weights, whose other half might not stay cached. */
    static final int COLUMNS = 32;

    private static final int LANES = 16;
    private static final int LINE = 64;

    // arguments, in the order of the System V calling convention
    private static final General ROWS_0 = General.RDI;
    private static final General STRIDE = General.RSI;
    private static final General ACTIVATIONS = General.RDX;
    private static final General OUT = General.RCX;
    private static final General OUT_STRIDE = General.R8;
    private static final General BLOCKS = General.R9;
    private static final Memory GROUPS = Memory.at(General.RBP, 16);
    private static final Memory TOKEN_STRIDE_ARGUMENT = Memory.at(General.RBP, 20);
    private static final Memory ROW_MASK = Memory.at(General.RBP, 24);

    private static final General ROWS_4 = General.RAX;
    private static final General STRIDE_3 = General.RBX;
    private static final General TOKEN_STRIDE = General.R10;
    private static final General X = General.R11;
    private static final General LEFT = General.R12;
    private static final General AHEAD = General.R13;
    private static final General GROUPS_LEFT = General.R14;
    private static final General GROUP = General.R15;
    private static final Mask STORED = new Mask(1);

    private static final Vector WEIGHTS = zmm(27);
    private static final Vector SPARE = zmm(28);

    private final TensorType type;
    private final int tokens;
    private final Assembler code = new Assembler();

    private FloatCode(TensorType type, int tokens) {
        this.type = type;
        this.tokens = tokens;
    }

    /** The code for so many tokens. */
    static byte[] multiply(TensorType type, int tokens) {
        FloatCode made = new FloatCode(type, tokens);
        made.assemble();
        return made.code.toBytes();
    }

    private static Vector zmm(int number) {
        return new Vector(number, 512);
    }

    private static Vector sum(int row, int token) {
        return zmm(token * ROWS + row);
    }

    private static Vector activation(int token) {
        return zmm(TOKENS * ROWS + token);
    }

    private void assemble() {
        Label group = new Label();
        Label columns = new Label();
        enter();

        code.place(group);
        code.mov(ROWS_0, GROUP);
        code.lea(ROWS_4, Memory.at(ROWS_0, STRIDE, 4, 0));
        code.lea(GROUP, Memory.at(ROWS_0, STRIDE, 8, 0));
        code.mov(AHEAD, GROUP);
        code.mov(X, ACTIVATIONS);
        code.mov(LEFT, BLOCKS);
        for (int token = 0; token < tokens; token++) {
            for (int row = 0; row < ROWS; row++) {
                code.emit(VPXORD, sum(row, token), sum(row, token), sum(row, token));
            }
        }

        code.place(columns);
        int bytes = (int) type.byteSize(COLUMNS);
        for (int column = 0; column < COLUMNS; column += LANES) {
            addProducts(column);
        }
        for (int at = 0; at < ROWS * bytes; at += LINE) {
            code.prefetcht1(Memory.at(AHEAD, at));
        }
        code.add(AHEAD, ROWS * bytes);
        code.add(ROWS_0, bytes);
        code.add(ROWS_4, bytes);
        code.add(X, COLUMNS * Float.BYTES);
        code.sub(LEFT, 1);
        code.jump(Condition.NOT_ZERO, columns);

        // results
        code.mov(X, OUT);
        for (int token = 0; token < tokens; token++) {
            code.emit(VMOVUPS_STORE, Memory.at(X, 0), STORED, totals(token));
            code.add(X, OUT_STRIDE);
        }
        code.add(OUT, ROWS * Float.BYTES);
        code.sub(GROUPS_LEFT, 1);
        code.jump(Condition.NOT_ZERO, group);
        leave();
    }

    private void addProducts(int column) {
        for (int token = 0; token < tokens; token++) {
            int at = column * Float.BYTES;
            Memory source = token == 0 ? Memory.at(X, at) : Memory.at(X, TOKEN_STRIDE, token, at);
            code.emit(VMOVUPS, activation(token), source);
        }
        for (int row = 0; row < ROWS; row++) {
            Memory source = row(row, (int) type.byteSize(column));
            switch (type) {
                case F16 -> code.emit(VCVTPH2PS, WEIGHTS, source);
                case BF16 -> {
                    code.emit(VPMOVZXWD, WEIGHTS, source);
                    code.emit(VPSLLD, WEIGHTS, WEIGHTS, 16);
                }
                default -> code.emit(VMOVUPS, WEIGHTS, source);
            }
            for (int token = 0; token < tokens; token++) {
                code.emit(VFMADD231PS, sum(row, token), WEIGHTS, activation(token));
            }
        }
    }

    private static Memory row(int row, int offset) {
        General base = row < 4 ? ROWS_0 : ROWS_4;
        return switch (row % 4) {
            case 0 -> Memory.at(base, offset);
            case 1 -> Memory.at(base, STRIDE, 1, offset);
            case 2 -> Memory.at(base, STRIDE, 2, offset);
            default -> Memory.at(base, STRIDE_3, 1, offset);
        };
    }

    /** Adds up the partial sums of a token's rows: one register with a total a row. */
    private Vector totals(int token) {
        // 16 partial sums to 8, in registers that instructions without EVEX form can name
        int first = token == 1 ? ROWS : 0;
        for (int row = 0; row < ROWS; row++) {
            Vector sum = sum(row, token);
            code.extract(VEXTRACTI64X4, SPARE.as(256), sum, 1);
            code.emit(VADDPS, ymm(first + row), sum.as(256), SPARE.as(256));
        }
        // to 4 and 2, rows side by side in each half
        for (int step = 1; step < 4; step *= 2) {
            for (int row = 0; row < ROWS; row += 2 * step) {
                code.emit(VHADDPS, ymm(first + row), ymm(first + row), ymm(first + row + step));
            }
        }
        // the halves to one
        Vector low = ymm(first);
        Vector high = ymm(first + 4);
        code.emit(VPERM2I128, ymm(first + 1), low, high, 0x20);
        code.emit(VPERM2I128, ymm(first + 2), low, high, 0x31);
        code.emit(VADDPS, low, ymm(first + 1), ymm(first + 2));
        return low;
    }

    private static Vector ymm(int number) {
        return new Vector(number, 256);
    }

    private void enter() {
        code.push(General.RBP);
        code.mov(General.RBP, General.RSP);
        code.push(General.RBX);
        code.push(General.R12);
        code.push(General.R13);
        code.push(General.R14);
        code.push(General.R15);
        code.mov(General.RAX, ROW_MASK);
        code.kmovw(STORED, General.RAX);
        code.movd(GROUPS_LEFT, GROUPS);
        code.movd(TOKEN_STRIDE, TOKEN_STRIDE_ARGUMENT);
        code.lea(STRIDE_3, Memory.at(STRIDE, STRIDE, 2, 0));
        code.mov(GROUP, ROWS_0);
    }

    private void leave() {
        code.pop(General.R15);
        code.pop(General.R14);
        code.pop(General.R13);
        code.pop(General.R12);
        code.pop(General.RBX);
        code.pop(General.RBP);
        code.vzeroupper();
        code.ret();
    }
}
