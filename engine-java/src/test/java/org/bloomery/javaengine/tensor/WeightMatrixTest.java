package org.bloomery.javaengine.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.ActivationForm;
import org.bloomery.javaengine.kernel.KernelLookup;
import org.bloomery.javaengine.kernel.Kernels;
import org.bloomery.javaengine.quant.QuantTypes;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WeightMatrixTest {

    private static final WorkerPool POOL = new WorkerPool(3);
    private final Workspace workspace = new Workspace(POOL);

    @AfterAll
    static void closePool() {
        POOL.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"scalar", "vector", "auto"})
    void multipliesByAllThreadsAsBySums(String tier) {
        Kernels kernels = KernelLookup.choose(tier);
        for (int[] shape : new int[][] {{1, 32}, {47, 64}, {48, 64}, {49, 96}, {300, 256}, {1000, 32}}) {
            // From many tokens to few, so that scratch from the larger product is reused
            for (int tokens : new int[] {70, 17, 6, 4, 1}) {
                Matrix matrix = new Matrix(TensorType.Q8_0, List.of((long) shape[1], (long) shape[0]), kernels);
                float[] x = floats(7 + tokens * shape[1], tokens);
                float[] out = new float[5 + tokens * shape[0]];
                matrix.weights.multiply(x, 7, tokens, out, 5, workspace);
                for (int token = 0; token < tokens; token++) {
                    for (int row = 0; row < shape[0]; row++) {
                        assertThat((double) out[5 + token * shape[0] + row])
                                .isCloseTo(matrix.product(row, x, 7 + token * shape[1]), Offset.offset(1e-4));
                    }
                }
                assertThat(Arrays.copyOf(out, 5)).containsOnly(0f);
            }
        }
    }

    @Test
    void multipliesSeveralMatricesOfDifferentTypesInOneRound() {
        Kernels kernels = KernelLookup.choose("auto");
        Matrix[] matrices = {
            new Matrix(TensorType.Q8_0, List.of(256L, 130L), kernels),
            new Matrix(TensorType.F32, List.of(256L, 1L), kernels),
            new Matrix(TensorType.BF16, List.of(256L, 50L), kernels),
            new Matrix(TensorType.Q4_K, List.of(256L, 49L), kernels)
        };
        WeightMatrix[] weights =
                Arrays.stream(matrices).map(matrix -> matrix.weights).toArray(WeightMatrix[]::new);
        for (int tokens : new int[] {1, 5, 33}) {
            float[] x = floats(tokens * 256, 3);
            float[][] out = {new float[tokens * 130], new float[tokens], new float[tokens * 50], new float[tokens * 49]
            };
            WeightMatrix.multiplyAll(weights, x, 0, tokens, out, workspace);
            for (int i = 0; i < matrices.length; i++) {
                float[] alone = new float[out[i].length];
                weights[i].multiply(x, tokens, alone, workspace);
                assertThat(out[i]).containsExactly(alone);
                assertThat((double) out[i][0]).isCloseTo(matrices[i].product(0, x, 0), Offset.offset(1e-4));
            }
        }
    }

    @Test
    void givesOneExpertOfAStack() {
        Matrix stack = new Matrix(TensorType.Q5_0, List.of(64L, 10L, 4L), KernelLookup.choose("auto"));
        assertThat(stack.weights.rows()).isEqualTo(40);
        assertThat(stack.weights.columns()).isEqualTo(64);
        WeightMatrix expert = stack.weights.rowRange(30, 10);
        assertThat(expert.rows()).isEqualTo(10);
        assertThat(expert.byteSize()).isEqualTo(TensorType.Q5_0.byteSize(640));
        float[] x = floats(64, 1);
        float[] out = new float[10];
        expert.multiply(x, 1, out, workspace);
        for (int row = 0; row < 10; row++) {
            assertThat((double) out[row]).isCloseTo(stack.product(30 + row, x, 0), Offset.offset(1e-4));
        }
        float[] embedding = new float[65];
        expert.dequantizeRow(9, embedding, 1);
        assertThat(Arrays.copyOfRange(embedding, 1, 65))
                .containsExactly(Arrays.copyOfRange(stack.values, 39 * 64, 2560));
        assertThatThrownBy(() -> stack.weights.rowRange(35, 6)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> expert.dequantizeRow(10, embedding, 0)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void refusesArraysThatDoNotFit() {
        Matrix matrix = new Matrix(TensorType.F32, List.of(32L, 10L), KernelLookup.choose("scalar"));
        assertThatThrownBy(() -> matrix.weights.multiply(new float[63], 2, new float[20], workspace))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("63");
        assertThatThrownBy(() -> matrix.weights.multiply(new float[64], 2, new float[19], workspace))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("19");
    }

    @Test
    void refusesTypesWithoutAKernel() {
        TensorInfo info = new TensorInfo("blk.0.attn_q.weight", TensorType.IQ3_S, List.of(256L, 2L), 0, 0, 220);
        assertThatThrownBy(
                        () -> WeightMatrix.of(info, MemorySegment.ofArray(new byte[220]), KernelLookup.choose("auto")))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("IQ3_S")
                .hasMessageContaining("Q4_K");
    }

    private static float[] floats(int count, long seed) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** Weights with their float values beside them. */
    private static final class Matrix {

        private final WeightMatrix weights;
        private final float[] values;
        private final int columns;
        private final ActivationForm form;

        Matrix(TensorType type, List<Long> shape, Kernels kernels) {
            TensorInfo info = new TensorInfo("w", type, shape, 0, 0, 0);
            columns = (int) info.columns();
            values = floats((int) info.elements(), 42);
            MemorySegment blocks = MemorySegment.ofArray(new byte[(int) type.byteSize(values.length)]);
            QuantTypes.of(type).quantize(values, 0, values.length, blocks, 0);
            QuantTypes.of(type).dequantize(blocks, 0, values.length, values, 0);
            weights = WeightMatrix.of(info, blocks, kernels);
            form = kernels.matrix(type).form();
        }

        double product(int row, float[] x, int offset) {
            float[] multiplied = new float[columns];
            form.round(x, offset, columns, multiplied, 0);
            double sum = 0;
            for (int c = 0; c < columns; c++) {
                sum += (double) values[row * columns + c] * multiplied[c];
            }
            return sum;
        }
    }
}
