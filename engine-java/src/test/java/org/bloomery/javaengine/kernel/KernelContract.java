package org.bloomery.javaengine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.quant.QuantType;
import org.bloomery.javaengine.quant.QuantTypes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every tier keeps: its products equal sums in double precision of the scalar weights and of the activations,
 * rounded where the kernel rounds them, at every edge of a tile, and it writes nothing else.
 */
public abstract class KernelContract {

    /**
     * Of the sum of the products' magnitudes. Rounding each of n additions by 2^-24 at worst errs by n · 6e-8 of it;
     * with n up to 1000 in many partial sums a sound kernel stays far below, and one wrong weight lies far above.
     */
    private static final double TOLERANCE = 4e-6;

    private final Kernels kernels;

    protected KernelContract(Kernels kernels) {
        this.kernels = kernels;
    }

    static List<QuantType> types() {
        return QuantTypes.all();
    }

    @ParameterizedTest
    @MethodSource("types")
    void equalsADoublePrecisionSumForEveryNumberOfTokens(QuantType type) {
        for (int tokens = 1; tokens <= 40; tokens++) {
            Random random = new Random(tokens);
            Problem problem = new Problem(type, 1 + random.nextInt(70), columns(type, random), tokens, 1, tokens);
            problem.check(0, problem.rows, 0, 0);
        }
        Problem many = new Problem(type, 13, columns(type, new Random(5)), 131, 1, 5);
        many.check(0, many.rows, 0, 0);
    }

    @ParameterizedTest
    @MethodSource("types")
    void equalsADoublePrecisionSumForEveryNumberOfRows(QuantType type) {
        for (int rows = 1; rows <= 70; rows++) {
            Random random = new Random(1000 + rows);
            Problem problem = new Problem(type, rows, columns(type, random), 1 + random.nextInt(40), 1, rows);
            problem.check(0, rows, 0, 0);
            Problem alone = new Problem(type, rows, columns(type, random), 1, 1, rows);
            alone.check(0, rows, 0, 0);
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void equalsADoublePrecisionSumForEveryNumberOfColumns(QuantType type) {
        int block = type.type().blockSize();
        IntStream.Builder widths = IntStream.builder();
        for (int columns = block; columns <= 70 * Math.min(block, 16); columns += block) {
            widths.add(columns);
        }
        widths.add(512).add(512 + block).add(768).add(1024 + 2 * block);
        for (int columns : widths.build().distinct().toArray()) {
            for (int tokens : new int[] {1, 3, 4, 7, 17}) {
                new Problem(type, 7, Math.ceilDiv(columns, block) * block, tokens, 1, columns).check(0, 7, 0, 0);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void computesARangeOfRowsAtAnyOffset(QuantType type) {
        for (int seed = 0; seed < 40; seed++) {
            Random random = new Random(seed);
            Problem problem =
                    new Problem(type, 1 + random.nextInt(70), columns(type, random), 1 + random.nextInt(40), 1, seed);
            int from = random.nextInt(problem.rows);
            int to = from + 1 + random.nextInt(problem.rows - from);
            problem.check(from, to, random.nextInt(20), random.nextInt(20));
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void keepsItsPrecisionWithLargeAndSmallScales(QuantType type) {
        for (float scale : new float[] {0.01f, 100}) {
            for (int tokens : new int[] {1, 2, 4, 9, 33}) {
                new Problem(type, 9, columns(type, new Random(tokens)), tokens, scale, 3).check(0, 9, 0, 0);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void givesATokenTheSameResultAloneAsBesideOthers(QuantType type) {
        Problem problem = new Problem(type, 23, columns(type, new Random(3)), 37, 1, 9);
        float[] together = problem.multiply(problem.weights, 0, problem.rows, 0, 0);
        for (int token = 0; token < problem.tokens; token++) {
            Problem alone = new Problem(
                    type,
                    problem.rows,
                    problem.columns,
                    problem.weights,
                    Arrays.copyOfRange(problem.x, token * problem.columns, (token + 1) * problem.columns));
            alone.check(0, alone.rows, 0, 0);
            float[] out = alone.multiply(alone.weights, 0, alone.rows, 0, 0);
            for (int row = 0; row < problem.rows; row++) {
                assertThat((double) out[row])
                        .isCloseTo(
                                together[token * problem.rows + row],
                                org.assertj.core.data.Offset.offset(
                                        2 * TOLERANCE * problem.magnitude(row, token) + 1e-30));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void interleavedRowsGiveTheSameBits(QuantType type) {
        MatrixKernel kernel = kernels.matrix(type.type());
        for (int rows = 1; rows <= 70; rows++) {
            Random random = new Random(rows);
            int columns = columns(type, random);
            Optional<Interleaving> found = kernel.interleaving(columns);
            if (found.isEmpty()) {
                continue;
            }
            Interleaving layout = found.get();
            assertThat(kernel.interleaved().form()).isEqualTo(kernel.form());
            Problem problem = new Problem(type, rows, columns, 1 + random.nextInt(40), 1, rows);
            long rowBytes = type.type().byteSize(columns);
            MemorySegment copy = MemorySegment.ofArray(new byte[(int) layout.byteSize(rows, rowBytes)]);
            // in two parts, as a copy that is made bit by bit
            int middle = random.nextInt(rows / layout.rows() + 1) * layout.rows();
            layout.copy(problem.weights, middle, rows, rowBytes, copy);
            layout.copy(problem.weights, 0, middle, rowBytes, copy);

            int from = random.nextInt((rows - 1) / layout.rows() + 1) * layout.rows();
            int to = from + 1 + random.nextInt(rows - from);
            for (int tokens : new int[] {problem.tokens, 1}) {
                Problem some = problem.first(tokens);
                assertThat(some.multiply(kernel.interleaved(), copy, from, to, 3, 5))
                        .containsExactly(some.multiply(kernel, problem.weights, from, to, 3, 5));
            }
            float[] expected = new float[columns];
            float[] row = new float[columns];
            for (int r = 0; r < rows; r++) {
                kernel.dequantizeRow(problem.weights, r, columns, expected, 0);
                kernel.interleaved().dequantizeRow(copy, r, columns, row, 0);
                assertThat(row).containsExactly(expected);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void dequantisesRowsBitForBit(QuantType type) {
        Random random = new Random(11);
        int columns = Math.max(160, type.type().blockSize() * 3);
        int rows = 5;
        byte[] bytes = new byte[(int) type.type().byteSize((long) rows * columns)];
        // Any bits are weights; these hold NaN, infinities and subnormal halves too.
        for (int attempt = 0; attempt < 50; attempt++) {
            random.nextBytes(bytes);
            MemorySegment weights = MemorySegment.ofArray(bytes);
            float[] expected = new float[columns];
            float[] found = new float[columns + 3];
            for (int row = 0; row < rows; row++) {
                type.dequantize(weights, row * type.type().byteSize(columns), columns, expected, 0);
                kernels.matrix(type.type()).dequantizeRow(weights, row, columns, found, 3);
                for (int c = 0; c < columns; c++) {
                    // The payload of a NaN is no value.
                    assertThat(Float.floatToIntBits(found[c + 3])).isEqualTo(Float.floatToIntBits(expected[c]));
                }
            }
        }
    }

    @Test
    void readsEveryHalfFloat() {
        MemorySegment weights = MemorySegment.ofArray(new byte[1 << 17]);
        for (int i = 0; i < 1 << 16; i++) {
            weights.set(QuantType.SHORT, 2L * i, (short) i);
        }
        float[] found = new float[1 << 16];
        kernels.matrix(TensorType.F16).dequantizeRow(weights, 0, 1 << 16, found, 0);
        for (int i = 0; i < 1 << 16; i++) {
            assertThat(Float.floatToIntBits(found[i])).isEqualTo(Float.floatToIntBits(Float.float16ToFloat((short) i)));
        }
    }

    @Test
    void letsNotANumberThroughToItsTokenAndRowOnly() {
        for (int tokens : new int[] {1, 2, 4, 6, 16, 40}) {
            for (int columns : new int[] {32, 37, 520}) {
                for (int bad : new int[] {0, columns / 2, columns - 1}) {
                    Problem problem = new Problem(QuantTypes.of(TensorType.F32), 19, columns, tokens, 1, 4);
                    int badToken = tokens - 1;
                    problem.x[badToken * columns + bad] = Float.NaN;
                    problem.weights.setAtIndex(QuantType.FLOAT, 3L * columns + bad, Float.POSITIVE_INFINITY);
                    float[] out = problem.multiply(problem.weights, 0, 19, 0, 0);
                    for (int token = 0; token < tokens; token++) {
                        for (int row = 0; row < 19; row++) {
                            float found = out[token * 19 + row];
                            if (token == badToken) {
                                assertThat(found).isNaN();
                            } else if (row == 3) {
                                assertThat(Float.isInfinite(found)).isTrue();
                            } else {
                                assertThat(Float.isFinite(found)).isTrue();
                            }
                        }
                    }
                }
            }
        }
    }

    @Test
    void readsNativeMemoryAsHeapMemory() {
        for (QuantType type : QuantTypes.all()) {
            for (int tokens : new int[] {1, 5, 20}) {
                Problem problem = new Problem(type, 9, columns(type, new Random(1)), tokens, 1, 2);
                try (Arena arena = Arena.ofShared()) {
                    MemorySegment copy = arena.allocate(problem.weights.byteSize());
                    copy.copyFrom(problem.weights);
                    assertThat(problem.multiply(copy, 0, 9, 0, 0))
                            .containsExactly(problem.multiply(problem.weights, 0, 9, 0, 0));
                }
            }
        }
    }

    @Test
    void attentionEqualsDoublePrecisionSums() {
        AttentionKernel attention = kernels.attention();
        for (int seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            int m = 1 + random.nextInt(10);
            int k = 1 + random.nextInt(70);
            int n = seed < 20 ? 64 : 1 + random.nextInt(140);
            int stride = k + random.nextInt(5);
            float[] a = gaussians(random, m * stride, 1);
            float[] b = gaussians(random, k * n, 1);
            float[] c = gaussians(random, m * n + 3, 1);
            float[] before = c.clone();

            attention.multiplyAdd(a, stride, b, c, m, k, n);

            for (int i = 0; i < c.length; i++) {
                double sum = before[i];
                for (int j = 0; j < k && i < m * n; j++) {
                    sum += (double) a[i / n * stride + j] * b[j * n + i % n];
                }
                assertThat((double) c[i]).as("seed %d", seed).isCloseTo(sum, within(k));
            }
        }
    }

    @Test
    void swigluEqualsDoublePrecisionAndKeepsToItsRange() {
        for (int count = 0; count <= 70; count++) {
            Random random = new Random(count);
            float[] gate = gaussians(random, count + 9, 5);
            float[] up = gaussians(random, count + 9, 2);
            if (count > 5) {
                System.arraycopy(new float[] {0, -0f, 100, -100, 1e-30f}, 0, gate, 4, 5);
            }
            float[] before = gate.clone();

            kernels.elementwise().swiglu(gate, up, 4, 4 + count);

            for (int i = 0; i < gate.length; i++) {
                boolean inside = i >= 4 && i < 4 + count;
                double expected = inside ? before[i] / (1 + Math.exp(-before[i])) * up[i] : before[i];
                assertThat((double) gate[i])
                        .as("element %d of %d", i, count)
                        .isCloseTo(expected, org.assertj.core.data.Offset.offset(1e-6 * Math.abs(expected) + 1e-30));
            }
        }
    }

    @Test
    void exponentialsEqualDoublePrecisionAndAddUp() {
        for (int count = 1; count <= 70; count++) {
            Random random = new Random(count);
            float[] x = gaussians(random, count + 7, 30);
            float[] before = x.clone();

            float greatest = kernels.elementwise().greatest(x, 3, count);
            float sum = kernels.elementwise().exponentials(x, 3, count, greatest);

            double most = IntStream.range(3, 3 + count)
                    .mapToDouble(i -> before[i])
                    .max()
                    .orElseThrow();
            assertThat((double) greatest).isEqualTo(most);
            double expectedSum = 0;
            for (int i = 0; i < x.length; i++) {
                boolean inside = i >= 3 && i < 3 + count;
                double expected = inside ? Math.exp((double) before[i] - greatest) : before[i];
                expectedSum += inside ? expected : 0;
                assertThat((double) x[i])
                        .as("element %d of %d", i, count)
                        .isCloseTo(expected, org.assertj.core.data.Offset.offset(1e-5 * Math.abs(expected) + 1e-37));
            }
            assertThat((double) sum).isCloseTo(expectedSum, org.assertj.core.data.Offset.offset(1e-5 * expectedSum));
        }
    }

    @Test
    void whatIsNoNumberStaysNone() {
        float[] x = new float[40];
        x[33] = Float.NaN;
        assertThat(kernels.elementwise().greatest(x, 0, 40)).isNaN();
        assertThat(kernels.elementwise().exponentials(x, 0, 40, 0)).isNaN();
        float[] gate = {Float.NaN, 1};
        kernels.elementwise().swiglu(gate, new float[] {1, 1}, 0, 2);
        assertThat(gate[0]).isNaN();
        assertThat(gate[1]).isFinite();
    }

    /** Rounding of so many additions of products around 1. */
    private static org.assertj.core.data.Offset<Double> within(int additions) {
        return org.assertj.core.data.Offset.offset(1e-6 * (additions + 1));
    }

    /** Columns of a random matrix: mostly few, to be quick; now and then more than a kernel takes at a time. */
    private static int columns(QuantType type, Random random) {
        boolean wide = random.nextInt(8) == 0;
        return switch (type.type().blockSize()) {
            case 1 -> wide ? 500 + random.nextInt(200) : 1 + random.nextInt(200);
            case 32 -> 32 * (wide ? 16 + random.nextInt(4) : 1 + random.nextInt(7));
            default -> type.type().blockSize() * (wide ? 3 : 1);
        };
    }

    private static float[] gaussians(Random random, int count, float scale) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian() * scale;
        }
        return values;
    }

    /** A matrix, activations, and their product in double precision. */
    private final class Problem {

        private final QuantType type;
        private final int rows;
        private final int columns;
        private final int tokens;
        private final MemorySegment weights;
        private final float[] values;
        private final float[] x;
        private final float[] multiplied;
        private final String description;

        Problem(QuantType type, int rows, int columns, int tokens, float scale, long seed) {
            this(
                    type,
                    rows,
                    columns,
                    quantize(type, gaussians(new Random(seed), rows * columns, scale)),
                    gaussians(new Random(seed + 1), tokens * columns, 1 / scale));
        }

        Problem(QuantType type, int rows, int columns, MemorySegment weights, float[] x) {
            this.type = type;
            this.rows = rows;
            this.columns = columns;
            this.tokens = x.length / columns;
            this.weights = weights;
            this.x = x;
            this.values = new float[rows * columns];
            type.dequantize(weights, 0, values.length, values, 0);
            this.multiplied = new float[x.length];
            for (int token = 0; token < tokens; token++) {
                kernels.matrix(type.type()).form().round(x, token * columns, columns, multiplied, token * columns);
            }
            this.description = type.type() + " (" + rows + ", " + columns + ") by " + tokens + " tokens";
        }

        private static MemorySegment quantize(QuantType type, float[] values) {
            MemorySegment blocks =
                    MemorySegment.ofArray(new byte[(int) type.type().byteSize(values.length)]);
            type.quantize(values, 0, values.length, blocks, 0);
            return blocks;
        }

        /** The same with the first tokens only. */
        Problem first(int count) {
            return new Problem(type, rows, columns, weights, Arrays.copyOf(x, count * columns));
        }

        float[] multiply(MemorySegment weights, int from, int to, int xOffset, int outOffset) {
            return multiply(kernels.matrix(type.type()), weights, from, to, xOffset, outOffset);
        }

        /** Computes some rows into an array with {@code outOffset} floats before them; the others stay at 77. */
        float[] multiply(MatrixKernel kernel, MemorySegment weights, int from, int to, int xOffset, int outOffset) {
            float[] shifted = new float[xOffset + x.length];
            System.arraycopy(x, 0, shifted, xOffset, x.length);
            ActivationForm form = kernel.form();
            Activations activations =
                    new Activations(shifted, xOffset, tokens, columns, new float[form.length(columns, tokens)]);
            for (int part = 0; activations.packed().length > 0 && part < form.parts(columns, tokens); part++) {
                form.pack(activations, part);
            }
            float[] out = new float[outOffset + tokens * rows];
            Arrays.fill(out, 77);
            float[] scratch = new float[kernel.scratchLength(columns, tokens)];
            // What an earlier product left behind must not matter.
            Arrays.fill(scratch, Float.NaN);
            kernel.multiply(weights, from, to, activations, out, outOffset, rows, scratch);
            return out;
        }

        void check(int from, int to, int xOffset, int outOffset) {
            float[] out = multiply(weights, from, to, xOffset, outOffset);
            for (int i = 0; i < outOffset; i++) {
                assertThat(out[i]).isEqualTo(77);
            }
            for (int token = 0; token < tokens; token++) {
                for (int row = 0; row < rows; row++) {
                    float found = out[outOffset + token * rows + row];
                    if (row < from || row >= to) {
                        assertThat(found).as(description).isEqualTo(77);
                    } else {
                        checkSum(row, token, found);
                    }
                }
            }
        }

        private void checkSum(int row, int token, float found) {
            double sum = 0;
            double magnitude = 0;
            for (int c = 0; c < columns; c++) {
                double product = (double) values[row * columns + c] * multiplied[token * columns + c];
                sum += product;
                magnitude += Math.abs(product);
            }
            if (!(Math.abs(found - sum) <= TOLERANCE * magnitude)) {
                throw new AssertionError(
                        description + ", row " + row + ", token " + token + ": found " + found + ", expected " + sum);
            }
        }

        double magnitude(int row, int token) {
            double sum = 0;
            for (int c = 0; c < columns; c++) {
                sum += Math.abs((double) values[row * columns + c] * multiplied[token * columns + c]);
            }
            return sum;
        }
    }
}
