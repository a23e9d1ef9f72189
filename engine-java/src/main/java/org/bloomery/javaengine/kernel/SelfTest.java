package org.bloomery.javaengine.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bloomery.javaengine.quant.QuantType;
import org.bloomery.javaengine.quant.QuantTypes;

/**
 * Compares a tier's products with plain sums, once, before it is used: vector code is compiled and machine code assembled at run
 * time, and a fault there would otherwise show only as bad answers.
 */
final class SelfTest {

    private static final int ROWS = 5;
    private static final int COLUMNS = 256;

    /** One for each way to compute: alone, few, and many. */
    private static final int[] TOKENS = {1, 5, 33};

    /** Of the sum of magnitudes: far above rounding of 256 additions, far below any wrong weight. */
    private static final double TOLERANCE = 1e-5;

    private SelfTest() {}

    /** What is wrong with this tier; empty where nothing is. Types that are not read here are passed over. */
    static Optional<String> failure(Kernels kernels, List<WeightSample> samples) {
        for (WeightSample sample : samples) {
            try {
                if (QuantTypes.supports(sample.type()) && !agrees(kernels, sample)) {
                    return Optional.of("products of " + sample.type() + " differ from scalar ones");
                }
            } catch (RuntimeException | LinkageError e) {
                return Optional.of("products of " + sample.type() + " end in " + e);
            }
        }
        if (!attendsAsScalar(kernels.attention())) {
            return Optional.of("the products of attention differ from scalar ones");
        }
        return agrees(kernels.elementwise())
                ? Optional.empty()
                : Optional.of("exponentials differ from those in double precision");
    }

    /** Some exponentials, as softmax and the feed-forward gate take them. */
    private static boolean agrees(ElementwiseKernel elementwise) {
        float[] softmax = new float[37];
        float[] gate = new float[softmax.length];
        float[] up = new float[softmax.length];
        for (int i = 0; i < softmax.length; i++) {
            softmax[i] = -0.5f * i;
            gate[i] = (float) Math.sin(i * 0.7) * 9;
            up[i] = 1;
        }
        float[] gated = gate.clone();
        float sum =
                elementwise.exponentials(softmax, 0, softmax.length, elementwise.greatest(softmax, 0, softmax.length));
        elementwise.swiglu(gated, up, 0, gated.length);
        boolean agrees = Math.abs(sum - 1 / (1 - Math.exp(-0.5))) <= 1e-4;
        for (int i = 0; i < gate.length; i++) {
            agrees &= Math.abs(softmax[i] - Math.exp(-0.5 * i)) <= TOLERANCE;
            agrees &= Math.abs(gated[i] - gate[i] / (1 + Math.exp(-gate[i]))) <= TOLERANCE * 9;
        }
        return agrees;
    }

    /** One product of the shape that attention has. */
    private static boolean attendsAsScalar(AttentionKernel attention) {
        int rows = ROWS;
        int inner = 37;
        int columns = 64;
        float[] a = new float[rows * inner];
        float[] b = new float[inner * columns];
        for (int i = 0; i < a.length; i++) {
            a[i] = (float) Math.sin(i * 0.7);
        }
        for (int i = 0; i < b.length; i++) {
            b[i] = (float) Math.cos(i * 0.3);
        }
        float[] found = new float[rows * columns];
        float[] expected = new float[rows * columns];
        attention.multiplyAdd(a, inner, b, found, rows, inner, columns);
        new ScalarAttentionKernel().multiplyAdd(a, inner, b, expected, rows, inner, columns);
        for (int i = 0; i < found.length; i++) {
            if (!(Math.abs(found[i] - expected[i]) <= TOLERANCE * inner)) {
                return false;
            }
        }
        return true;
    }

    /** A few rows of every type, where no model's are at hand. */
    static List<WeightSample> samples() {
        List<WeightSample> samples = new ArrayList<>();
        for (QuantType type : QuantTypes.all()) {
            float[] weights = new float[ROWS * COLUMNS];
            for (int i = 0; i < weights.length; i++) {
                weights[i] = (float) Math.sin(i * 0.7) * (1 + i / COLUMNS);
            }
            MemorySegment blocks = Arena.ofAuto().allocate(type.type().byteSize(weights.length));
            type.quantize(weights, 0, weights.length, blocks, 0);
            samples.add(new WeightSample(type.type(), blocks, ROWS, COLUMNS));
        }
        return samples;
    }

    private static boolean agrees(Kernels kernels, WeightSample sample) {
        int columns = sample.columns();
        int rows = Math.min(ROWS, sample.rows());
        float[] weights = new float[rows * columns];
        QuantTypes.of(sample.type()).dequantize(sample.weights(), 0, weights.length, weights, 0);
        MatrixKernel kernel = kernels.matrix(sample.type());
        if (!agrees(kernel, sample.weights(), weights, rows, columns)) {
            return false;
        }
        Optional<Interleaving> layout = kernel.interleaving(columns);
        if (layout.isEmpty()) {
            return true;
        }
        long rowBytes = sample.type().byteSize(columns);
        byte[] bytes = new byte[Math.toIntExact(layout.get().byteSize(rows, rowBytes))];
        MemorySegment interleaved = MemorySegment.ofArray(bytes);
        layout.get().copy(sample.weights(), 0, rows, rowBytes, interleaved);
        return agrees(kernel.interleaved(), interleaved, weights, rows, columns);
    }

    private static boolean agrees(MatrixKernel kernel, MemorySegment blocks, float[] weights, int rows, int columns) {
        for (int tokens : TOKENS) {
            float[] x = new float[tokens * columns];
            for (int i = 0; i < x.length; i++) {
                x[i] = (float) Math.cos(i * 0.3);
            }
            ActivationForm form = kernel.form();
            float[] packed = new float[form.length(columns, tokens)];
            Activations activations = new Activations(x, 0, tokens, columns, packed);
            for (int part = 0; packed.length > 0 && part < form.parts(columns, tokens); part++) {
                form.pack(activations, part);
            }
            float[] multiplied = new float[x.length];
            for (int token = 0; token < tokens; token++) {
                form.round(x, token * columns, columns, multiplied, token * columns);
            }
            float[] out = new float[tokens * rows];
            float[] scratch = new float[kernel.scratchLength(columns, tokens)];
            kernel.multiply(blocks, 0, rows, activations, out, 0, rows, scratch);
            for (int i = 0; i < out.length; i++) {
                if (!isNear(out[i], weights, i % rows * columns, multiplied, i / rows * columns, columns)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static boolean isNear(float found, float[] weights, int row, float[] x, int token, int columns) {
        double sum = 0;
        double magnitudes = 0;
        for (int c = 0; c < columns; c++) {
            double product = (double) weights[row + c] * x[token + c];
            sum += product;
            magnitudes += Math.abs(product);
        }
        // A model may hold infinities; what is no number can be compared with nothing.
        return !Double.isFinite(magnitudes) || Math.abs(found - sum) <= TOLERANCE * magnitudes;
    }
}
