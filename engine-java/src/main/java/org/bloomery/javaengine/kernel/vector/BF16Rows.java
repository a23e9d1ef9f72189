package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.LSHL;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import org.bloomery.javaengine.quant.BF16;
import org.bloomery.javaengine.quant.QuantType;

/** Reads {@link org.bloomery.javaengine.quant.BF16}. */
final class BF16Rows implements VectorRows {

    private final BF16 scalar = new BF16();

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        int i = 0;
        for (; i <= count - Lanes.COUNT; i += Lanes.COUNT) {
            Lanes.shorts(source, offset + 2L * i)
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats()
                    .intoArray(out, outOffset + i);
        }
        scalar.dequantize(source, offset + 2L * i, count - i, out, outOffset + i);
    }

    @Override
    public float dot(MemorySegment source, long offset, int columns, float[] x, int xOffset) {
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        int i = 0;
        for (; i <= columns - Lanes.COUNT; i += Lanes.COUNT) {
            FloatVector weights =
                    Lanes.shorts(source, offset + 2L * i).lanewise(LSHL, 16).reinterpretAsFloats();
            sum = weights.fma(Lanes.floats(x, xOffset + i), sum);
        }
        float total = sum.reduceLanes(ADD);
        for (; i < columns; i++) {
            total += Float.intBitsToFloat(source.get(QuantType.SHORT, offset + 2L * i) << 16) * x[xOffset + i];
        }
        return total;
    }
}
