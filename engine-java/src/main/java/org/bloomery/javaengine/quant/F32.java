package org.bloomery.javaengine.quant;

import java.lang.foreign.MemorySegment;
import org.bloomery.engine.format.TensorType;

/** Plain 32-bit floats. */
public final class F32 implements QuantType {

    @Override
    public TensorType type() {
        return TensorType.F32;
    }

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        MemorySegment.copy(source, FLOAT, offset, out, outOffset, count);
    }

    @Override
    public void quantize(float[] source, int sourceOffset, int count, MemorySegment target, long offset) {
        MemorySegment.copy(source, sourceOffset, target, FLOAT, offset, count);
    }
}
