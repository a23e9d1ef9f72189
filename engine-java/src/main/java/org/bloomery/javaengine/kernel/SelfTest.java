package org.bloomery.javaengine.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.bloomery.javaengine.quant.QuantType;
import org.bloomery.javaengine.quant.QuantTypes;

/**
 * Compares a tier's products with plain sums, once, before it is used: vector code is compiled at run time, and a
 * compiler's fault would otherwise show only as bad answers.
 */
final class SelfTest {

    private static final int ROWS = 5;
    private static final int COLUMNS = 256;

    /** One for each way to compute: alone, few, and many. */
    private static final int[] TOKENS = {1, 5, 33};

    /** Of the sum of magnitudes: far above rounding of 256 additions, far below any wrong weight. */
    private static final double TOLERANCE = 1e-5;

    private SelfTest() {}

    /** What is wrong with this tier; empty where nothing is. */
    static Optional<String> failure(Kernels kernels) {
        for (QuantType type : QuantTypes.all()) {
            // Native memory, as a model's: what the compiler learns here about segments must hold there too.
            try (Arena arena = Arena.ofConfined()) {
                if (!agrees(kernels, type, arena)) {
                    return Optional.of("products of " + type.type() + " differ from scalar ones");
                }
            } catch (RuntimeException | LinkageError e) {
                return Optional.of("products of " + type.type() + " end in " + e);
            }
        }
        return Optional.empty();
    }

    private static boolean agrees(Kernels kernels, QuantType type, Arena arena) {
        float[] weights = new float[ROWS * COLUMNS];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) Math.sin(i * 0.7) * (1 + i / COLUMNS);
        }
        MemorySegment blocks = arena.allocate(type.type().byteSize(weights.length));
        type.quantize(weights, 0, weights.length, blocks, 0);
        type.dequantize(blocks, 0, weights.length, weights, 0);
        MatrixKernel kernel = kernels.matrix(type.type());
        for (int tokens : TOKENS) {
            float[] x = new float[tokens * COLUMNS];
            for (int i = 0; i < x.length; i++) {
                x[i] = (float) Math.cos(i * 0.3);
            }
            float[] packed = new float[kernels.packedLength(COLUMNS, tokens)];
            Activations activations = new Activations(x, 0, tokens, COLUMNS, packed);
            for (int part = 0; packed.length > 0 && part < kernels.packParts(COLUMNS, tokens); part++) {
                kernels.pack(activations, part);
            }
            float[] out = new float[tokens * ROWS];
            float[] scratch = new float[kernel.scratchLength(COLUMNS, tokens)];
            kernel.multiply(blocks, 0, ROWS, activations, out, 0, ROWS, scratch);
            for (int i = 0; i < out.length; i++) {
                if (!isNear(out[i], weights, i % ROWS * COLUMNS, x, i / ROWS * COLUMNS)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static boolean isNear(float found, float[] weights, int row, float[] x, int token) {
        double sum = 0;
        double magnitudes = 0;
        for (int c = 0; c < COLUMNS; c++) {
            double product = (double) weights[row + c] * x[token + c];
            sum += product;
            magnitudes += Math.abs(product);
        }
        return Math.abs(found - sum) <= TOLERANCE * magnitudes;
    }
}
