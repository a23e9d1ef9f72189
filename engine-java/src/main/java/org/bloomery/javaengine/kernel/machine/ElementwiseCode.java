package org.bloomery.javaengine.kernel.machine;

import static org.bloomery.javaengine.kernel.machine.Instruction.*;

import java.util.List;
import org.bloomery.javaengine.kernel.Exponential;
import org.bloomery.javaengine.kernel.machine.Assembler.Condition;
import org.bloomery.javaengine.kernel.machine.Assembler.Label;
import org.bloomery.javaengine.kernel.machine.Register.General;
import org.bloomery.javaengine.kernel.machine.Register.Mask;
import org.bloomery.javaengine.kernel.machine.Register.Vector;

/**
 * Loops over whole vectors of floats. All take the arguments {@code (x, other, constants, vectors, number)}, the constants
 * being {@link #CONSTANTS}, each repeated in {@value #VECTOR} bytes, and give back a float.
 */
final class ElementwiseCode {

    /** Bytes that each constant fills: the widest register, so that it is an operand at any width. */
    static final int VECTOR = 64;

    /** Where 2^n has the exponent 0, which makes the product 0; {@link Exponential#LEAST} lies above. */
    private static final float NOTHING = -88;

    private static final int LEAST = 0;
    private static final int MOST = 1;
    private static final int LOG2_E = 2;
    private static final int ROUND = 3;
    private static final int MINUS_ROUND = 4;
    private static final int MINUS_LN2_HIGH = 5;
    private static final int MINUS_LN2_LOW = 6;
    private static final int C7 = 7;
    private static final int C2 = 12;
    private static final int ONE = 13;
    private static final int MINUS_ONE = 14;
    private static final int EXPONENT_BIAS = 15;

    /** Bits of the constants, in the order of their numbers. */
    static final List<Integer> CONSTANTS = List.of(
            Float.floatToRawIntBits(NOTHING),
            Float.floatToRawIntBits(Exponential.MOST),
            Float.floatToRawIntBits(Exponential.LOG2_E),
            Float.floatToRawIntBits(Exponential.ROUND),
            Float.floatToRawIntBits(-Exponential.ROUND),
            Float.floatToRawIntBits(-Exponential.LN2_HIGH),
            Float.floatToRawIntBits(-Exponential.LN2_LOW),
            Float.floatToRawIntBits(Exponential.C7),
            Float.floatToRawIntBits(Exponential.C6),
            Float.floatToRawIntBits(Exponential.C5),
            Float.floatToRawIntBits(Exponential.C4),
            Float.floatToRawIntBits(Exponential.C3),
            Float.floatToRawIntBits(Exponential.C2),
            Float.floatToRawIntBits(1),
            Float.floatToRawIntBits(-1),
            Exponential.ROUND_BITS - 127);

    private static final General X = General.RDI;
    private static final General OTHER = General.RSI;
    private static final General CONSTANT = General.RDX;
    private static final General LEFT = General.RCX;

    /** The predicate of {@code vcmpps} that holds where an operand is no number. */
    private static final int UNORDERED = 3;

    private final int bits;
    private final Assembler code = new Assembler();

    private ElementwiseCode(int bits) {
        this.bits = bits;
    }

    /** {@code x = silu(x) * other} */
    static byte[] swiglu(int bits) {
        ElementwiseCode made = new ElementwiseCode(bits);
        Assembler code = made.code;
        Vector x = made.register(0);
        Vector power = made.register(1);
        Label next = new Label();
        code.place(next);
        code.emit(VMOVUPS, x, Memory.at(X, 0));
        code.emit(VMULPS, power, x, constant(MINUS_ONE));
        made.exponential(power, 2);
        code.emit(VADDPS, power, power, constant(ONE));
        code.emit(VDIVPS, x, x, power);
        code.emit(VMULPS, x, x, Memory.at(OTHER, 0));
        code.emit(VMOVUPS_STORE, Memory.at(X, 0), Mask.NONE, x);
        code.add(OTHER, bits / Byte.SIZE);
        made.next(next);
        return made.end();
    }

    /** {@code x = exp(x - number)}, and their sum. */
    static byte[] exponentials(int bits) {
        ElementwiseCode made = new ElementwiseCode(bits);
        Assembler code = made.code;
        Vector sum = made.register(0);
        Vector subtrahend = made.register(1);
        Vector x = made.register(2);
        Label next = new Label();
        code.emit(VBROADCASTSS, subtrahend, xmm(0));
        code.emit(VMULPS, subtrahend, subtrahend, constant(MINUS_ONE));
        code.emit(VPXOR, xmm(0), xmm(0), xmm(0));
        code.place(next);
        code.emit(VADDPS, x, subtrahend, Memory.at(X, 0));
        made.exponential(x, 3);
        code.emit(VMOVUPS_STORE, Memory.at(X, 0), Mask.NONE, x);
        code.emit(VADDPS, sum, sum, x);
        made.next(next);
        if (bits == 512) {
            code.extract(VEXTRACTI64X4, ymm(1), sum, 1);
            code.emit(VADDPS, ymm(0), ymm(0), ymm(1));
        }
        code.extract(VEXTRACTI128, xmm(1), ymm(0), 1);
        code.emit(VADDPS, xmm(0), xmm(0), xmm(1));
        code.emit(VHADDPS, xmm(0), xmm(0), xmm(0));
        code.emit(VHADDPS, xmm(0), xmm(0), xmm(0));
        return made.end();
    }

    /** The greatest of x, or a NaN where one is; in registers of 256 bits. */
    static byte[] greatest() {
        ElementwiseCode made = new ElementwiseCode(256);
        Assembler code = made.code;
        Vector most = ymm(0);
        Vector strange = ymm(1);
        Vector x = ymm(2);
        Label next = new Label();
        code.emit(VMOVUPS, most, Memory.at(X, 0));
        code.emit(VPXOR, strange, strange, strange);
        code.place(next);
        code.emit(VMOVUPS, x, Memory.at(X, 0));
        code.emit(VMAXPS, most, most, x);
        code.emit(VCMPPS, x, x, x, UNORDERED);
        code.emit(VPOR, strange, strange, x);
        made.next(next);
        code.extract(VEXTRACTI128, xmm(2), most, 1);
        code.emit(VMAXPS, xmm(0), xmm(0), xmm(2));
        code.extract(VEXTRACTI128, xmm(2), strange, 1);
        code.emit(VPOR, xmm(1), xmm(1), xmm(2));
        for (int shuffle : new int[] {0x4E, 0xB1}) {
            code.emit(VPSHUFD, xmm(2), xmm(0), shuffle);
            code.emit(VMAXPS, xmm(0), xmm(0), xmm(2));
            code.emit(VPSHUFD, xmm(2), xmm(1), shuffle);
            code.emit(VPOR, xmm(1), xmm(1), xmm(2));
        }
        // all bits set are a NaN
        code.emit(VPOR, xmm(0), xmm(0), xmm(1));
        return made.end();
    }

    /** {@code x = exp(x)} as {@link Exponential} tells, but finite above its most; overwrites four registers. */
    private void exponential(Vector x, int spare) {
        Vector shifted = register(spare);
        Vector whole = register(spare + 1);
        Vector p = register(spare + 2);
        Vector q = register(spare + 3);
        // Of two operands the second is given back where one is no number.
        code.emit(VMOVUPS, p, constant(LEAST));
        code.emit(VMAXPS, x, p, x);
        code.emit(VMOVUPS, p, constant(MOST));
        code.emit(VMINPS, x, p, x);
        code.emit(VMOVUPS, shifted, constant(ROUND));
        code.emit(VFMADD231PS, shifted, x, constant(LOG2_E));
        code.emit(VADDPS, whole, shifted, constant(MINUS_ROUND));
        code.emit(VFMADD231PS, x, whole, constant(MINUS_LN2_HIGH));
        code.emit(VFMADD231PS, x, whole, constant(MINUS_LN2_LOW));
        code.emit(VMOVUPS, p, constant(C7));
        for (int c = C7 + 1; c <= C2; c++) {
            code.emit(VMOVUPS, q, constant(c));
            code.emit(VFMADD231PS, q, p, x);
            Vector made = q;
            q = p;
            p = made;
        }
        code.emit(VMULPS, p, p, x);
        code.emit(VADDPS, q, x, constant(ONE));
        code.emit(VFMADD231PS, q, p, x);
        code.emit(VPSUBD, shifted, shifted, constant(EXPONENT_BIAS));
        code.emit(VPSLLD, shifted, shifted, 23);
        code.emit(VMULPS, x, q, shifted);
    }

    private static Memory constant(int number) {
        return Memory.at(CONSTANT, number * VECTOR);
    }

    private Vector register(int number) {
        return new Vector(number, bits);
    }

    private static Vector ymm(int number) {
        return new Vector(number, 256);
    }

    private static Vector xmm(int number) {
        return new Vector(number, 128);
    }

    private void next(Label loop) {
        code.add(X, bits / Byte.SIZE);
        code.sub(LEFT, 1);
        code.jump(Condition.NOT_ZERO, loop);
    }

    private byte[] end() {
        code.vzeroupper();
        code.ret();
        return code.toBytes();
    }
}
