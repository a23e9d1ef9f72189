package org.bloomery.javaengine.kernel.vector;

import java.lang.foreign.MemorySegment;
import org.bloomery.javaengine.quant.F16;

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
}
