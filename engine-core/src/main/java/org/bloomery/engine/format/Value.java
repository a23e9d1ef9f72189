package org.bloomery.engine.format;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.List;
import java.util.RandomAccess;

/**
 * One value of a GGUF file, kept as the bytes the file holds and decoded where it is read: half a million merges cost
 * little more than their bytes, and opening a file allocates no more than it reads.
 */
sealed interface Value {

    /** What the value is, for messages: {@code uint32}, {@code array of string}. */
    String kind();

    /** The value as {@link Metadata#value} gives it. */
    Object decoded();

    /** A number or boolean in its little-endian bytes. */
    record Scalar(ValueType type, byte[] bytes) implements Value {

        @Override
        public String kind() {
            return type.toString();
        }

        @Override
        public Object decoded() {
            return number(type, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN), 0);
        }
    }

    /** A string. Bytes that are no UTF-8 are read as U+FFFD. */
    record Text(byte[] utf8) implements Value {

        @Override
        public String kind() {
            return ValueType.STRING.toString();
        }

        @Override
        public String decoded() {
            return new String(utf8, StandardCharsets.UTF_8);
        }
    }

    /** Numbers or booleans in their little-endian bytes, one after the other. */
    record Numbers(ValueType type, byte[] bytes) implements Value {

        int count() {
            return bytes.length / type.byteSize();
        }

        ByteBuffer buffer() {
            return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        }

        @Override
        public String kind() {
            return "array of " + type;
        }

        @Override
        public List<Object> decoded() {
            return new NumberList(this);
        }
    }

    /**
     * Strings as they lie in the file, each after its length of eight bytes.
     *
     * @param starts where the text of each string begins in {@code bytes}; one more entry tells where the next would
     */
    record Strings(byte[] bytes, int[] starts) implements Value {

        @Override
        public String kind() {
            return "array of " + ValueType.STRING;
        }

        @Override
        public List<String> decoded() {
            return new StringList(this);
        }
    }

    /** Decodes the number or boolean of this type at {@code index} bytes. */
    private static Object number(ValueType type, ByteBuffer bytes, int index) {
        return switch (type) {
            case UINT8 -> (long) (bytes.get(index) & 0xFF);
            case INT8 -> (long) bytes.get(index);
            case UINT16 -> (long) (bytes.getShort(index) & 0xFFFF);
            case INT16 -> (long) bytes.getShort(index);
            case UINT32 -> bytes.getInt(index) & 0xFFFF_FFFFL;
            case INT32 -> (long) bytes.getInt(index);
            case INT64 -> bytes.getLong(index);
            case UINT64 -> {
                long bits = bytes.getLong(index);
                // The conditional operator would unbox both branches
                if (bits >= 0) {
                    yield bits;
                }
                yield new BigInteger(Long.toUnsignedString(bits));
            }
            case FLOAT32 -> (double) bytes.getFloat(index);
            case FLOAT64 -> bytes.getDouble(index);
            case BOOL -> bytes.get(index) != 0;
            case STRING, ARRAY -> throw new IllegalArgumentException(type + " is no number");
        };
    }

    /** Read-only view of {@link Numbers}. */
    final class NumberList extends AbstractList<Object> implements RandomAccess {

        private final ValueType type;
        private final ByteBuffer bytes;
        private final int size;

        private NumberList(Numbers numbers) {
            this.type = numbers.type;
            this.bytes = numbers.buffer();
            this.size = numbers.count();
        }

        @Override
        public Object get(int index) {
            return number(type, bytes, index * type.byteSize());
        }

        @Override
        public int size() {
            return size;
        }
    }

    /** Read-only view of {@link Strings}. */
    final class StringList extends AbstractList<String> implements RandomAccess {

        private final byte[] bytes;
        private final int[] starts;

        private StringList(Strings strings) {
            this.bytes = strings.bytes;
            this.starts = strings.starts;
        }

        @Override
        public String get(int index) {
            int start = starts[index];
            return new String(bytes, start, starts[index + 1] - Long.BYTES - start, StandardCharsets.UTF_8);
        }

        @Override
        public int size() {
            return starts.length - 1;
        }
    }
}
