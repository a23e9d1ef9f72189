package org.bloomery.javaengine.kernel.machine;

import static org.bloomery.javaengine.kernel.machine.Instruction.*;

import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.machine.Assembler.Condition;
import org.bloomery.javaengine.kernel.machine.Assembler.Label;
import org.bloomery.javaengine.kernel.machine.Register.General;
import org.bloomery.javaengine.kernel.machine.Register.Mask;
import org.bloomery.javaengine.kernel.machine.Register.Vector;

/**
 * Integer kernels for AVX2, with or without its dot product of bytes: dot products row by row, a block of 32 columns in
 * one register, unpacked once for four tokens. Signed codes are multiplied as magnitudes, with their signs given to the
 * activations: {@code vpmaddubsw} adds two products in 16 bits, and 2 * 128 * 127 just fits.
 */
final class Avx2Code implements MatrixCode {

    /** Tokens whose sums have registers. */
    private static final int TILE = 4;

    /** Bytes of a register. */
    private static final int VECTOR = 32;

    // the stack frame
    private static final int FRAME = 512;
    private static final int SCALES = 0;
    private static final int SECOND = 2 * VECTOR;
    private static final int CONSTANTS = 4 * VECTOR;
    private static final int BIT_OF_BYTE = CONSTANTS + 2 * VECTOR;
    private static final int BYTE_OF_BITS = BIT_OF_BYTE + VECTOR;

    // arguments, in the order of the System V calling convention
    private static final General ROW = General.RDI;
    private static final General ACTIVATIONS = General.RDX;
    private static final General OUT = General.RCX;
    private static final General OUT_STRIDE = General.R8;
    private static final General BLOCKS = General.R9;
    private static final Memory ROWS = Memory.at(General.RBP, 16);

    private static final General WEIGHTS = General.R10;
    private static final General RECORD = General.R11;
    private static final General LEFT = General.RAX;
    private static final General TARGET = General.RSI;

    // registers 0 to 3 hold the sums of the tokens
    private static final Vector CODES = ymm(4);
    private static final Vector MAGNITUDES = ymm(5);
    private static final Vector SCALE = ymm(6);
    private static final Vector SECOND_SCALE = ymm(7);
    private static final Vector PRODUCTS = ymm(8);
    private static final Vector FACTOR = ymm(9);
    private static final Vector SPARE = ymm(10);
    private static final Vector MORE = ymm(11);
    private static final Vector FIFTH_BITS = ymm(12);
    private static final Vector NIBBLES = ymm(13);
    private static final Vector NIBBLE_MASK = ymm(14);
    private static final Vector SHORT_ONES = ymm(15);

    private final TensorType type;
    private final BlockForm form;
    private final boolean vnni;
    private Assembler code = new Assembler();

    /** Tokens of a record, and those of the tile at hand. */
    private int tokens;

    private int firstToken;
    private int tile;

    /** @param vnni whether the dot product of bytes may be used, with VEX prefix */
    Avx2Code(TensorType type, boolean vnni) {
        this.type = type;
        this.form = BlockForm.of(type);
        this.vnni = vnni;
    }

    private static Vector ymm(int number) {
        return new Vector(number, 256);
    }

    @Override
    public int rows() {
        return 1;
    }

    @Override
    public int few() {
        return ByteActivations.GROUP;
    }

    @Override
    public boolean hasPanels() {
        return false;
    }

    @Override
    public int panelBytes(int columns) {
        return 0;
    }

    @Override
    public byte[] unpackPanel() {
        throw new UnsupportedOperationException("AVX2 code has no panels");
    }

    @Override
    public byte[] multiplyPanel(int tokens) {
        throw new UnsupportedOperationException("AVX2 code has no panels");
    }

    @Override
    public byte[] multiplyFew(int tokens) {
        code = new Assembler();
        this.tokens = tokens;
        Label row = new Label();
        enter();
        code.place(row);
        for (firstToken = 0; firstToken < tokens; firstToken += TILE) {
            tile = Math.min(TILE, tokens - firstToken);
            multiplyTile();
        }
        code.mov(ROW, WEIGHTS);
        code.add(OUT, Float.BYTES);
        code.mov(LEFT, ROWS);
        code.sub(LEFT, 1);
        code.movq(ROWS, LEFT);
        code.jump(Condition.NOT_ZERO, row);
        leave();
        return code.toBytes();
    }

    private void multiplyTile() {
        Label next = new Label();
        boolean large = type.blockSize() == 256;
        code.mov(WEIGHTS, ROW);
        code.mov(RECORD, ACTIVATIONS);
        code.mov(LEFT, BLOCKS);
        for (int token = 0; token < tile; token++) {
            code.emit(VPXOR, ymm(token), ymm(token), ymm(token));
        }
        code.place(next);
        switch (type) {
            case Q4_K, Q5_K -> addGroups();
            case Q6_K -> addSixBits();
            default -> addSmallBlock();
        }
        code.add(WEIGHTS, (int) type.byteSize(large ? 256 : 32));
        code.sub(LEFT, large ? 8 : 1);
        code.jump(Condition.NOT_ZERO, next);
        store();
    }

    // products

    /** Adds the products of the block at hand, in {@link #CODES}, and goes on to the next record. */
    private void addProducts() {
        boolean signed = form != BlockForm.MINIMUM;
        int numbers = tokens * ByteActivations.BLOCK;
        if (signed) {
            code.emit(VPABSB, MAGNITUDES, CODES);
        }
        for (int t = 0; t < tile; t++) {
            int token = firstToken + t;
            code.emit(VMOVUPS, PRODUCTS, Memory.at(RECORD, token * ByteActivations.BLOCK));
            if (signed) {
                code.emit(VPSIGNB, PRODUCTS, PRODUCTS, CODES);
            }
            Vector factors = signed ? MAGNITUDES : CODES;
            if (vnni) {
                code.emit(VPXOR, SPARE, SPARE, SPARE);
                code.emit(VPDPBUSD, SPARE, factors, PRODUCTS);
                code.emit(VCVTDQ2PS, PRODUCTS, SPARE);
            } else {
                code.emit(VPMADDUBSW, PRODUCTS, factors, PRODUCTS);
                code.emit(VPMADDWD, PRODUCTS, PRODUCTS, SHORT_ONES);
                code.emit(VCVTDQ2PS, PRODUCTS, PRODUCTS);
            }
            code.emit(VBROADCASTSS, FACTOR, Memory.at(RECORD, numbers + 4 * token));
            code.emit(VMULPS, FACTOR, FACTOR, SCALE);
            code.emit(VFMADD231PS, ymm(t), PRODUCTS, FACTOR);
            if (!signed) {
                // one lane has the whole of it
                code.emit(VMOVD, FACTOR.as(128), Memory.at(RECORD, numbers + 4 * (3 * tokens + token)));
                code.emit(VFNMADD231PS, ymm(t), FACTOR, SECOND_SCALE);
            }
        }
        code.add(RECORD, tokens * ByteActivations.TOKEN_BYTES);
    }

    private void store() {
        code.lea(TARGET, Memory.at(OUT, 0));
        for (int token = 0; token < firstToken; token += TILE) {
            code.lea(TARGET, Memory.at(TARGET, OUT_STRIDE, TILE, 0));
        }
        for (int t = 0; t < tile; t++) {
            Vector half = SPARE.as(128);
            Vector sum = ymm(t).as(128);
            code.extract(VEXTRACTI128, half, ymm(t), 1);
            code.emit(VADDPS, sum, sum, half);
            code.emit(VHADDPS, sum, sum, sum);
            code.emit(VHADDPS, sum, sum, sum);
            code.moveToGeneral(LEFT, sum);
            code.movd(Memory.at(TARGET, 0), LEFT);
            code.add(TARGET, OUT_STRIDE);
        }
    }

    // unpacking

    private void addSmallBlock() {
        boolean minimum = form == BlockForm.MINIMUM;
        boolean fifthBits = type == TensorType.Q5_0 || type == TensorType.Q5_1;
        int header = (minimum ? 4 : 2) + (fifthBits ? 4 : 0);
        half(SCALE, 0);
        if (minimum) {
            half(SECOND_SCALE, 2);
            // what is added in the file is subtracted here
            code.emit(VPXOR, SECOND_SCALE, SECOND_SCALE, constant(0x80000000));
        }
        if (type == TensorType.Q8_0) {
            code.emit(VMOVUPS, CODES, Memory.at(WEIGHTS, header));
        } else {
            code.emit(VMOVUPS, CODES.as(128), Memory.at(WEIGHTS, header));
            code.emit(VPSRLD, SPARE.as(128), CODES.as(128), 4);
            code.emit(VINSERTI128, CODES, CODES, SPARE, 1);
            code.emit(VPAND, CODES, CODES, NIBBLE_MASK);
            if (fifthBits) {
                code.emit(VPBROADCASTD, MORE, Memory.at(WEIGHTS, header - 4));
                code.emit(VPSHUFB, MORE, MORE, Memory.at(General.RSP, BYTE_OF_BITS));
                code.emit(VMOVUPS, SPARE, Memory.at(General.RSP, BIT_OF_BYTE));
                code.emit(VPAND, MORE, MORE, SPARE);
                code.emit(VPCMPEQB, MORE, MORE, SPARE);
                code.emit(VPAND, MORE, MORE, constant(0x10101010));
                code.emit(VPOR, CODES, CODES, MORE);
            }
            if (!minimum) {
                code.emit(VPSUBB, CODES, CODES, constant(fifthBits ? 0x10101010 : 0x08080808));
            }
        }
        addProducts();
    }

    /** The half float at this place, in all lanes. */
    private void half(Vector result, int offset) {
        code.emit(VPBROADCASTW, result.as(128), Memory.at(WEIGHTS, offset));
        code.emit(VCVTPH2PS, result, result.as(128));
    }

    /** A block of 256 of Q4_K or Q5_K: eight groups with scales and minima of 6 bits (GroupScales tells the layout). */
    private void addGroups() {
        boolean fifthBits = type == TensorType.Q5_K;
        Vector header = CODES.as(128);
        Vector low = MAGNITUDES.as(128);
        Vector upper = MORE.as(128);
        Vector last = FACTOR.as(128);
        Vector spare = SPARE.as(128);

        // the words of the header: two half floats, scales, minima, and the lower bits of both of the last four groups
        code.emit(VMOVUPS, header, Memory.at(WEIGHTS, 0));
        code.emit(VPAND, low, header, constant(0x3F3F3F3F).as(128));
        code.emit(VPSRLD, upper, header, 2);
        code.emit(VPAND, upper, upper, constant(0x30303030).as(128));
        code.emit(VPSHUFD, last, header, 0xFF);
        for (int minima = 0; minima < 2; minima++) {
            if (minima == 1) {
                code.emit(VPSRLD, last, last, 4);
            }
            code.emit(VPAND, spare, last, NIBBLE_MASK.as(128));
            code.emit(VPOR, spare, spare, upper);
            code.emit(VPSHUFD, spare, spare, 1 + minima);
            code.emit(VPSHUFD, header, low, 1 + minima);
            code.emit(VPUNPCKLDQ, spare, header, spare);
            code.emit(VPMOVZXBD, SPARE, spare);
            code.emit(VCVTDQ2PS, SPARE, SPARE);
            half(SCALE, 2 * minima);
            code.emit(VMULPS, SPARE, SPARE, SCALE);
            code.emit(VMOVUPS_STORE, Memory.at(General.RSP, minima == 0 ? SCALES : SECOND), Mask.NONE, SPARE);
        }
        if (fifthBits) {
            code.emit(VMOVUPS, FIFTH_BITS, Memory.at(WEIGHTS, 16));
        }
        for (int group = 0; group < 8; group++) {
            if (group % 2 == 0) {
                code.emit(VMOVUPS, NIBBLES, Memory.at(WEIGHTS, (fifthBits ? 48 : 16) + 16 * group));
                code.emit(VPAND, CODES, NIBBLES, NIBBLE_MASK);
            } else {
                code.emit(VPSRLD, CODES, NIBBLES, 4);
                code.emit(VPAND, CODES, CODES, NIBBLE_MASK);
            }
            if (fifthBits) {
                shifted(MORE, FIFTH_BITS, 4 - group);
                code.emit(VPAND, MORE, MORE, constant(0x10101010));
                code.emit(VPOR, CODES, CODES, MORE);
            }
            code.emit(VBROADCASTSS, SCALE, Memory.at(General.RSP, SCALES + 4 * group));
            code.emit(VBROADCASTSS, SECOND_SCALE, Memory.at(General.RSP, SECOND + 4 * group));
            addProducts();
        }
    }

    /** A block of 256 of Q6_K: nibbles, upper pairs of bits, 16 signed scales and a half float. */
    private void addSixBits() {
        int pairs = 128;
        int scales = 192;
        half(SCALE, scales + 16);
        for (int part = 0; part < 2; part++) {
            code.emit(VPMOVSXBD, SPARE, Memory.at(WEIGHTS, scales + 8 * part));
            code.emit(VCVTDQ2PS, SPARE, SPARE);
            code.emit(VMULPS, SPARE, SPARE, SCALE);
            code.emit(VMOVUPS_STORE, Memory.at(General.RSP, SCALES + part * VECTOR), Mask.NONE, SPARE);
        }
        for (int block = 0; block < 8; block++) {
            int quarter = block % 4;
            int half = block / 4;
            if (quarter == 0) {
                code.emit(VMOVUPS, FIFTH_BITS, Memory.at(WEIGHTS, pairs + 32 * half));
            }
            code.emit(VMOVUPS, CODES, Memory.at(WEIGHTS, 64 * half + quarter % 2 * 32));
            if (quarter >= 2) {
                code.emit(VPSRLD, CODES, CODES, 4);
            }
            code.emit(VPAND, CODES, CODES, NIBBLE_MASK);
            shifted(MORE, FIFTH_BITS, 4 - 2 * quarter);
            code.emit(VPAND, MORE, MORE, constant(0x30303030));
            code.emit(VPOR, CODES, CODES, MORE);
            code.emit(VPSUBB, CODES, CODES, constant(0x20202020));
            // a scale for each half of the block
            code.emit(VBROADCASTSS, SCALE.as(128), Memory.at(General.RSP, SCALES + 8 * block));
            code.emit(VBROADCASTSS, SPARE.as(128), Memory.at(General.RSP, SCALES + 8 * block + 4));
            code.emit(VINSERTI128, SCALE, SCALE, SPARE, 1);
            addProducts();
        }
    }

    /** Shifts lanes to the left, or to the right by a negative number; bits of other bytes are to be cleared after. */
    private void shifted(Vector result, Vector source, int bits) {
        code.emit(bits >= 0 ? VPSLLD : VPSRLD, result, source, Math.abs(bits));
    }

    // frame

    private static final int[] CONSTANT = {
        0x0F0F0F0F, 0x3F3F3F3F, 0x30303030, 0x10101010, 0x08080808, 0x20202020, 0x80000000, 0x00010001
    };

    /** Loads a constant into a register that only products use. */
    private Vector constant(int bits) {
        for (int i = 0; i < CONSTANT.length; i++) {
            if (CONSTANT[i] == bits) {
                code.emit(VPBROADCASTD, PRODUCTS, Memory.at(General.RSP, CONSTANTS + 4 * i));
                return PRODUCTS;
            }
        }
        throw new IllegalArgumentException("No constant " + Integer.toHexString(bits));
    }

    private void enter() {
        code.push(General.RBP);
        code.mov(General.RBP, General.RSP);
        code.sub(General.RSP, FRAME);
        code.and(General.RSP, -VECTOR);
        for (int i = 0; i < CONSTANT.length; i++) {
            put(CONSTANTS + 4 * i, CONSTANT[i]);
        }
        for (int i = 0; i < VECTOR; i += 4) {
            put(BIT_OF_BYTE + i, i % 8 == 0 ? 0x08040201 : 0x80402010);
            put(BYTE_OF_BITS + i, i / 8 * 0x01010101);
        }
        code.emit(VPBROADCASTD, NIBBLE_MASK, Memory.at(General.RSP, CONSTANTS));
        code.emit(VPBROADCASTD, SHORT_ONES, Memory.at(General.RSP, CONSTANTS + 4 * (CONSTANT.length - 1)));
    }

    private void put(int offset, int bits) {
        code.mov(General.RAX, bits);
        code.movd(Memory.at(General.RSP, offset), General.RAX);
    }

    private void leave() {
        code.mov(General.RSP, General.RBP);
        code.pop(General.RBP);
        code.vzeroupper();
        code.ret();
    }
}
