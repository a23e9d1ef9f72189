package org.bloomery.cli;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.format.TensorType;

/**
 * Random blocks of a type, spread around zero so that a product keeps its input's variance: every value lies within
 * ±√(3 / columns).
 */
final class SyntheticWeights {

    private static final List<TensorType> SUPPORTED = List.of(
            TensorType.F32,
            TensorType.F16,
            TensorType.BF16,
            TensorType.Q8_0,
            TensorType.Q4_0,
            TensorType.Q4_1,
            TensorType.Q5_0,
            TensorType.Q5_1,
            TensorType.Q4_K,
            TensorType.Q5_K,
            TensorType.Q6_K);

    /** The names of the types, for help texts. */
    static final class Types implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return SUPPORTED.stream().map(TensorType::name).iterator();
        }
    }

    private final TensorType type;
    private final SplittableRandom random;

    private SyntheticWeights(TensorType type, long seed) {
        this.type = type;
        this.random = new SplittableRandom(seed);
    }

    /** @throws InvalidOptionException if there is no such type here */
    static SyntheticWeights ofType(String name, long seed) {
        for (TensorType type : SUPPORTED) {
            if (type.name().equalsIgnoreCase(name)) {
                return new SyntheticWeights(type, seed);
            }
        }
        throw new InvalidOptionException(
                "Option '--type' is '" + name + "'; it must be one of " + String.join(", ", new Types()) + ".");
    }

    /** The type of a matrix whose rows have so many columns; as llama-quantize falls back where rows are no multiple. */
    TensorType matrixType(long columns) {
        return fallback(type, columns);
    }

    /** The type of the embedding and of the output matrix. */
    TensorType embeddingType(long columns) {
        boolean mixed = type == TensorType.Q4_0 || type == TensorType.Q4_K;
        return fallback(mixed ? TensorType.Q6_K : type, columns);
    }

    private static TensorType fallback(TensorType wanted, long columns) {
        if (columns % wanted.blockSize() == 0) {
            return wanted;
        }
        TensorType smaller = switch (wanted) {
            case Q4_K -> TensorType.Q5_0;
            case Q5_K -> TensorType.Q5_1;
            case Q6_K -> TensorType.Q8_0;
            default -> TensorType.F16;
        };
        return fallback(smaller, columns);
    }

    /** Fills the buffer's remaining bytes, a multiple of the type's block. */
    void fill(ByteBuffer buffer, TensorType of, long columns) {
        buffer.order(ByteOrder.LITTLE_ENDIAN);
        float bound = (float) Math.sqrt(3.0 / columns);
        while (buffer.hasRemaining()) {
            switch (of) {
                case F32 -> buffer.putFloat(uniform(bound));
                case F16 -> buffer.putShort(Float.floatToFloat16(uniform(bound)));
                case BF16 -> buffer.putShort((short) (Float.floatToRawIntBits(uniform(bound)) >>> 16));
                case Q8_0 -> half(buffer, bound / 128).put(bytes(32));
                case Q4_0 -> half(buffer, bound / 8).put(bytes(16));
                case Q4_1 -> half(half(buffer, 2 * bound / 15), -bound).put(bytes(16));
                case Q5_0 -> half(buffer, bound / 16).put(bytes(20));
                case Q5_1 -> half(half(buffer, 2 * bound / 31), -bound).put(bytes(20));
                // Scale and minimum of a sub-block are independent, 0 to 63 each: 7.5 and 15.5 centre the values.
                case Q4_K -> half(half(buffer, bound / 63 / 7.5f), bound / 63).put(bytes(140));
                case Q5_K -> half(half(buffer, bound / 63 / 15.5f), bound / 63).put(bytes(172));
                case Q6_K -> half(buffer.put(bytes(208)), bound / 128 / 32);
                default -> throw new IllegalArgumentException("No random blocks of " + of);
            }
        }
    }

    private float uniform(float bound) {
        return (random.nextFloat() * 2 - 1) * bound;
    }

    private static ByteBuffer half(ByteBuffer buffer, float value) {
        return buffer.putShort(Float.floatToFloat16(value));
    }

    private byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Random floats as they lie in a file. */
    byte[] floats(int count, long columns) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * count);
        fill(buffer, TensorType.F32, columns);
        return buffer.array();
    }

    /** Floats as they lie in a file. */
    static byte[] floats(float[] values) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            buffer.putFloat(value);
        }
        return buffer.array();
    }
}
