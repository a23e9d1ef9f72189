package org.bloomery.engine.format;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of one GGUF file, checked against the format's rules, the reader's limits and the file's length.
 *
 * @param metadata the key/value pairs
 * @param tensors the tensors by name, in the file's order
 * @param dataStart where the data section begins, or the end of the header where there are no tensors
 */
record GgufHeader(GgufMetadata metadata, Map<String, TensorInfo> tensors, long dataStart) {

    static final int MAGIC = 'G' | 'G' << 8 | 'U' << 16 | 'F' << 24;

    static final String ALIGNMENT_KEY = "general.alignment";
    static final int DEFAULT_ALIGNMENT = 32;
    static final int LARGEST_ALIGNMENT = 1 << 20;
    static final int SMALLEST_ALIGNMENT = 8;

    static final int MOST_KEYS = 1 << 16;
    static final int MOST_TENSORS = 1 << 16;
    static final int MOST_ELEMENTS = 8 << 20;
    static final int MOST_DIMENSIONS = 4;
    static final int LONGEST_KEY = (1 << 16) - 1;
    static final int LONGEST_STRING = 1 << 20;
    static final int LONGEST_TEMPLATE = 4 << 20;
    /** ggml's {@code GGML_MAX_NAME} less the zero that ends the name there. */
    static final int LONGEST_TENSOR_NAME = 63;

    private static final String TEMPLATE_KEY = "tokenizer.chat_template";

    // Least bytes of a key with its value and of a tensor's description: a count that cannot be true is refused first
    private static final int LEAST_KEY_BYTES = Long.BYTES + 1 + Integer.BYTES + 1;
    private static final int LEAST_TENSOR_BYTES = Long.BYTES + 1 + 2 * Integer.BYTES + 2 * Long.BYTES;

    /**
     * Reads and checks the header.
     *
     * @param part index of the file among the parts of a split model
     * @throws ModelFormatException naming what is wrong and where
     */
    static GgufHeader read(HeaderInput input, String file, long fileBytes, int part) throws IOException {
        version(input);
        long tensorCount = count(input, "tensors", MOST_TENSORS, LEAST_TENSOR_BYTES);
        long keyCount = count(input, "keys", MOST_KEYS, LEAST_KEY_BYTES);
        Map<String, Value> values = new LinkedHashMap<>();
        for (int i = 0; i < keyCount; i++) {
            input.subject("key " + i, null);
            String key = name(input, LONGEST_KEY);
            if (key.isEmpty()) {
                throw input.refuse("key " + i + " is empty; a key has 1 to " + LONGEST_KEY + " bytes");
            }
            input.subject("the value of key", key);
            if (values.putIfAbsent(key, value(input, key)) != null) {
                throw input.refuse("key " + Quoted.of(key) + " is there twice; a key may be there once");
            }
        }
        GgufMetadata metadata = new GgufMetadata(file, values);
        int alignment = alignment(input, metadata);
        Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        for (int i = 0; i < tensorCount; i++) {
            TensorInfo tensor = tensor(input, i, part);
            if (tensors.putIfAbsent(tensor.name(), tensor) != null) {
                throw input.refuse(input.subject() + " is there twice; a name may be there once");
            }
        }
        if (tensors.isEmpty()) {
            refuseTrailing(input, padded(input.position(), alignment), fileBytes, "its header");
            return new GgufHeader(metadata, tensors, input.position());
        }
        long start = padded(input.position(), alignment);
        place(input, tensors, start, alignment, fileBytes);
        return new GgufHeader(metadata, tensors, start);
    }

    private static void version(HeaderInput input) throws IOException {
        byte[] beginning = input.beginning(Lookalike.BYTES);
        if (beginning.length == 0) {
            throw input.refuse("the file is empty; expected a GGUF file");
        }
        input.subject("the magic number", null);
        if (input.int32() != MAGIC) {
            throw input.refuse("the file does not begin with 'GGUF': " + Lookalike.describe(beginning));
        }
        input.subject("the version", null);
        int version = input.int32();
        if (version != 0 && (version & 0xFFFF) == 0) {
            throw input.refuse("the file is a big-endian GGUF of version " + Integer.reverseBytes(version)
                    + "; only little-endian files are read, so convert the model again for a little-endian machine");
        }
        if (version == 1) {
            throw input.refuse("the file has GGUF version 1, which was given up in 2023; versions 2 and 3 are read, so"
                    + " convert the model again");
        }
        if (version != 2 && version != 3) {
            throw input.refuse(
                    "the file has GGUF version " + Integer.toUnsignedString(version) + "; versions 2 and 3 are read");
        }
    }

    private static long count(HeaderInput input, String things, int most, int leastBytes) throws IOException {
        input.subject("the number of " + things, null);
        long count = input.int64();
        if (count < 0 || count > most) {
            throw input.refuse("the number of " + things + " is " + Long.toUnsignedString(count) + "; at most " + most
                    + " are read");
        }
        if (count * leastBytes > input.remaining()) {
            throw input.refuse("the number of " + things + " is " + count + ", which takes at least "
                    + count * leastBytes + " bytes, and " + input.remaining()
                    + " are left; the file is truncated or damaged");
        }
        return count;
    }

    private static String name(HeaderInput input, int longest) throws IOException {
        return input.text((int) length(input, longest));
    }

    private static long length(HeaderInput input, int longest) throws IOException {
        long length = input.int64();
        if (length < 0 || length > longest) {
            throw input.refuse(input.subject() + " has a string of " + Long.toUnsignedString(length)
                    + " bytes; at most " + longest + " are read");
        }
        return length;
    }

    private static ValueType type(HeaderInput input) throws IOException {
        int id = input.int32();
        ValueType type = ValueType.ofId(id);
        if (type == null) {
            throw input.refuse(input.subject() + " has the unknown value type " + Integer.toUnsignedString(id)
                    + "; types 0 to " + ValueType.FLOAT64.id() + " are known");
        }
        return type;
    }

    private static Value value(HeaderInput input, String key) throws IOException {
        ValueType type = type(input);
        return switch (type) {
            case STRING -> {
                boolean template = key.equals(TEMPLATE_KEY) || key.startsWith(TEMPLATE_KEY + ".");
                yield new Value.Text(input.bytes(length(input, template ? LONGEST_TEMPLATE : LONGEST_STRING)));
            }
            case ARRAY -> array(input);
            case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64, FLOAT32, FLOAT64, BOOL ->
                new Value.Scalar(type, truthful(input, type, input.bytes(type.byteSize())));
        };
    }

    private static Value array(HeaderInput input) throws IOException {
        ValueType type = type(input);
        if (type == ValueType.ARRAY) {
            throw input.refuse(
                    input.subject() + " is an array of arrays; arrays of numbers, booleans or strings are read");
        }
        long count = input.int64();
        if (count < 0 || count > MOST_ELEMENTS) {
            throw input.refuse(input.subject() + " is an array of " + Long.toUnsignedString(count)
                    + " elements; at most " + MOST_ELEMENTS + " are read");
        }
        if (type == ValueType.STRING) {
            return strings(input, (int) count);
        }
        return new Value.Numbers(type, truthful(input, type, input.bytes(count * type.byteSize())));
    }

    /** Finds the strings' bounds first and reads all of them at once then, so that they lie in one array of the right size. */
    private static Value strings(HeaderInput input, int count) throws IOException {
        input.require((long) count * Long.BYTES);
        long first = input.position();
        int[] starts = new int[count + 1];
        for (int i = 0; i < count; i++) {
            long length = length(input, LONGEST_STRING);
            starts[i] = Math.toIntExact(input.position() - first);
            input.skip(length);
        }
        long bytes = input.position() - first;
        starts[count] = Math.toIntExact(bytes + Long.BYTES);
        input.position(first);
        return new Value.Strings(input.bytes(bytes), starts);
    }

    private static byte[] truthful(HeaderInput input, ValueType type, byte[] bytes) {
        if (type == ValueType.BOOL) {
            for (byte b : bytes) {
                if (b != 0 && b != 1) {
                    throw input.refuse(input.subject() + " has a bool of value " + (b & 0xFF) + "; expected 0 or 1");
                }
            }
        }
        return bytes;
    }

    private static int alignment(HeaderInput input, GgufMetadata metadata) {
        Value value = metadata.raw(ALIGNMENT_KEY);
        if (value == null) {
            return DEFAULT_ALIGNMENT;
        }
        if (!(value instanceof Value.Scalar scalar)
                || scalar.type() != ValueType.UINT32
                || !(scalar.decoded() instanceof Long alignment)) {
            throw input.refuse("key '" + ALIGNMENT_KEY + "' has type " + value.kind() + "; expected uint32");
        }
        if (Long.bitCount(alignment) != 1 || alignment < SMALLEST_ALIGNMENT || alignment > LARGEST_ALIGNMENT) {
            throw input.refuse("key '" + ALIGNMENT_KEY + "' is " + alignment + "; expected a power of two of "
                    + SMALLEST_ALIGNMENT + " to " + LARGEST_ALIGNMENT);
        }
        return alignment.intValue();
    }

    /** The description of a tensor, its offset still as the file has it: from the start of the data section. */
    private static TensorInfo tensor(HeaderInput input, int index, int part) throws IOException {
        input.subject("the name of tensor " + index, null);
        String name = name(input, LONGEST_TENSOR_NAME);
        if (name.isEmpty()) {
            throw input.refuse(
                    "the name of tensor " + index + " is empty; it has 1 to " + LONGEST_TENSOR_NAME + " bytes");
        }
        input.subject("tensor", name);
        int dimensions = input.int32();
        if (dimensions < 1 || dimensions > MOST_DIMENSIONS) {
            throw input.refuse(input.subject() + " has " + Integer.toUnsignedString(dimensions)
                    + " dimensions; expected 1 to " + MOST_DIMENSIONS);
        }
        Long[] shape = new Long[dimensions];
        for (int i = 0; i < dimensions; i++) {
            long length = input.int64();
            if (length < 1) {
                throw input.refuse(input.subject() + " has the length " + Long.toUnsignedString(length)
                        + " in dimension " + i + "; expected 1 to " + Long.MAX_VALUE);
            }
            shape[i] = length;
        }
        int id = input.int32();
        TensorType type = TensorType.ofId(id);
        if (type == null) {
            throw input.refuse(input.subject() + " has the unknown element type " + Integer.toUnsignedString(id)
                    + "; convert the model to a type that ggml still has, such as Q8_0");
        }
        if (shape[0] % type.blockSize() != 0) {
            throw input.refuse(input.subject() + " of type " + type + " has rows of " + shape[0]
                    + " elements; expected a multiple of the block's " + type.blockSize());
        }
        long bytes;
        try {
            long elements = 1;
            for (long length : shape) {
                elements = Math.multiplyExact(elements, length);
            }
            bytes = type.byteSize(elements);
        } catch (ArithmeticException e) {
            throw input.refuse(input.subject() + " of type " + type + " has the shape " + List.of(shape)
                    + ", whose size is no 64-bit number");
        }
        return new TensorInfo(name, type, List.of(shape), part, input.int64(), bytes);
    }

    /**
     * Checks where the tensors lie and makes their offsets count from the start of the file. As ggml asks for, they follow
     * each other in order, each padded to the alignment, so that none can overlap another.
     */
    private static void place(
            HeaderInput input, Map<String, TensorInfo> tensors, long start, int alignment, long fileBytes) {
        long next = start;
        for (Map.Entry<String, TensorInfo> entry : tensors.entrySet()) {
            TensorInfo tensor = entry.getValue();
            input.subject("tensor", tensor.name());
            long offset = tensor.offset();
            if (offset < 0 || offset % alignment != 0) {
                throw input.refuse(input.subject() + " has the data offset " + Long.toUnsignedString(offset)
                        + "; expected a multiple of the alignment " + alignment);
            }
            if (offset != next - start) {
                String fault = offset < next - start ? "overlaps the tensor before it" : "leaves a gap before it";
                throw input.refuse(input.subject() + " " + fault + ": it has the data offset " + offset + "; expected "
                        + (next - start));
            }
            if (next > fileBytes || tensor.byteSize() > fileBytes - next) {
                throw input.refuse(input.subject() + " needs " + tensor.byteSize() + " bytes at byte " + next
                        + " and the file has " + fileBytes + " in all; it is truncated or damaged");
            }
            entry.setValue(new TensorInfo(
                    tensor.name(), tensor.type(), tensor.shape(), tensor.part(), next, tensor.byteSize()));
            next = padded(next + tensor.byteSize(), alignment);
        }
        refuseTrailing(input, next, fileBytes, "its last tensor");
    }

    private static void refuseTrailing(HeaderInput input, long end, long fileBytes, String last) {
        if (fileBytes > end) {
            throw input.refuse("the file has " + (fileBytes - end) + " bytes at byte " + end + " after " + last
                    + "; nothing may follow");
        }
    }

    /** The next multiple of the alignment; positions are within a file, so this cannot overflow. */
    private static long padded(long position, int alignment) {
        return Math.addExact(position, alignment - 1) & -(long) alignment;
    }
}
