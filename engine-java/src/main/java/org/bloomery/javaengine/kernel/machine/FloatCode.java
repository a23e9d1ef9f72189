package org.bloomery.javaengine.kernel.machine;

import static org.bloomery.javaengine.kernel.machine.Instruction.*;

import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.machine.Assembler.Condition;
import org.bloomery.javaengine.kernel.machine.Assembler.Label;
import org.bloomery.javaengine.kernel.machine.Register.General;
import org.bloomery.javaengine.kernel.machine.Register.Mask;
import org.bloomery.javaengine.kernel.machine.Register.Vector;

/**
 * Dot products in single precision of F32, F16 and BF16 rows with activations as they are: 8 rows by up to 3 tokens have
 * their sums in registers of 512 bits, or 4 rows by 2 tokens in registers of 256 bits. Arguments {@code (weights,
 * bytes from row to row, activations, out, bytes from one token's results to the next's, blocks of 32 columns, groups of
 * rows with the bytes from one token's activations to the next's above bit 32, mask of the rows to store)}; with 256 bits
 * all rows are stored.
 */
final class FloatCode {

    /** Columns that a turn of the loop takes: a whole line of 16-bit weights, whose other half might not stay cached. */
    static final int COLUMNS = 32;

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

    private final TensorType type;
    private final int bits;
    private final int rows;
    private final int tokens;
    private final Assembler code = new Assembler();

    private FloatCode(TensorType type, int bits, int tokens) {
        this.type = type;
        this.bits = bits;
        this.rows = rows(bits);
        this.tokens = tokens;
    }

    /** Rows of a group. */
    static int rows(int bits) {
        return bits == 512 ? 8 : 4;
    }

    /** Tokens that one call takes at most. */
    static int tokens(int bits) {
        return bits == 512 ? 3 : 2;
    }

    /** The code for so many tokens. */
    static byte[] multiply(TensorType type, int bits, int tokens) {
        FloatCode made = new FloatCode(type, bits, tokens);
        made.assemble();
        return made.code.toBytes();
    }

    private Vector sum(int row, int token) {
        return new Vector(token * rows + row, bits);
    }

    private Vector activation(int token) {
        return new Vector(rows * tokens(bits) + token, bits);
    }

    private Vector weights() {
        return new Vector((rows + 1) * tokens(bits), bits);
    }

    private Vector spare() {
        return new Vector((rows + 1) * tokens(bits) + 1, bits);
    }

    private void assemble() {
        Label group = new Label();
        Label columns = new Label();
        enter();

        code.place(group);
        code.mov(ROWS_0, GROUP);
        code.lea(ROWS_4, Memory.at(ROWS_0, STRIDE, 4, 0));
        code.lea(GROUP, Memory.at(ROWS_0, STRIDE, rows, 0));
        code.mov(AHEAD, GROUP);
        code.mov(X, ACTIVATIONS);
        code.mov(LEFT, BLOCKS);
        for (int token = 0; token < tokens; token++) {
            for (int row = 0; row < rows; row++) {
                Vector sum = sum(row, token);
                code.emit(bits == 512 ? VPXORD : VPXOR, sum, sum, sum);
            }
        }

        code.place(columns);
        int bytes = (int) type.byteSize(COLUMNS);
        for (int column = 0; column < COLUMNS; column += bits / Float.SIZE) {
            addProducts(column);
        }
        for (int at = 0; at < rows * bytes; at += LINE) {
            code.prefetcht1(Memory.at(AHEAD, at));
        }
        code.add(AHEAD, rows * bytes);
        code.add(ROWS_0, bytes);
        code.add(ROWS_4, bytes);
        code.add(X, COLUMNS * Float.BYTES);
        code.sub(LEFT, 1);
        code.jump(Condition.NOT_ZERO, columns);

        // results
        code.mov(X, OUT);
        for (int token = 0; token < tokens; token++) {
            if (bits == 512) {
                code.emit(VMOVUPS_STORE, Memory.at(X, 0), STORED, totals512(token));
            } else {
                code.emit(VMOVUPS_STORE, Memory.at(X, 0), Mask.NONE, totals256(token));
            }
            code.add(X, OUT_STRIDE);
        }
        code.add(OUT, rows * Float.BYTES);
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
        for (int row = 0; row < rows; row++) {
            Memory source = row(row, (int) type.byteSize(column));
            switch (type) {
                case F16 -> code.emit(VCVTPH2PS, weights(), source);
                case BF16 -> {
                    code.emit(VPMOVZXWD, weights(), source);
                    code.emit(VPSLLD, weights(), weights(), 16);
                }
                default -> code.emit(VMOVUPS, weights(), source);
            }
            for (int token = 0; token < tokens; token++) {
                code.emit(VFMADD231PS, sum(row, token), weights(), activation(token));
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
    private Vector totals512(int token) {
        // 16 partial sums to 8, in registers that instructions without EVEX form can name
        int first = token == 1 ? rows : 0;
        for (int row = 0; row < rows; row++) {
            Vector sum = sum(row, token);
            code.extract(VEXTRACTI64X4, spare().as(256), sum, 1);
            code.emit(VADDPS, ymm(first + row), sum.as(256), spare().as(256));
        }
        // to 4 and 2, rows side by side in each half
        for (int step = 1; step < 4; step *= 2) {
            for (int row = 0; row < rows; row += 2 * step) {
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

    private Vector totals256(int token) {
        for (int step = 1; step < 4; step *= 2) {
            for (int row = 0; row < rows; row += 2 * step) {
                code.emit(VHADDPS, sum(row, token), sum(row, token), sum(row + step, token));
            }
        }
        Vector low = sum(0, token).as(128);
        Vector high = spare().as(128);
        code.extract(VEXTRACTI128, high, sum(0, token), 1);
        code.emit(VADDPS, low, low, high);
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
        if (bits == 512) {
            code.mov(General.RAX, ROW_MASK);
            code.kmovw(STORED, General.RAX);
        }
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
