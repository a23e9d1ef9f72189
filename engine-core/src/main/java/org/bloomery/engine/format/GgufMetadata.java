package org.bloomery.engine.format;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The key/value pairs of a GGUF file, in the file's order. */
final class GgufMetadata implements Metadata {

    private final String file;
    private final Map<String, Value> values;

    /**
     * @param file name of the file, for messages
     * @param values pairs in the file's order; owned by this object from now on
     */
    GgufMetadata(String file, Map<String, Value> values) {
        this.file = file;
        this.values = values;
    }

    /** The value in the file's own type, or null where absent. */
    @Nullable
    Value raw(String key) {
        return values.get(key);
    }

    @Override
    public Set<String> keys() {
        return Collections.unmodifiableSet(values.keySet());
    }

    @Override
    public boolean contains(String key) {
        return values.containsKey(key);
    }

    @Override
    public @Nullable Object value(String key) {
        Value value = values.get(key);
        return value == null ? null : value.decoded();
    }

    @Override
    public String string(String key) {
        return text(key, required(key, "a string"));
    }

    @Override
    public String string(String key, String fallback) {
        return optional(key, fallback, value -> text(key, value));
    }

    @Override
    public int int32(String key) {
        return narrow(key, integer(key, required(key, "an integer")));
    }

    @Override
    public int int32(String key, int fallback) {
        return optional(key, fallback, value -> narrow(key, integer(key, value)));
    }

    @Override
    public long int64(String key) {
        return integer(key, required(key, "an integer"));
    }

    @Override
    public long int64(String key, long fallback) {
        return optional(key, fallback, value -> integer(key, value));
    }

    @Override
    public double float64(String key) {
        return finite(key, required(key, "a float"));
    }

    @Override
    public double float64(String key, double fallback) {
        return optional(key, fallback, value -> finite(key, value));
    }

    @Override
    public boolean bool(String key, boolean fallback) {
        return optional(key, fallback, value -> {
            if (value.decoded() instanceof Boolean bool) {
                return bool;
            }
            throw wrongType(key, value, "a bool");
        });
    }

    @Override
    public List<String> strings(String key) {
        return texts(key, required(key, "an array of strings"));
    }

    @Override
    public List<String> strings(String key, List<String> fallback) {
        return optional(key, fallback, value -> texts(key, value));
    }

    @Override
    public int[] int32s(String key) {
        return integers(key, required(key, "an array of integers"));
    }

    @Override
    public int[] int32s(String key, int[] fallback) {
        return optional(key, fallback, value -> integers(key, value));
    }

    @Override
    public float[] float32s(String key) {
        return floats(key, required(key, "an array of floats"));
    }

    @Override
    public float[] float32s(String key, float[] fallback) {
        return optional(key, fallback, value -> floats(key, value));
    }

    private Value required(String key, String expected) {
        Value value = values.get(key);
        if (value == null) {
            throw new ModelFormatException(
                    "Key " + Quoted.of(key) + " is missing; expected " + expected + " (file " + file + ").");
        }
        return value;
    }

    private <T> T optional(String key, T fallback, Function<Value, T> read) {
        Value value = values.get(key);
        return value == null ? fallback : read.apply(value);
    }

    private String text(String key, Value value) {
        if (value instanceof Value.Text text) {
            return text.decoded();
        }
        throw wrongType(key, value, "a string");
    }

    private long integer(String key, Value value) {
        return switch (value.decoded()) {
            case Long number -> number;
            case BigInteger number ->
                throw new ModelFormatException("Key " + Quoted.of(key) + " is " + number
                        + "; expected an integer below 2^63 (file " + file + ").");
            default -> throw wrongType(key, value, "an integer");
        };
    }

    private int narrow(String key, long number) {
        if (number != (int) number) {
            throw new ModelFormatException("Key " + Quoted.of(key) + " is " + number + "; expected an integer of "
                    + Integer.MIN_VALUE + " to " + Integer.MAX_VALUE + " (file " + file + ").");
        }
        return (int) number;
    }

    private double finite(String key, Value value) {
        if (!(value.decoded() instanceof Double number)) {
            throw wrongType(key, value, "a float");
        }
        if (!Double.isFinite(number)) {
            throw new ModelFormatException(
                    "Key " + Quoted.of(key) + " is " + number + "; expected a finite float (file " + file + ").");
        }
        return number;
    }

    private List<String> texts(String key, Value value) {
        if (value instanceof Value.Strings strings) {
            return strings.decoded();
        }
        throw wrongType(key, value, "an array of strings");
    }

    private int[] integers(String key, Value value) {
        if (!(value instanceof Value.Numbers numbers) || !numbers.type().isInteger()) {
            throw wrongType(key, value, "an array of integers");
        }
        ByteBuffer bytes = numbers.buffer();
        int[] result = new int[numbers.count()];
        if (numbers.type() == ValueType.INT32) {
            bytes.asIntBuffer().get(result);
            return result;
        }
        List<Object> decoded = numbers.decoded();
        for (int i = 0; i < result.length; i++) {
            Object element = decoded.get(i);
            if (!(element instanceof Long number) || number != number.intValue()) {
                throw new ModelFormatException("Element " + i + " of key " + Quoted.of(key) + " is " + element
                        + "; expected an integer of " + Integer.MIN_VALUE + " to " + Integer.MAX_VALUE + " (file "
                        + file + ").");
            }
            result[i] = number.intValue();
        }
        return result;
    }

    private float[] floats(String key, Value value) {
        if (!(value instanceof Value.Numbers numbers) || !numbers.type().isFloat()) {
            throw wrongType(key, value, "an array of floats");
        }
        ByteBuffer bytes = numbers.buffer();
        float[] result = new float[numbers.count()];
        if (numbers.type() == ValueType.FLOAT32) {
            bytes.asFloatBuffer().get(result);
            return result;
        }
        for (int i = 0; i < result.length; i++) {
            result[i] = (float) bytes.getDouble(i * Double.BYTES);
        }
        return result;
    }

    private ModelFormatException wrongType(String key, Value value, String expected) {
        return new ModelFormatException("Key " + Quoted.of(key) + " has type " + value.kind() + "; expected " + expected
                + " (file " + file + ").");
    }
}
