package org.bloomery.javaengine.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.format.TensorType;
import org.junit.jupiter.api.Test;

/** What every element type keeps: its layout round trips, its error stays inside its step, its bytes stay inside. */
abstract class QuantTypeContract {

    private static final int COUNT = 1024;

    private final QuantType type;

    /** Largest error of a value, as a part of the largest magnitude in its block. */
    private final double worstError;

    QuantTypeContract(QuantType type, double worstError) {
        this.type = type;
        this.worstError = worstError;
    }

    @Test
    void isListed() {
        assertThat(QuantTypes.of(type.type())).hasSameClassAs(type);
        assertThat(QuantTypes.supports(type.type())).isTrue();
    }

    @Test
    void equalsGoldenValuesBitForBit() {
        String shared = System.getProperty("bloomery.shared", "");
        Path golden = Path.of(shared, "golden", "quantized-tensors.gguf");
        assumeTrue(Files.isRegularFile(golden), "Skipped: the golden blocks are not at " + golden);
        try (ModelFile file = GgufReader.open(golden, LoadMode.COPY)) {
            boolean plain = type.type() == TensorType.F32;
            String name = plain ? "T.F16.f32" : "T." + type.type().name();
            TensorInfo blocks = Objects.requireNonNull(file.tensor(name), name);
            TensorInfo floats = plain ? blocks : Objects.requireNonNull(file.tensor(name + ".f32"), name);
            int count = (int) blocks.elements();
            float[] expected = new float[count];
            MemorySegment.copy(file.data(floats), QuantType.FLOAT, 0, expected, 0, count);
            assertThat(toBits(dequantize(file.data(blocks), count))).containsExactly(toBits(expected));
        }
    }

    private static int[] toBits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }

    @Test
    void keepsValuesWithinItsStep() {
        for (long seed = 1; seed <= 20; seed++) {
            Random random = new Random(seed);
            // Scales are halves: below 2^-14 they lose digits, above 65504 they end.
            float magnitude = (float) Math.pow(10, random.nextInt(6) - 2);
            float[] values = new float[COUNT];
            for (int i = 0; i < COUNT; i++) {
                values[i] = (float) random.nextGaussian() * magnitude;
            }
            float[] kept = dequantize(quantize(values), COUNT);
            int block = type.type().blockSize();
            for (int from = 0; from < COUNT; from += block) {
                float largest = Codes.largest(values, from, block);
                largest = Math.max(largest, -Codes.smallest(values, from, block));
                for (int i = from; i < from + block; i++) {
                    assertThat((double) Math.abs(kept[i] - values[i]))
                            .as("seed %d, element %d: %s kept as %s", seed, i, values[i], kept[i])
                            .isLessThanOrEqualTo(largest * worstError + 1e-7);
                }
            }
        }
    }

    @Test
    void keepsZerosExactly() {
        for (float kept : dequantize(quantize(new float[COUNT]), COUNT)) {
            assertThat(kept).isZero();
        }
    }

    @Test
    void keepsEqualValuesEqual() {
        for (float value : new float[] {1, -1, 0.03125f, -1000}) {
            float[] values = new float[COUNT];
            Arrays.fill(values, value);
            float[] kept = dequantize(quantize(values), COUNT);
            assertThat(kept).containsOnly(kept[0]);
            assertThat((double) kept[0])
                    .isBetween(value - Math.abs(value) * worstError, value + Math.abs(value) * worstError);
        }
    }

    @Test
    void readsAndWritesOnlyItsOwnBytes() {
        int block = type.type().blockSize();
        int bytes = type.type().bytesPerBlock();
        byte[] backing = new byte[3 * bytes + 5];
        Arrays.fill(backing, (byte) 0x55);
        MemorySegment segment = MemorySegment.ofArray(backing);
        float[] values = new float[block + 7];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) Math.sin(i);
        }
        type.quantize(values, 7, block, segment, bytes + 5);
        for (int i = 0; i < backing.length; i++) {
            if (i < bytes + 5 || i >= 2 * bytes + 5) {
                assertThat(backing[i]).isEqualTo((byte) 0x55);
            }
        }
        float[] out = new float[block + 9];
        Arrays.fill(out, 77);
        type.dequantize(segment, bytes + 5, block, out, 3);
        assertThat(Arrays.copyOfRange(out, 0, 3)).containsOnly(77f);
        assertThat(Arrays.copyOfRange(out, block + 3, out.length)).containsOnly(77f);
        assertThat(Arrays.copyOfRange(out, 3, 3 + block))
                .containsExactly(dequantize(segment.asSlice(bytes + 5, bytes), block));
    }

    @Test
    void readsNativeMemoryAsHeapMemory() {
        float[] values = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            values[i] = (float) Math.cos(i * 0.7) * 3;
        }
        MemorySegment heap = quantize(values);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(heap.byteSize());
            copy.copyFrom(heap);
            assertThat(dequantize(copy, COUNT)).containsExactly(dequantize(heap, COUNT));
        }
    }

    @Test
    void readsEveryBitPatternWithoutFailing() {
        Random random = new Random(7);
        byte[] bytes = new byte[(int) type.type().byteSize(4096)];
        random.nextBytes(bytes);
        float[] out = new float[4096];
        type.dequantize(MemorySegment.ofArray(bytes), 0, 4096, out, 0);
        assertThat(out).hasSize(4096);
    }

    final MemorySegment quantize(float[] values) {
        MemorySegment target = MemorySegment.ofArray(new byte[(int) type.type().byteSize(values.length)]);
        type.quantize(values, 0, values.length, target, 0);
        return target;
    }

    final float[] dequantize(MemorySegment source, int count) {
        float[] out = new float[count];
        type.dequantize(source, 0, count, out, 0);
        return out;
    }

    static MemorySegment bytes(int... values) {
        MemorySegment segment = MemorySegment.ofArray(new byte[values.length]);
        for (int i = 0; i < values.length; i++) {
            segment.set(ValueLayout.JAVA_BYTE, i, (byte) values[i]);
        }
        return segment;
    }
}
