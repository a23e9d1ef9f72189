package org.bloomery.javaengine.kernel.machine;

import static org.bloomery.javaengine.kernel.machine.Instruction.*;

import org.bloomery.javaengine.kernel.machine.Register.General;
import org.bloomery.javaengine.kernel.machine.Register.Vector;

/**
 * Code that reads sixteen rows side by side: their addresses, and transposing what stands at them, so that each lane of a
 * 512-bit register belongs to a row. Interleaved rows ({@link org.bloomery.javaengine.kernel.Interleaving}) stand like
 * that in memory: what begins at a byte of a block is at 16 times that of a group's. It takes the registers RDI, RSI, RAX,
 * RBX, R10 and R11.
 */
final class SixteenRows {

    static final int COUNT = 16;

    /** The first row, and bytes from one row to the next. */
    static final General FIRST = General.RDI;

    static final General STRIDE = General.RSI;

    // rows 4, 8 and 12 of the 16, and three times the stride: with it every row has an address
    private static final General ROWS_4 = General.R10;
    private static final General ROWS_8 = General.R11;
    private static final General ROWS_12 = General.RAX;
    private static final General STRIDE_3 = General.RBX;
    private static final General[] ROW = {FIRST, ROWS_4, ROWS_8, ROWS_12};

    private static final int LINE = 64;

    /** How much of interleaved rows is fetched ahead, which are one stream. */
    enum Ahead {
        /** What is used as fast as memory brings it, from its beginning to its end, the processor foresees. */
        NOTHING(0),
        /** What is read in another order within its blocks is brought close. */
        NEAR(8 << 10),
        /** What is used more slowly, so that the processor stops looking ahead. */
        FAR(32 << 10);

        private final int bytes;

        Ahead(int bytes) {
            this.bytes = bytes;
        }
    }

    private final Assembler code;
    private final boolean interleaved;

    SixteenRows(Assembler code, boolean interleaved) {
        this.code = code;
        this.interleaved = interleaved;
    }

    boolean interleaved() {
        return interleaved;
    }

    /** What begins at a byte of a block, of all rows of an interleaved group. */
    Memory all(int offset) {
        return Memory.at(FIRST, COUNT * offset);
    }

    private static Vector zmm(int number) {
        return new Vector(number, 512);
    }

    /** What holds for the whole call: three times the stride. */
    void prepare() {
        if (interleaved) {
            return;
        }
        code.lea(STRIDE_3, Memory.at(STRIDE, STRIDE, 2, 0));
    }

    /** Finds the other rows from the first. */
    void find() {
        if (interleaved) {
            return;
        }
        code.lea(ROWS_4, Memory.at(FIRST, STRIDE, 4, 0));
        code.lea(ROWS_8, Memory.at(FIRST, STRIDE, 8, 0));
        code.lea(ROWS_12, Memory.at(ROWS_8, STRIDE, 4, 0));
    }

    /** Where fetching ahead begins, as long as this group's pointers stand at its beginning: with the group after it. */
    void startAhead(General result, Ahead interleavedRows) {
        if (interleaved) {
            code.lea(result, Memory.at(FIRST, interleavedRows.bytes));
            return;
        }
        code.lea(result, Memory.at(ROWS_12, STRIDE, 4, 0));
    }

    /** Makes the next group's first row the first, after each pointer has moved along its row, one stride long. */
    void firstOfNextGroup() {
        if (interleaved) {
            return;
        }
        code.lea(FIRST, Memory.at(ROWS_12, STRIDE_3, 1, 0));
    }

    /** Moves along the rows. */
    void advance(int bytes) {
        if (interleaved) {
            code.add(FIRST, COUNT * bytes);
            return;
        }
        for (General row : ROW) {
            code.add(row, bytes);
        }
    }

    /**
     * Fetches as much of the next group of rows as one block of this group has. Rows stand one after the other in memory,
     * but are read sixteen at a time, which the processor does not foresee.
     *
     * @param bytes of all rows' blocks
     * @param interleavedRows how those are fetched
     */
    void fetchAhead(General ahead, int bytes, Ahead interleavedRows) {
        if (interleaved && interleavedRows == Ahead.NOTHING) {
            return;
        }
        for (int at = 0; at < bytes; at += LINE) {
            if (interleaved && interleavedRows == Ahead.NEAR) {
                code.prefetcht0(Memory.at(ahead, at));
            } else {
                code.prefetcht1(Memory.at(ahead, at));
            }
        }
        code.add(ahead, bytes);
    }

    /** Bytes {@code offset} and up of a row. */
    Memory row(int row, int offset) {
        General base = ROW[row / 4];
        return switch (row % 4) {
            case 0 -> Memory.at(base, offset);
            case 1 -> Memory.at(base, STRIDE, 1, offset);
            case 2 -> Memory.at(base, STRIDE, 2, offset);
            default -> Memory.at(base, STRIDE_3, 1, offset);
        };
    }

    /** Four bytes of each of 16 rows a register: bytes {@code offset} to {@code offset + 15} to registers 8 to 11. */
    void transpose16(int offset) {
        if (interleaved) {
            load(8, 4, offset);
            return;
        }
        for (int i = 0; i < 4; i++) {
            code.emit(VMOVUPS, zmm(8 + i).as(128), row(i, offset));
            code.emit(VMOVUPS, zmm(12 + i).as(128), row(8 + i, offset));
        }
        for (int i = 0; i < 4; i++) {
            code.emit(VINSERTI128, zmm(8 + i).as(256), zmm(8 + i).as(256), row(4 + i, offset), 1);
            code.emit(VINSERTI128, zmm(12 + i).as(256), zmm(12 + i).as(256), row(12 + i, offset), 1);
        }
        for (int i = 0; i < 4; i++) {
            code.emit(VINSERTI64X4, zmm(8 + i), zmm(8 + i), zmm(12 + i), 1);
        }
        transposeLanes(8, 12);
    }

    /** Bytes {@code offset} to {@code offset + 31} of 16 rows, four of each a register, to registers 0 to 7. */
    void transpose32(int offset) {
        if (interleaved) {
            load(0, 8, offset);
            return;
        }
        for (int i = 0; i < 8; i++) {
            int row = i < 4 ? i : 4 + i;
            code.emit(VMOVUPS, zmm(8 + i).as(256), row(row, offset));
            code.emit(VINSERTI64X4, zmm(8 + i), zmm(8 + i), row(row + 4, offset), 1);
        }
        transposeLanes(8, 0);
        transposeLanes(12, 4);
        for (int j = 0; j < 4; j++) {
            code.emit(VSHUFI32X4, zmm(j), zmm(8 + j), zmm(12 + j), 0x88);
            code.emit(VSHUFI32X4, zmm(4 + j), zmm(8 + j), zmm(12 + j), 0xDD);
        }
    }

    private void load(int first, int count, int offset) {
        for (int j = 0; j < count; j++) {
            code.emit(VMOVUPS, zmm(first + j), all(offset + 4 * j));
        }
    }

    /**
     * 64 bytes of 16 rows, row {@code r} in register {@code r}, to four bytes of each row a register: registers 0 to 15.
     * Four registers from {@code spare} on are overwritten.
     */
    void transpose64(int spare) {
        for (int quad = 0; quad < COUNT; quad += 4) {
            transposeLanes(quad, spare);
        }
        // the same with lanes as elements
        for (int j = 0; j < 4; j++) {
            for (int half = 0; half < 2; half++) {
                Vector even = zmm(8 * half + j);
                Vector odd = zmm(8 * half + 4 + j);
                code.emit(VSHUFI32X4, zmm(spare + 2 * half), even, odd, 0x88);
                code.emit(VSHUFI32X4, zmm(spare + 2 * half + 1), even, odd, 0xDD);
            }
            for (int lane = 0; lane < 2; lane++) {
                code.emit(VSHUFI32X4, zmm(4 * lane + j), zmm(spare + lane), zmm(spare + 2 + lane), 0x88);
                code.emit(VSHUFI32X4, zmm(4 * lane + 8 + j), zmm(spare + lane), zmm(spare + 2 + lane), 0xDD);
            }
        }
    }

    /** Transposes the 4 x 4 elements that four registers have in each of their 128-bit lanes. */
    private void transposeLanes(int first, int spare) {
        Vector a = zmm(first);
        Vector b = zmm(first + 1);
        Vector c = zmm(first + 2);
        Vector d = zmm(first + 3);
        code.emit(VPUNPCKLDQ, zmm(spare), a, b);
        code.emit(VPUNPCKHDQ, zmm(spare + 1), a, b);
        code.emit(VPUNPCKLDQ, zmm(spare + 2), c, d);
        code.emit(VPUNPCKHDQ, zmm(spare + 3), c, d);
        code.emit(VPUNPCKLQDQ, a, zmm(spare), zmm(spare + 2));
        code.emit(VPUNPCKHQDQ, b, zmm(spare), zmm(spare + 2));
        code.emit(VPUNPCKLQDQ, c, zmm(spare + 1), zmm(spare + 3));
        code.emit(VPUNPCKHQDQ, d, zmm(spare + 1), zmm(spare + 3));
    }
}
