package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ADD;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import org.bloomery.javaengine.quant.F16;
import org.bloomery.javaengine.quant.QuantType;

/** Reads {@link org.bloomery.javaengine.quant.F16}. */
final class F16Rows implements VectorRows {

    private final F16 scalar = new F16();

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        int i = 0;
        for (; i <= count - Lanes.COUNT; i += Lanes.COUNT) {
            Lanes.halves(Lanes.shorts(source, offset + 2L * i)).intoArray(out, outOffset + i);
        }
        scalar.dequantize(source, offset + 2L * i, count - i, out, outOffset + i);
    }

    @Override
    public float dot(MemorySegment source, long offset, int columns, float[] x, int xOffset) {
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        int i = 0;
        for (; i <= columns - Lanes.COUNT; i += Lanes.COUNT) {
            FloatVector weights = Lanes.halves(Lanes.shorts(source, offset + 2L * i));
            sum = weights.fma(Lanes.floats(x, xOffset + i), sum);
        }
        float total = sum.reduceLanes(ADD);
        for (; i < columns; i++) {
            total += QuantType.half(source, offset + 2L * i) * x[xOffset + i];
        }
        return total;
    }
}
