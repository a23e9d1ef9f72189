package org.bloomery.javaengine.kernel.vector;

import java.lang.foreign.MemorySegment;
import org.bloomery.javaengine.quant.QuantType;

/** Reads {@link org.bloomery.javaengine.quant.F32}. */
final class F32Rows implements VectorRows {

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        MemorySegment.copy(source, QuantType.FLOAT, offset, out, outOffset, count);
    }
}
