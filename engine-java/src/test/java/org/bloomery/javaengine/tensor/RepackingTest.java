package org.bloomery.javaengine.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.KernelLookup;
import org.bloomery.javaengine.kernel.Kernels;
import org.bloomery.javaengine.quant.QuantTypes;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** With the fastest kernels of this machine. */
class RepackingTest {

    private static final WorkerPool POOL = new WorkerPool(2);
    private static final Kernels KERNELS = KernelLookup.choose("auto");
    private static final TensorType[] TYPES = {
        TensorType.Q8_0, TensorType.Q4_0, TensorType.Q5_1, TensorType.Q4_K, TensorType.Q6_K, TensorType.BF16
    };

    private final Workspace workspace = new Workspace(POOL);

    @BeforeEach
    void needsKernelsThatInterleave() {
        Assumptions.assumeTrue(
                KERNELS.matrix(TensorType.Q8_0).interleaving(256).isPresent(),
                "The kernels of this machine, " + KERNELS.name() + ", read rows as they are in the file");
    }

    @AfterAll
    static void closePool() {
        POOL.close();
    }

    private static WeightMatrix matrix(TensorType type, int columns, int rows, long seed) {
        TensorInfo info = new TensorInfo("w", type, List.of((long) columns, (long) rows), 0, 0, 0);
        Random random = new Random(seed);
        float[] values = new float[columns * rows];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        MemorySegment blocks = MemorySegment.ofArray(new byte[(int) type.byteSize(values.length)]);
        QuantTypes.of(type).quantize(values, 0, values.length, blocks, 0);
        return WeightMatrix.of(info, blocks, KERNELS);
    }

    private float[] product(WeightMatrix matrix, int tokens) {
        float[] x = new float[tokens * matrix.columns()];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) Math.sin(i * 0.3);
        }
        float[] out = new float[tokens * matrix.rows()];
        matrix.multiply(x, tokens, out, workspace);
        return out;
    }

    private static float[] row(WeightMatrix matrix, int row) {
        float[] values = new float[matrix.columns()];
        matrix.dequantizeRow(row, values, 0);
        return values;
    }

    @Test
    void changesNoBitOfProductsAndRowsBeforeWhileAndAfter() throws Exception {
        List<WeightMatrix> matrices = new ArrayList<>();
        for (TensorType type : TYPES) {
            matrices.add(matrix(type, 512, 333, 1));
            matrices.add(matrix(type, 256, 16, 2));
        }
        matrices.forEach(WeightMatrix::expectProducts);
        List<float[]> products = new ArrayList<>();
        for (WeightMatrix matrix : matrices) {
            products.add(product(matrix, 1));
            products.add(product(matrix, 19));
            products.add(row(matrix, matrix.rows() - 1));
        }
        try (Repacking repacking = Repacking.of(matrices).orElseThrow()) {
            repacking.start();
            repacking.start();
            for (int round = 0; round < 20; round++) {
                if (round == 10) {
                    repacking.await();
                }
                for (int i = 0; i < matrices.size(); i++) {
                    assertThat(product(matrices.get(i), 1)).containsExactly(products.get(3 * i));
                    assertThat(product(matrices.get(i), 19)).containsExactly(products.get(3 * i + 1));
                    assertThat(row(matrices.get(i), matrices.get(i).rows() - 1))
                            .containsExactly(products.get(3 * i + 2));
                }
            }
        }
    }

    @Test
    void expertsOfWholeGroupsAreReadFromTheCopyOfTheirStack() throws Exception {
        WeightMatrix stack = matrix(TensorType.Q4_K, 256, 96, 3);
        WeightMatrix expert = stack.rowRange(32, 32);
        WeightMatrix part = expert.rowRange(16, 16);
        expert.expectProducts();
        float[] before = product(expert, 3);
        float[] beforePart = product(part, 3);
        assertThat(Repacking.size(List.of(stack))).isEqualTo(stack.byteSize());
        try (Repacking repacking = Repacking.of(List.of(stack)).orElseThrow()) {
            repacking.start();
            repacking.await();
            assertThat(product(expert, 3)).containsExactly(before);
            assertThat(product(part, 3)).containsExactly(beforePart);
            assertThat(row(expert, 5)).containsExactly(row(stack, 37));
            assertThatThrownBy(() -> stack.rowRange(8, 16)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void copiesOnlyWhatIsMultipliedInWholeGroups() {
        WeightMatrix lookedUp = matrix(TensorType.Q8_0, 64, 64, 4);
        WeightMatrix divided = matrix(TensorType.Q8_0, 64, 64, 5);
        divided.expectProducts();
        divided.rowRange(8, 16);
        WeightMatrix vector = matrix(TensorType.Q8_0, 64, 1, 6);
        vector.expectProducts();
        WeightMatrix floats = matrix(TensorType.F32, 64, 64, 7);
        floats.expectProducts();
        assertThat(Repacking.size(List.of(lookedUp, divided, vector, floats))).isZero();
        assertThat(Repacking.of(List.of(lookedUp, divided, vector, floats))).isEmpty();

        WeightMatrix uneven = matrix(TensorType.Q8_0, 64, 33, 8);
        uneven.expectProducts();
        assertThat(Repacking.size(List.of(lookedUp, uneven))).isBetween(48 * 68L, 48 * 68L + 127);
    }

    @Test
    void closedAtAnyTimeItLeavesNothingThatCouldBeReadWrongly() {
        float[] expected = product(matrix(TensorType.Q4_0, 512, 200, 0), 1);
        for (int round = 0; round < 20; round++) {
            List<WeightMatrix> matrices = new ArrayList<>();
            for (int i = 0; i <= round; i++) {
                WeightMatrix matrix = matrix(TensorType.Q4_0, 512, 200, 0);
                matrix.expectProducts();
                matrices.add(matrix);
            }
            try (Repacking repacking = Repacking.of(matrices).orElseThrow()) {
                if (round > 0) {
                    repacking.start();
                }
            }
            for (WeightMatrix matrix : matrices) {
                try {
                    assertThat(product(matrix, 1)).containsExactly(expected);
                } catch (IllegalStateException e) {
                    assertThat(e).hasMessageContaining("closed");
                }
            }
        }
    }
}
