package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.LSHL;

import java.lang.foreign.MemorySegment;
import org.bloomery.javaengine.quant.BF16;

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
}
