package org.bloomery.javaengine.kernel.machine;

import static org.bloomery.javaengine.kernel.machine.Instruction.*;

import org.bloomery.javaengine.kernel.machine.Assembler.Condition;
import org.bloomery.javaengine.kernel.machine.Assembler.Label;
import org.bloomery.javaengine.kernel.machine.Register.General;
import org.bloomery.javaengine.kernel.machine.Register.Mask;
import org.bloomery.javaengine.kernel.machine.Register.Vector;

/**
 * {@code c(m, n) += a(m, k) · b(k, n)} in single precision, in tiles of some rows by some vectors of columns whose sums
 * stay in registers. Arguments {@code (a, bytes from one row of a to the next, b, c, bytes of a row of b and c, k, groups
 * of rows, tiles of columns)}.
 */
final class AttentionCode {

    /** Rows of a large group; a small one has one row. */
    static final int ROWS = 4;

    // arguments, in the order of the System V calling convention
    private static final General A = General.RDI;
    private static final General A_STRIDE = General.RSI;
    private static final General B = General.RDX;
    private static final General C = General.RCX;
    private static final General ROW_BYTES = General.R8;
    private static final General K = General.R9;
    private static final Memory GROUPS = Memory.at(General.RBP, 16);
    private static final Memory TILES = Memory.at(General.RBP, 24);

    private static final General A_STRIDE_3 = General.RBX;
    private static final General ROW_BYTES_3 = General.R15;
    private static final General C_TILE = General.R10;
    private static final General B_TILE = General.R11;
    private static final General TILES_LEFT = General.R12;
    private static final General A_AT = General.RAX;
    private static final General B_AT = General.R13;
    private static final General LEFT = General.R14;

    private final int bits;
    private final int rows;
    private final int vectors;

    private AttentionCode(int bits, int rows, int vectors) {
        this.bits = bits;
        this.rows = rows;
        this.vectors = vectors;
    }

    /** Vectors of the widest tile. */
    static int widest(int bits) {
        return bits == 512 ? 4 : 2;
    }

    /**
     * The code for tiles of a shape.
     *
     * @param rows 1 or {@link #ROWS}
     * @param vectors 1 to {@link #widest}
     */
    static byte[] multiplyAdd(int bits, int rows, int vectors) {
        return new AttentionCode(bits, rows, vectors).assemble();
    }

    private Vector sum(int row, int vector) {
        return new Vector(row * vectors + vector, bits);
    }

    private Vector b(int vector) {
        return new Vector(rows * vectors + vector, bits);
    }

    private Vector a() {
        return new Vector((rows + 1) * vectors, bits);
    }

    private static Memory row(General base, General stride, General stride3, int row, int offset) {
        return switch (row) {
            case 0 -> Memory.at(base, offset);
            case 1 -> Memory.at(base, stride, 1, offset);
            case 2 -> Memory.at(base, stride, 2, offset);
            default -> Memory.at(base, stride3, 1, offset);
        };
    }

    private byte[] assemble() {
        Assembler code = new Assembler();
        int vectorBytes = bits / Byte.SIZE;
        Label group = new Label();
        Label tile = new Label();
        Label next = new Label();
        General[] saved = {General.RBX, General.R12, General.R13, General.R14, General.R15};
        code.push(General.RBP);
        code.mov(General.RBP, General.RSP);
        for (General register : saved) {
            code.push(register);
        }
        code.lea(A_STRIDE_3, Memory.at(A_STRIDE, A_STRIDE, 2, 0));
        code.lea(ROW_BYTES_3, Memory.at(ROW_BYTES, ROW_BYTES, 2, 0));

        code.place(group);
        code.mov(C_TILE, C);
        code.mov(B_TILE, B);
        code.mov(TILES_LEFT, TILES);

        code.place(tile);
        for (int row = 0; row < rows; row++) {
            for (int vector = 0; vector < vectors; vector++) {
                Memory source = row(C_TILE, ROW_BYTES, ROW_BYTES_3, row, vector * vectorBytes);
                code.emit(VMOVUPS, sum(row, vector), source);
            }
        }
        code.mov(A_AT, A);
        code.mov(B_AT, B_TILE);
        code.mov(LEFT, K);

        code.place(next);
        for (int vector = 0; vector < vectors; vector++) {
            code.emit(VMOVUPS, b(vector), Memory.at(B_AT, vector * vectorBytes));
        }
        for (int row = 0; row < rows; row++) {
            code.emit(VBROADCASTSS, a(), row(A_AT, A_STRIDE, A_STRIDE_3, row, 0));
            for (int vector = 0; vector < vectors; vector++) {
                code.emit(VFMADD231PS, sum(row, vector), a(), b(vector));
            }
        }
        code.add(A_AT, Float.BYTES);
        code.add(B_AT, ROW_BYTES);
        code.sub(LEFT, 1);
        code.jump(Condition.NOT_ZERO, next);

        for (int row = 0; row < rows; row++) {
            for (int vector = 0; vector < vectors; vector++) {
                Memory target = row(C_TILE, ROW_BYTES, ROW_BYTES_3, row, vector * vectorBytes);
                code.emit(VMOVUPS_STORE, target, Mask.NONE, sum(row, vector));
            }
        }
        code.add(C_TILE, vectors * vectorBytes);
        code.add(B_TILE, vectors * vectorBytes);
        code.sub(TILES_LEFT, 1);
        code.jump(Condition.NOT_ZERO, tile);

        code.lea(A, Memory.at(A, A_STRIDE, rows, 0));
        code.lea(C, Memory.at(C, ROW_BYTES, rows, 0));
        code.mov(LEFT, GROUPS);
        code.sub(LEFT, 1);
        code.movq(GROUPS, LEFT);
        code.jump(Condition.NOT_ZERO, group);

        for (int i = saved.length - 1; i >= 0; i--) {
            code.pop(saved[i]);
        }
        code.pop(General.RBP);
        code.vzeroupper();
        code.ret();
        return code.toBytes();
    }
}
