package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ADD;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import org.bloomery.javaengine.quant.QuantType;

/** Reads {@link org.bloomery.javaengine.quant.F32}. */
final class F32Rows implements VectorRows {

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        MemorySegment.copy(source, QuantType.FLOAT, offset, out, outOffset, count);
    }

    @Override
    public float dot(MemorySegment source, long offset, int columns, float[] x, int xOffset) {
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        int i = 0;
        for (; i <= columns - Lanes.COUNT; i += Lanes.COUNT) {
            sum = Lanes.floats(source, offset + 4L * i).fma(Lanes.floats(x, xOffset + i), sum);
        }
        float total = sum.reduceLanes(ADD);
        for (; i < columns; i++) {
            total += source.get(QuantType.FLOAT, offset + 4L * i) * x[xOffset + i];
        }
        return total;
    }
}
