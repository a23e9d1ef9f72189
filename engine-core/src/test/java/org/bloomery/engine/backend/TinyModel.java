package org.bloomery.engine.backend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.bloomery.engine.format.GgufWriter;
import org.bloomery.engine.format.TensorType;

/**
 * A model of a few kilobytes with random weights: its keys and tensors, open to be changed, and then written as a GGUF
 * file. The same seed gives the same bytes for a tensor of the same name, type and shape, whatever else is changed.
 */
public final class TinyModel {

    /** A tensor to be filled: shape in the file's order, row length first. */
    public record Tensor(TensorType type, List<Long> shape) {}

    private final String name;
    private final long seed;
    private final Map<String, Object> keys = new LinkedHashMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    /** @param name tells models apart in the names of tests */
    public TinyModel(String name, long seed) {
        this.name = name;
        this.seed = seed;
    }

    /**
     * Key/value pairs: {@code Integer} is written as uint32, or int32 below 0; {@code Float}, {@code Boolean}, {@code
     * String}, {@code float[]}, {@code int[]} and lists of strings as themselves.
     */
    public Map<String, Object> keys() {
        return keys;
    }

    public Map<String, Tensor> tensors() {
        return tensors;
    }

    /** Adds a tensor. */
    public TinyModel tensor(String name, TensorType type, long... shape) {
        List<Long> lengths = new ArrayList<>();
        for (long length : shape) {
            lengths.add(length);
        }
        tensors.put(name, new Tensor(type, lengths));
        return this;
    }

    /** Sets a key. */
    public TinyModel key(String key, Object value) {
        keys.put(key, value);
        return this;
    }

    /** Tokens of its vocabulary. */
    public int vocabSize() {
        Tensor embedding = Objects.requireNonNull(tensors.get("token_embd.weight"));
        return embedding.shape().get(1).intValue();
    }

    /** Writes the file into a folder, and tells where. */
    public Path write(Path folder) {
        Path file = folder.resolve(name.replace(' ', '-') + ".gguf");
        try {
            writer().write(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return file;
    }

    /** The model ready to be written. */
    public GgufWriter writer() {
        GgufWriter writer = new GgufWriter();
        keys.forEach((key, value) -> put(writer, key, value));
        tensors.forEach((tensor, spec) -> writer.tensor(tensor, spec.type(), spec.shape(), data(tensor, spec)));
        return writer;
    }

    @Override
    public String toString() {
        return name + " (seed " + seed + ")";
    }

    @SuppressWarnings("unchecked")
    private static void put(GgufWriter writer, String key, Object value) {
        switch (value) {
            case Integer number -> {
                if (number < 0) {
                    writer.int32(key, number);
                } else {
                    writer.uint32(key, number);
                }
            }
            case Float number -> writer.float32(key, number);
            case Boolean bool -> writer.bool(key, bool);
            case String text -> writer.string(key, text);
            case float[] numbers -> writer.float32s(key, numbers);
            case int[] numbers -> writer.int32s(key, numbers);
            case List<?> texts -> writer.strings(key, (List<String>) texts);
            default -> throw new IllegalArgumentException(key + " has a " + value.getClass());
        }
    }

    private byte[] data(String tensor, Tensor spec) {
        long elements = spec.shape().stream().reduce(1L, Math::multiplyExact);
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(spec.type().byteSize(elements)))
                .order(ByteOrder.LITTLE_ENDIAN);
        SplittableRandom random = new SplittableRandom(seed * 31 + tensor.hashCode());
        // norms hover around 1, biases around 0, and matrices keep the size of what they multiply
        double mean = tensor.contains("norm") || tensor.contains("rope_freqs") ? 1 : 0;
        double deviation =
                spec.shape().size() == 1 ? 0.1 : 1.3 / Math.sqrt(spec.shape().getFirst());
        while (bytes.hasRemaining()) {
            block(spec.type(), bytes, random, mean, deviation);
        }
        return bytes.array();
    }

    /** One block of random codes under scales that give elements the wanted deviation. */
    private static void block(TensorType type, ByteBuffer out, SplittableRandom random, double mean, double deviation) {
        switch (type) {
            case F32 -> out.putFloat((float) (mean + deviation * random.nextGaussian()));
            case F16 -> out.putShort(Float.floatToFloat16((float) (mean + deviation * random.nextGaussian())));
            case BF16 ->
                out.putShort(
                        (short) (Float.floatToRawIntBits((float) (mean + deviation * random.nextGaussian())) >> 16));
            case Q8_0 -> codes(out.putShort(half(deviation / 74)), random, 32);
            case Q4_0 -> codes(out.putShort(half(deviation / 4.6)), random, 16);
            case Q4_1 -> codes(out.putShort(half(deviation / 4.6)).putShort(half(-7.5 * deviation / 4.6)), random, 16);
            case Q5_0 -> codes(out.putShort(half(deviation / 9.2)), random, 20);
            case Q5_1 -> codes(out.putShort(half(deviation / 9.2)).putShort(half(-15.5 * deviation / 9.2)), random, 20);
            case Q4_K -> codes(out.putShort(half(deviation / 220)).putShort(half(7.5 * deviation / 220)), random, 140);
            case Q5_K -> codes(out.putShort(half(deviation / 440)).putShort(half(15.5 * deviation / 440)), random, 172);
            case Q6_K -> {
                codes(out, random, 208);
                out.putShort(half(deviation / 1370));
            }
            default -> codes(out, random, type.bytesPerBlock());
        }
    }

    private static short half(double value) {
        return Float.floatToFloat16((float) value);
    }

    private static void codes(ByteBuffer out, SplittableRandom random, int count) {
        byte[] codes = new byte[count];
        random.nextBytes(codes);
        out.put(codes);
    }
}
