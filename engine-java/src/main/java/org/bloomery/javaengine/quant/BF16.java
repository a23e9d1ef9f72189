package org.bloomery.javaengine.quant;

import java.lang.foreign.MemorySegment;
import org.bloomery.engine.format.TensorType;

/** Brain floats: the upper half of a 32-bit float. */
public final class BF16 implements QuantType {

    @Override
    public TensorType type() {
        return TensorType.BF16;
    }

    @Override
    public void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset) {
        for (int i = 0; i < count; i++) {
            out[outOffset + i] = Float.intBitsToFloat(source.get(SHORT, offset + 2L * i) << 16);
        }
    }

    @Override
    public void quantize(float[] source, int sourceOffset, int count, MemorySegment target, long offset) {
        for (int i = 0; i < count; i++) {
            int bits = Float.floatToRawIntBits(source[sourceOffset + i]);
            // To nearest, ties to even; a NaN keeps its upper half, made quiet so that it stays one.
            int rounded = Float.isNaN(source[sourceOffset + i]) ? bits | 0x40_0000 : bits + 0x7FFF + (bits >>> 16 & 1);
            target.set(SHORT, offset + 2L * i, (short) (rounded >>> 16));
        }
    }
}
