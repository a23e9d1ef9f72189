package org.bloomery.engine.format;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Collects keys and tensors and writes them as a GGUF file. Keys and tensors appear in the file in the order in which
 * they were added; tensor data is asked for while the file is written. Not safe for use by several threads.
 */
public final class GgufWriter {

    private static final int CHUNK = 1 << 20;

    private record Tensor(String name, TensorType type, List<Long> shape, long byteSize, TensorSource source) {}

    private final Map<String, Value> values = new LinkedHashMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private int version = 3;
    private int alignment = GgufHeader.DEFAULT_ALIGNMENT;

    /** @param version of the format, 2 or 3; 3 unless set */
    public GgufWriter version(int version) {
        require(version == 2 || version == 3, "GGUF version " + version + " is not written; expected 2 or 3");
        this.version = version;
        return this;
    }

    /**
     * Sets and writes {@code general.alignment}; without it the data is aligned to 32 bytes.
     *
     * @param alignment a power of two of 8 to 1,048,576
     */
    public GgufWriter alignment(int alignment) {
        require(
                Integer.bitCount(alignment) == 1
                        && alignment >= GgufHeader.SMALLEST_ALIGNMENT
                        && alignment <= GgufHeader.LARGEST_ALIGNMENT,
                "Alignment is " + alignment + "; expected a power of two of " + GgufHeader.SMALLEST_ALIGNMENT + " to "
                        + GgufHeader.LARGEST_ALIGNMENT);
        this.alignment = alignment;
        return put(GgufHeader.ALIGNMENT_KEY, scalar(ValueType.UINT32, alignment));
    }

    public GgufWriter uint8(String key, int value) {
        return put(key, scalar(ValueType.UINT8, inRange(key, value, 0, 0xFF)));
    }

    public GgufWriter int8(String key, int value) {
        return put(key, scalar(ValueType.INT8, inRange(key, value, Byte.MIN_VALUE, Byte.MAX_VALUE)));
    }

    public GgufWriter uint16(String key, int value) {
        return put(key, scalar(ValueType.UINT16, inRange(key, value, 0, 0xFFFF)));
    }

    public GgufWriter int16(String key, int value) {
        return put(key, scalar(ValueType.INT16, inRange(key, value, Short.MIN_VALUE, Short.MAX_VALUE)));
    }

    public GgufWriter uint32(String key, long value) {
        return put(key, scalar(ValueType.UINT32, inRange(key, value, 0, 0xFFFF_FFFFL)));
    }

    public GgufWriter int32(String key, int value) {
        return put(key, scalar(ValueType.INT32, value));
    }

    /** @param value read as unsigned */
    public GgufWriter uint64(String key, long value) {
        return put(key, scalar(ValueType.UINT64, value));
    }

    public GgufWriter int64(String key, long value) {
        return put(key, scalar(ValueType.INT64, value));
    }

    public GgufWriter float32(String key, float value) {
        return put(key, scalar(ValueType.FLOAT32, Float.floatToRawIntBits(value)));
    }

    public GgufWriter float64(String key, double value) {
        return put(key, scalar(ValueType.FLOAT64, Double.doubleToRawLongBits(value)));
    }

    public GgufWriter bool(String key, boolean value) {
        return put(key, scalar(ValueType.BOOL, value ? 1 : 0));
    }

    public GgufWriter string(String key, String value) {
        return put(key, new Value.Text(value.getBytes(StandardCharsets.UTF_8)));
    }

    public GgufWriter uint8s(String key, byte[] values) {
        return put(key, new Value.Numbers(ValueType.UINT8, values.clone()));
    }

    public GgufWriter int8s(String key, byte[] values) {
        return put(key, new Value.Numbers(ValueType.INT8, values.clone()));
    }

    /** @param values read as unsigned */
    public GgufWriter uint16s(String key, short... values) {
        return put(key, shorts(ValueType.UINT16, values));
    }

    public GgufWriter int16s(String key, short... values) {
        return put(key, shorts(ValueType.INT16, values));
    }

    /** @param values read as unsigned */
    public GgufWriter uint32s(String key, int... values) {
        return put(key, ints(ValueType.UINT32, values));
    }

    public GgufWriter int32s(String key, int... values) {
        return put(key, ints(ValueType.INT32, values));
    }

    /** @param values read as unsigned */
    public GgufWriter uint64s(String key, long... values) {
        return put(key, longs(ValueType.UINT64, values));
    }

    public GgufWriter int64s(String key, long... values) {
        return put(key, longs(ValueType.INT64, values));
    }

    public GgufWriter float32s(String key, float... values) {
        byte[] bytes = new byte[values.length * Float.BYTES];
        littleEndian(bytes).asFloatBuffer().put(values);
        return put(key, new Value.Numbers(ValueType.FLOAT32, bytes));
    }

    public GgufWriter float64s(String key, double... values) {
        byte[] bytes = new byte[values.length * Double.BYTES];
        littleEndian(bytes).asDoubleBuffer().put(values);
        return put(key, new Value.Numbers(ValueType.FLOAT64, bytes));
    }

    public GgufWriter bools(String key, boolean... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) (values[i] ? 1 : 0);
        }
        return put(key, new Value.Numbers(ValueType.BOOL, bytes));
    }

    public GgufWriter strings(String key, List<String> values) {
        int[] starts = new int[values.size() + 1];
        long size = 0;
        for (String value : values) {
            size += Long.BYTES + value.getBytes(StandardCharsets.UTF_8).length;
        }
        byte[] bytes = new byte[Math.toIntExact(size)];
        ByteBuffer buffer = littleEndian(bytes);
        for (int i = 0; i < values.size(); i++) {
            byte[] utf8 = values.get(i).getBytes(StandardCharsets.UTF_8);
            buffer.putLong(utf8.length);
            starts[i] = buffer.position();
            buffer.put(utf8);
        }
        starts[values.size()] = Math.toIntExact(size + Long.BYTES);
        return put(key, new Value.Strings(bytes, starts));
    }

    /**
     * Adds the chosen keys of another file with their types, replacing those already there. The alignment is never
     * taken over.
     *
     * @param source metadata of a file that {@link GgufReader} opened
     */
    public GgufWriter copy(Metadata source, Predicate<String> keys) {
        if (!(source instanceof GgufMetadata metadata)) {
            throw new IllegalArgumentException("Only metadata that GgufReader gave knows the types of its values");
        }
        for (String key : metadata.keys()) {
            Value value = metadata.raw(key);
            if (value != null && keys.test(key) && !key.equals(GgufHeader.ALIGNMENT_KEY)) {
                values.put(key, value);
            }
        }
        return this;
    }

    /** Adds a tensor whose bytes are in memory; they are read when the file is written. */
    public GgufWriter tensor(String name, TensorType type, List<Long> shape, byte[] data) {
        return tensor(name, type, shape, MemorySegment.ofArray(data));
    }

    /** Adds a tensor whose bytes are in memory; they are read when the file is written. */
    public GgufWriter tensor(String name, TensorType type, List<Long> shape, MemorySegment data) {
        long expected = byteSize(name, type, shape);
        require(
                data.byteSize() == expected,
                "Tensor '" + name + "' has " + data.byteSize() + " bytes of data; type " + type + " and shape " + shape
                        + " need " + expected);
        return tensor(name, type, shape, out -> {
            for (long at = 0; at < expected; at += CHUNK) {
                ByteBuffer chunk =
                        data.asSlice(at, Math.min(CHUNK, expected - at)).asByteBuffer();
                out.write(chunk);
            }
        });
    }

    /**
     * Adds a tensor whose bytes are made when the file is written.
     *
     * @param shape as {@link TensorInfo#shape}: the length of a row first
     */
    public GgufWriter tensor(String name, TensorType type, List<Long> shape, TensorSource source) {
        int length = name.getBytes(StandardCharsets.UTF_8).length;
        require(
                length >= 1 && length <= GgufHeader.LONGEST_TENSOR_NAME,
                "Tensor '" + name + "' has a name of " + length + " bytes; expected 1 to "
                        + GgufHeader.LONGEST_TENSOR_NAME);
        Tensor tensor = new Tensor(name, type, List.copyOf(shape), byteSize(name, type, shape), source);
        require(tensors.putIfAbsent(name, tensor) == null, "Tensor '" + name + "' was added before");
        return this;
    }

    /** Writes the file, replacing one that is there. */
    public void write(Path file) throws IOException {
        try (FileChannel channel = create(file)) {
            write(channel);
        }
    }

    private static FileChannel create(Path file) throws IOException {
        return FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
    }

    /** Writes the file's bytes to a channel, which stays open. */
    public void write(WritableByteChannel channel) throws IOException {
        write(channel, values, tensors.values());
    }

    /**
     * Writes a split model: files {@code PREFIX-00001-of-0000N.gguf}, the first with all keys. A part ends before the
     * tensor that would make its data larger than {@code partBytes}.
     *
     * @return the files, the first part first
     */
    public List<Path> writeSplit(Path folder, String prefix, long partBytes) throws IOException {
        List<List<Tensor>> parts = new ArrayList<>(List.of(new ArrayList<>()));
        long bytes = 0;
        for (Tensor tensor : tensors.values()) {
            bytes += padded(tensor.byteSize);
            if (bytes > partBytes && !parts.getLast().isEmpty()) {
                parts.add(new ArrayList<>());
                bytes = padded(tensor.byteSize);
            }
            parts.getLast().add(tensor);
        }
        require(
                parts.size() <= GgufReader.MOST_PARTS,
                "The model would have " + parts.size() + " parts; at most " + GgufReader.MOST_PARTS + " are read");
        List<Path> files = new ArrayList<>();
        Value alignmentValue = scalar(ValueType.UINT32, alignment);
        for (int i = 0; i < parts.size(); i++) {
            Map<String, Value> keys = new LinkedHashMap<>(i == 0 ? values : Map.of());
            keys.put(GgufHeader.ALIGNMENT_KEY, alignmentValue);
            keys.put(GgufReader.SPLIT_NO_KEY, scalar(ValueType.UINT16, i));
            keys.put(GgufReader.SPLIT_COUNT_KEY, scalar(ValueType.UINT16, parts.size()));
            keys.put(GgufReader.SPLIT_TENSORS_KEY, scalar(ValueType.INT32, tensors.size()));
            Path file = folder.resolve(new SplitName(prefix, i, parts.size()).toString());
            try (FileChannel channel = create(file)) {
                write(channel, keys, parts.get(i));
            }
            files.add(file);
        }
        return files;
    }

    private void write(WritableByteChannel channel, Map<String, Value> values, Collection<Tensor> tensors)
            throws IOException {
        Output out = new Output(channel);
        out.int32(GgufHeader.MAGIC);
        out.int32(version);
        out.int64(tensors.size());
        out.int64(values.size());
        for (Map.Entry<String, Value> entry : values.entrySet()) {
            out.string(entry.getKey().getBytes(StandardCharsets.UTF_8));
            out.value(entry.getValue());
        }
        long offset = 0;
        for (Tensor tensor : tensors) {
            out.string(tensor.name.getBytes(StandardCharsets.UTF_8));
            out.int32(tensor.shape.size());
            for (long length : tensor.shape) {
                out.int64(length);
            }
            out.int32(tensor.type.id());
            out.int64(offset);
            offset = padded(Math.addExact(offset, tensor.byteSize));
        }
        for (Tensor tensor : tensors) {
            out.zeros(padded(out.written) - out.written);
            long start = out.written;
            tensor.source.writeTo(out.limited(tensor.byteSize, tensor.name));
            out.flush();
            if (out.written - start != tensor.byteSize) {
                throw new IllegalStateException("The source of tensor '" + tensor.name + "' wrote "
                        + (out.written - start) + " bytes; its shape needs " + tensor.byteSize);
            }
        }
        out.zeros(padded(out.written) - out.written);
        out.flush();
    }

    private long padded(long position) {
        return Math.addExact(position, alignment - 1) & -(long) alignment;
    }

    private GgufWriter put(String key, Value value) {
        int length = key.getBytes(StandardCharsets.UTF_8).length;
        require(
                length >= 1 && length <= GgufHeader.LONGEST_KEY,
                "A key of " + length + " bytes is not written; expected 1 to " + GgufHeader.LONGEST_KEY);
        values.put(key, value);
        return this;
    }

    private static long byteSize(String name, TensorType type, List<Long> shape) {
        require(
                !shape.isEmpty() && shape.size() <= GgufHeader.MOST_DIMENSIONS,
                "Tensor '" + name + "' has " + shape.size() + " dimensions; expected 1 to "
                        + GgufHeader.MOST_DIMENSIONS);
        long elements = 1;
        for (long length : shape) {
            require(length >= 1, "Tensor '" + name + "' has shape " + shape + "; each length must be at least 1");
            elements = Math.multiplyExact(elements, length);
        }
        require(
                shape.getFirst() % type.blockSize() == 0,
                "Tensor '" + name + "' of type " + type + " has rows of " + shape.getFirst()
                        + " elements; expected a multiple of " + type.blockSize());
        return type.byteSize(elements);
    }

    private static long inRange(String key, long value, long least, long most) {
        require(
                value >= least && value <= most,
                "Key '" + key + "' is " + value + "; expected " + least + " to " + most);
        return value;
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }

    private static Value scalar(ValueType type, long bits) {
        byte[] bytes = new byte[Long.BYTES];
        littleEndian(bytes).putLong(bits);
        return new Value.Scalar(type, Arrays.copyOf(bytes, type.byteSize()));
    }

    private static Value shorts(ValueType type, short[] values) {
        byte[] bytes = new byte[values.length * Short.BYTES];
        littleEndian(bytes).asShortBuffer().put(values);
        return new Value.Numbers(type, bytes);
    }

    private static Value ints(ValueType type, int[] values) {
        byte[] bytes = new byte[values.length * Integer.BYTES];
        littleEndian(bytes).asIntBuffer().put(values);
        return new Value.Numbers(type, bytes);
    }

    private static Value longs(ValueType type, long[] values) {
        byte[] bytes = new byte[values.length * Long.BYTES];
        littleEndian(bytes).asLongBuffer().put(values);
        return new Value.Numbers(type, bytes);
    }

    private static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Buffers small writes, passes large ones through, and counts. */
    private static final class Output {

        private final WritableByteChannel channel;
        private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        private long written;

        Output(WritableByteChannel channel) {
            this.channel = channel;
        }

        void int32(int value) throws IOException {
            room(Integer.BYTES).putInt(value);
            written += Integer.BYTES;
        }

        void int64(long value) throws IOException {
            room(Long.BYTES).putLong(value);
            written += Long.BYTES;
        }

        void string(byte[] utf8) throws IOException {
            int64(utf8.length);
            bytes(ByteBuffer.wrap(utf8));
        }

        void value(Value value) throws IOException {
            switch (value) {
                case Value.Scalar scalar -> {
                    int32(scalar.type().id());
                    bytes(ByteBuffer.wrap(scalar.bytes()));
                }
                case Value.Text text -> {
                    int32(ValueType.STRING.id());
                    string(text.utf8());
                }
                case Value.Numbers numbers -> {
                    int32(ValueType.ARRAY.id());
                    int32(numbers.type().id());
                    int64(numbers.count());
                    bytes(ByteBuffer.wrap(numbers.bytes()));
                }
                case Value.Strings strings -> {
                    int32(ValueType.ARRAY.id());
                    int32(ValueType.STRING.id());
                    int64(strings.starts().length - 1);
                    bytes(ByteBuffer.wrap(strings.bytes()));
                }
            }
        }

        void zeros(long count) throws IOException {
            for (long left = count; left > 0; left--) {
                room(1).put((byte) 0);
                written++;
            }
        }

        void bytes(ByteBuffer bytes) throws IOException {
            written += bytes.remaining();
            if (bytes.remaining() > buffer.remaining()) {
                flush();
            }
            if (bytes.remaining() > buffer.capacity()) {
                drain(bytes);
            } else {
                buffer.put(bytes);
            }
        }

        void flush() throws IOException {
            drain(buffer.flip());
            buffer.clear();
        }

        /** What a tensor's source writes to: it refuses more bytes than the tensor has. */
        WritableByteChannel limited(long most, String tensor) {
            long start = written;
            return new WritableByteChannel() {
                @Override
                public int write(ByteBuffer bytes) throws IOException {
                    int count = bytes.remaining();
                    if (count > most - (written - start)) {
                        throw new IllegalStateException("The source of tensor '" + tensor + "' wrote more than the "
                                + most + " bytes that its shape needs");
                    }
                    Output.this.bytes(bytes);
                    return count;
                }

                @Override
                public boolean isOpen() {
                    return true;
                }

                @Override
                public void close() {}
            };
        }

        private ByteBuffer room(int count) throws IOException {
            if (buffer.remaining() < count) {
                flush();
            }
            return buffer;
        }

        private void drain(ByteBuffer bytes) throws IOException {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }
    }
}
