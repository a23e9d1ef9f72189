package org.bloomery.javaengine.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.bloomery.engine.format.TensorType;

/** One element type of weights: its layout, and scalar code that turns blocks into floats and floats into blocks. */
public interface QuantType {

    /** Little-endian, at any address. */
    ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Little-endian, at any address. */
    ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Little-endian, at any address. */
    ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Little-endian, at any address. */
    ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** The type's name, id and block size in a file. */
    TensorType type();

    /**
     * Writes the float values of {@code count} consecutive elements to {@code out}. This is the truth: each value is
     * exactly ggml's, rounded at the same places.
     *
     * @param offset bytes to the first block
     * @param count elements, a multiple of the block size
     */
    void dequantize(MemorySegment source, long offset, int count, float[] out, int outOffset);

    /**
     * Writes {@code count} finite floats as blocks, choosing scales that keep the error small, though not always ggml's
     * own choice.
     *
     * @param count elements, a multiple of the block size
     * @param offset bytes to the first block in {@code target}
     */
    void quantize(float[] source, int sourceOffset, int count, MemorySegment target, long offset);

    /** Reads a half float. */
    static float half(MemorySegment source, long offset) {
        return Float.float16ToFloat(source.get(SHORT, offset));
    }

    /** Writes a half float and gives back the value that was kept. */
    static float putHalf(MemorySegment target, long offset, float value) {
        short half = Float.floatToFloat16(value);
        target.set(SHORT, offset, half);
        return Float.float16ToFloat(half);
    }

    /** Reads a byte as 0 to 255. */
    static int unsigned(MemorySegment source, long offset) {
        return source.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
    }
}
