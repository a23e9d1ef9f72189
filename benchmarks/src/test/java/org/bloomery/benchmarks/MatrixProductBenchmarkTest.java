package org.bloomery.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class MatrixProductBenchmarkTest {

    @Test
    void computesWhatTheScalarTierComputes() throws InterruptedException {
        for (String type : new String[] {"Q8_0", "Q4_K"}) {
            for (int tokens : new int[] {1, 8, 64}) {
                float[] expected = product("scalar", type, tokens);
                float[] vector = product("vector", type, tokens);
                float[] fastest = product("auto", type, tokens);
                assertThat(fastest).containsExactly(product("auto", type, tokens, false));
                for (int i = 0; i < expected.length; i++) {
                    assertThat(vector[i]).isCloseTo(expected[i], Offset.offset(1e-3f));
                    // machine code rounds activations to int8: of sums around 16, with 256 errors of up to 0.01 each
                    assertThat(fastest[i]).isCloseTo(expected[i], Offset.offset(1f));
                }
            }
        }
    }

    @Test
    void countsItsWork() throws InterruptedException {
        MatrixProductBenchmark benchmark = benchmark("auto", "F32", 3);
        benchmark.makeWeights();
        MatrixProductBenchmark.Work work = new MatrixProductBenchmark.Work();
        benchmark.product(work);
        benchmark.product(work);
        benchmark.end();
        assertThat(work.gigaFlop).isCloseTo(2 * 2e-9 * 96 * 256 * 3, Offset.offset(1e-12));
        assertThat(work.gigaByte).isCloseTo(2 * 4e-9 * 96 * 256, Offset.offset(1e-12));
    }

    private static float[] product(String kernels, String type, int tokens) throws InterruptedException {
        return product(kernels, type, tokens, true);
    }

    private static float[] product(String kernels, String type, int tokens, boolean repack)
            throws InterruptedException {
        MatrixProductBenchmark benchmark = benchmark(kernels, type, tokens);
        benchmark.repack = repack;
        benchmark.makeWeights();
        float[] out = benchmark.product(new MatrixProductBenchmark.Work()).clone();
        benchmark.end();
        return out;
    }

    private static MatrixProductBenchmark benchmark(String kernels, String type, int tokens) {
        MatrixProductBenchmark benchmark = new MatrixProductBenchmark();
        benchmark.kernels = kernels;
        benchmark.type = type;
        benchmark.tokens = tokens;
        benchmark.rows = 96;
        benchmark.columns = 256;
        return benchmark;
    }
}
