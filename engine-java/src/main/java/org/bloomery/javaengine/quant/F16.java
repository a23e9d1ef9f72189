package org.bloomery.javaengine.quant;

import java.lang.foreign.MemorySegment;
import org.bloomery.engine.format.TensorType;

/** IEEE half floats; what is out of their range becomes an infinity. */
public final class F16 implements QuantType {

    @Override
    public TensorType type() {
        return TensorType.F16;
    }

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        for (int i = 0; i < count; i++) {
            out[outOffset + i] = QuantType.half(source, offset + 2L * i);
        }
    }

    @Override
    public void quantize(float[] source, int sourceOffset, int count, MemorySegment target, long offset) {
        for (int i = 0; i < count; i++) {
            target.set(SHORT, offset + 2L * i, Float.floatToFloat16(source[sourceOffset + i]));
        }
    }
}
