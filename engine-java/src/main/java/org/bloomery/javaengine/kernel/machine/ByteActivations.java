package org.bloomery.javaengine.kernel.machine;

import static org.bloomery.javaengine.kernel.machine.Instruction.*;

import java.lang.foreign.MemorySegment;
import org.bloomery.javaengine.kernel.Activations;
import org.bloomery.javaengine.kernel.Int8Rounding;
import org.bloomery.javaengine.kernel.machine.Register.General;
import org.bloomery.javaengine.kernel.machine.Register.Mask;
import org.bloomery.javaengine.kernel.machine.Register.Vector;

/**
 * Activations as the integer kernels read them, rounded as {@link Int8Rounding} says. A group of
 * tokens has for each block of 32 columns one record: the codes of all its tokens, 32 bytes each, then
 * four arrays of 4 bytes a token: the scale; what sums of all and of the last 16 products start at for weights that stand
 * 128 above their value ({@code -128 Σ codes}); and {@code scale Σ codes} as a float, for weights with a minimum.
 */
final class ByteActivations implements GroupedActivations {

    /** Bytes that one token has in a record. */
    static final int TOKEN_BYTES = BLOCK + 16;

    private final MemorySegment packing;

    /** @param memory for the code that packs */
    ByteActivations(ExecutableMemory memory) {
        packing = memory.load(packing());
    }

    @Override
    public int tokenBytes() {
        return TOKEN_BYTES;
    }

    @Override
    public void pack(Activations x, int part) {
        int columns = x.columns();
        int size = GroupedActivations.groupSize(part, x.tokens());
        MemorySegment values = MemorySegment.ofArray(x.values());
        MemorySegment group = group(x, part);
        for (int token = 0; token < size; token++) {
            long from = x.offset() + (long) (part * GROUP + token) * columns;
            MachineCall.pack(
                    packing,
                    values.asSlice(from * Float.BYTES, (long) columns * Float.BYTES),
                    group.asSlice((long) token * BLOCK),
                    group.asSlice((long) size * BLOCK + (long) token * Integer.BYTES),
                    (long) size * Integer.BYTES,
                    (long) size * TOKEN_BYTES,
                    columns / BLOCK);
        }
    }

    @Override
    public void round(float[] x, int offset, int columns, float[] out, int outOffset) {
        Int8Rounding.round(x, offset, columns, out, outOffset);
    }

    private static Vector ymm(int number) {
        return new Vector(number, 256);
    }

    private static Vector xmm(int number) {
        return new Vector(number, 128);
    }

    /**
     * The code that packs one token: {@code void (float[] x, record of block 0 from the token's codes on, its scale,
     * bytes from one array of the record to the next, bytes of a record, blocks)}. AVX2 suffices.
     */
    static byte[] packing() {
        General x = General.RDI;
        General codes = General.RSI;
        General numbers = General.RDX;
        General arrayStride = General.RCX;
        General recordStride = General.R8;
        General blocks = General.R9;
        General amax = General.RAX;
        General twoArrays = General.R10;
        General threeArrays = General.R11;
        Vector magnitudeBits = ymm(15);
        Vector most = ymm(14);
        Vector reciprocal = ymm(13);
        Vector byteOnes = ymm(12);
        Vector shortOnes = ymm(11);
        Vector zero = ymm(10);
        Vector inverse = ymm(5);
        Vector scale = ymm(6);

        Assembler code = new Assembler();
        constant(code, magnitudeBits, 0x7FFFFFFF);
        constant(code, most, Float.floatToRawIntBits(Int8Rounding.MOST));
        constant(code, reciprocal, Float.floatToRawIntBits(Int8Rounding.RECIPROCAL));
        constant(code, byteOnes, 0x01010101);
        constant(code, shortOnes, 0x00010001);
        code.emit(VPXOR, zero, zero, zero);
        code.lea(twoArrays, Memory.at(arrayStride, arrayStride, 1, 0));
        code.lea(threeArrays, Memory.at(arrayStride, arrayStride, 2, 0));

        Assembler.Label loop = new Assembler.Label();
        Assembler.Label nothing = new Assembler.Label();
        Assembler.Label notFinite = new Assembler.Label();
        Assembler.Label round = new Assembler.Label();
        code.place(loop);

        // four columns of the first 16 and four of the last in each register, so that packing leaves them in order
        for (int i = 0; i < 4; i++) {
            code.emit(VMOVUPS, xmm(i), Memory.at(x, 16 * i));
            code.emit(VINSERTI128, ymm(i), ymm(i), Memory.at(x, 64 + 16 * i), 1);
        }

        // the largest magnitude, by bits: a NaN is above all
        for (int i = 0; i < 4; i++) {
            code.emit(VPAND, ymm(4 + i), ymm(i), magnitudeBits);
        }
        code.emit(VPMAXUD, ymm(4), ymm(4), ymm(5));
        code.emit(VPMAXUD, ymm(6), ymm(6), ymm(7));
        code.emit(VPMAXUD, ymm(4), ymm(4), ymm(6));
        code.extract(VEXTRACTI128, xmm(5), ymm(4), 1);
        code.emit(VPMAXUD, xmm(4), xmm(4), xmm(5));
        code.emit(VPSHUFD, xmm(5), xmm(4), 0x4E);
        code.emit(VPMAXUD, xmm(4), xmm(4), xmm(5));
        code.emit(VPSHUFD, xmm(5), xmm(4), 0xB1);
        code.emit(VPMAXUD, xmm(4), xmm(4), xmm(5));
        code.moveToGeneral(amax, xmm(4));
        code.cmp(amax, Float.floatToRawIntBits(Int8Rounding.LEAST));
        code.jump(Assembler.Condition.LESS, nothing);
        code.cmp(amax, Float.floatToRawIntBits(Float.POSITIVE_INFINITY) - 1);
        code.jump(Assembler.Condition.GREATER, notFinite);
        code.emit(VDIVPS, xmm(5), most.as(128), xmm(4));
        code.emit(VMULPS, xmm(6), xmm(4), reciprocal.as(128));
        code.emit(VBROADCASTSS, inverse, xmm(5));
        code.place(round);

        // codes
        for (int i = 0; i < 4; i++) {
            code.emit(VMULPS, ymm(i), ymm(i), inverse);
            code.emit(VCVTPS2DQ, ymm(i), ymm(i));
        }
        code.emit(VPACKSSDW, ymm(0), ymm(0), ymm(1));
        code.emit(VPACKSSDW, ymm(2), ymm(2), ymm(3));
        code.emit(VPACKSSWB, ymm(0), ymm(0), ymm(2));
        code.emit(VMOVUPS_STORE, Memory.at(codes, 0), Mask.NONE, ymm(0));

        // their sums
        code.emit(VPMADDUBSW, ymm(1), byteOnes, ymm(0));
        code.emit(VPMADDWD, ymm(1), ymm(1), shortOnes);
        code.emit(VPHADDD, ymm(1), ymm(1), ymm(1));
        code.emit(VPHADDD, ymm(1), ymm(1), ymm(1));
        code.extract(VEXTRACTI128, xmm(2), ymm(1), 1);
        code.emit(VPADDD, xmm(3), xmm(1), xmm(2));
        code.emit(VCVTDQ2PS, xmm(3), xmm(3));
        code.emit(VMULPS, xmm(3), xmm(3), scale.as(128));
        store(code, Memory.at(numbers, 0), scale.as(128));
        code.emit(VPADDD, xmm(1), xmm(1), xmm(2));
        for (int half = 0; half < 2; half++) {
            Vector sum = xmm(1 + half);
            code.emit(VPSLLD, sum, sum, 7);
            code.emit(VPSUBD, sum, zero.as(128), sum);
            store(code, Memory.at(numbers, half == 0 ? arrayStride : twoArrays, 1, 0), sum);
        }
        store(code, Memory.at(numbers, threeArrays, 1, 0), xmm(3));

        code.add(x, BLOCK * Float.BYTES);
        code.add(codes, recordStride);
        code.add(numbers, recordStride);
        code.sub(blocks, 1);
        code.jump(Assembler.Condition.NOT_ZERO, loop);
        code.vzeroupper();
        code.ret();

        code.place(nothing);
        code.emit(VPXOR, inverse, inverse, inverse);
        code.emit(VPXOR, scale, scale, scale);
        code.jmp(round);

        code.place(notFinite);
        code.emit(VPXOR, inverse, inverse, inverse);
        constant(code, scale, Float.floatToRawIntBits(Float.NaN));
        code.jmp(round);
        return code.toBytes();
    }

    private static void constant(Assembler code, Vector register, int bits) {
        code.mov(General.RAX, bits);
        code.moveToVector(register.as(128), General.RAX);
        code.emit(VPBROADCASTD, register, register.as(128));
    }

    private static void store(Assembler code, Memory target, Vector source) {
        code.moveToGeneral(General.RAX, source);
        code.movd(target, General.RAX);
    }
}
