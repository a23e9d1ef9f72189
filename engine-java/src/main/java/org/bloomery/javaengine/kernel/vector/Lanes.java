package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.B2I;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.S2I;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.bloomery.javaengine.quant.QuantType;

/**
 * How wide vectors are, in one place: what the processor prefers, 128 to 512 bits, unless the system property
 * {@value #BITS} forces a width. Everything that depends on the width is a constant to the compiler.
 */
final class Lanes {

    static final String BITS = "bloomery.vector.bits";

    static final VectorSpecies<Float> FLOATS = VectorSpecies.of(float.class, shape());
    static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);

    /** Lanes of a vector: 4, 8 or 16. */
    static final int COUNT = FLOATS.length();

    /** As many lanes as {@link #FLOATS}, but for four floats, since no vector is 32 bits wide. */
    private static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, COUNT * Byte.SIZE)));

    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(COUNT * Short.SIZE));

    private Lanes() {}

    private static VectorShape shape() {
        int preferred = Math.clamp(VectorShape.preferredShape().vectorBitSize(), 128, 512);
        int bits = Integer.getInteger(BITS, preferred);
        if (bits != 128 && bits != 256 && bits != 512) {
            throw new IllegalArgumentException("System property " + BITS + " is " + bits + "; choose 128, 256 or 512");
        }
        return VectorShape.forBitSize(bits);
    }

    /** The next {@link #COUNT} bytes as signed integers. */
    static IntVector bytes(MemorySegment source, long offset) {
        if (COUNT == 4) {
            IntVector all = IntVector.broadcast(INTS, source.get(QuantType.INT, offset));
            return all.lanewise(
                            LSHL,
                            IntVector.broadcast(INTS, 24)
                                    .sub(IntVector.zero(INTS).addIndex(8)))
                    .lanewise(ASHR, 24);
        }
        return (IntVector) ByteVector.fromMemorySegment(BYTES, source, offset, ByteOrder.LITTLE_ENDIAN)
                .convertShape(B2I, INTS, 0);
    }

    /** The next {@link #COUNT} 16-bit numbers as signed integers. */
    static IntVector shorts(MemorySegment source, long offset) {
        return (IntVector) ShortVector.fromMemorySegment(SHORTS, source, offset, ByteOrder.LITTLE_ENDIAN)
                .convertShape(S2I, INTS, 0);
    }

    static FloatVector toFloats(IntVector integers) {
        return (FloatVector) integers.convertShape(I2F, FLOATS, 0);
    }

    /** The next {@link #COUNT} floats. */
    static FloatVector floats(MemorySegment source, long offset) {
        return FloatVector.fromMemorySegment(FLOATS, source, offset, ByteOrder.LITTLE_ENDIAN);
    }

    /** The next {@link #COUNT} floats. */
    static FloatVector floats(float[] source, int offset) {
        return FloatVector.fromArray(FLOATS, source, offset);
    }

    /**
     * The values of half floats whose bits lie in the lower half of each lane. Exponent and fraction move to their place
     * in a float, and a multiplication corrects the exponent's bias, which also makes subnormal halves right; what comes
     * out as 2^16 or more was an infinity or NaN, whose exponent is all ones.
     */
    static FloatVector halves(IntVector bits) {
        IntVector magnitude = bits.and(0x7FFF).lanewise(LSHL, 13);
        IntVector value = magnitude.reinterpretAsFloats().mul(0x1p112f).reinterpretAsInts();
        IntVector special = value.lanewise(
                jdk.incubator.vector.VectorOperators.OR,
                0x7F800000,
                magnitude.compare(jdk.incubator.vector.VectorOperators.GE, 0x7C00 << 13));
        IntVector sign = bits.and(0x8000).lanewise(LSHL, 16);
        return special.or(sign).reinterpretAsFloats();
    }
}
