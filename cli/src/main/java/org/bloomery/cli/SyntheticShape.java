package org.bloomery.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.GgufWriter;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorType;
import org.jspecify.annotations.Nullable;

/**
 * The dimensions of a published model.
 *
 * @param name what the command line calls it
 * @param architecture {@code llama}, {@code qwen2} or {@code qwen3}
 * @param layers number of blocks
 * @param embeddingLength width of the residual stream
 * @param feedForwardLength width of the feed-forward's inside
 * @param headCount attention heads
 * @param kvHeadCount heads of keys and values
 * @param headDim width of a head
 * @param vocabSize rows of the embedding
 * @param contextLength tokens it was trained for
 * @param ropeFreqBase RoPE's θ
 * @param ropeFactor Llama 3's RoPE scaling factor, or 0 for none
 * @param tied whether the output matrix is the embedding
 * @param experts number of experts, two of them used, or 0
 */
record SyntheticShape(
        String name,
        String architecture,
        int layers,
        int embeddingLength,
        int feedForwardLength,
        int headCount,
        int kvHeadCount,
        int headDim,
        int vocabSize,
        int contextLength,
        float ropeFreqBase,
        float ropeFactor,
        boolean tied,
        int experts) {

    private static final List<SyntheticShape> ALL = List.of(
            llama("smollm2-135m", 30, 576, 1536, 9, 3, 64, 49152, 8192, 1e5f, 0, true, 0),
            llama("tinyllama-1.1b", 22, 2048, 5632, 32, 4, 64, 32000, 2048, 1e4f, 0, false, 0),
            llama("llama-1b", 16, 2048, 8192, 32, 8, 64, 128256, 131072, 5e5f, 32, true, 0),
            llama("llama-3b", 28, 3072, 8192, 24, 8, 128, 128256, 131072, 5e5f, 32, true, 0),
            llama("llama-8b", 32, 4096, 14336, 32, 8, 128, 128256, 131072, 5e5f, 8, false, 0),
            llama("mistral-7b", 32, 4096, 14336, 32, 8, 128, 32768, 32768, 1e6f, 0, false, 0),
            llama("mixtral-8x7b", 32, 4096, 14336, 32, 8, 128, 32000, 32768, 1e6f, 0, false, 8),
            qwen("qwen2.5-0.5b", "qwen2", 24, 896, 4864, 14, 2, 64, 151936, true),
            qwen("qwen2.5-1.5b", "qwen2", 28, 1536, 8960, 12, 2, 128, 151936, true),
            qwen("qwen2.5-7b", "qwen2", 28, 3584, 18944, 28, 4, 128, 152064, false),
            qwen("qwen3-0.6b", "qwen3", 28, 1024, 3072, 16, 8, 128, 151936, true),
            qwen("qwen3-1.7b", "qwen3", 28, 2048, 6144, 16, 8, 128, 151936, true),
            qwen("qwen3-4b", "qwen3", 36, 2560, 9728, 32, 8, 128, 151936, true),
            qwen("qwen3-8b", "qwen3", 36, 4096, 12288, 32, 8, 128, 151936, false));

    /** The names of all shapes, for help texts. */
    static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return ALL.stream().map(SyntheticShape::name).iterator();
        }
    }

    private static SyntheticShape llama(
            String name,
            int layers,
            int embeddingLength,
            int feedForwardLength,
            int headCount,
            int kvHeadCount,
            int headDim,
            int vocabSize,
            int contextLength,
            float ropeFreqBase,
            float ropeFactor,
            boolean tied,
            int experts) {
        return new SyntheticShape(
                name,
                "llama",
                layers,
                embeddingLength,
                feedForwardLength,
                headCount,
                kvHeadCount,
                headDim,
                vocabSize,
                contextLength,
                ropeFreqBase,
                ropeFactor,
                tied,
                experts);
    }

    private static SyntheticShape qwen(
            String name,
            String architecture,
            int layers,
            int embeddingLength,
            int feedForwardLength,
            int headCount,
            int kvHeadCount,
            int headDim,
            int vocabSize,
            boolean tied) {
        return new SyntheticShape(
                name,
                architecture,
                layers,
                embeddingLength,
                feedForwardLength,
                headCount,
                kvHeadCount,
                headDim,
                vocabSize,
                32768,
                1e6f,
                0,
                tied,
                0);
    }

    /** @throws InvalidOptionException if there is no shape of this name */
    static SyntheticShape named(String name) {
        for (SyntheticShape shape : ALL) {
            if (shape.name().equalsIgnoreCase(name)) {
                return shape;
            }
        }
        throw new InvalidOptionException(
                "Option '--shape' is '" + name + "'; it must be one of " + String.join(", ", new Names()) + ".");
    }

    /**
     * Writes a model of this shape.
     *
     * @param vocab a GGUF file whose tokenizer and vocabulary size to take, or null for none
     */
    void write(Path file, SyntheticWeights weights, @Nullable Path vocab, LoadProgress progress) {
        GgufWriter writer = new GgufWriter();
        writer.string("general.architecture", architecture);
        writer.string("general.name", "synthetic " + name);
        writer.uint32(architecture + ".context_length", contextLength);
        writer.uint32(architecture + ".embedding_length", embeddingLength);
        writer.uint32(architecture + ".block_count", layers);
        writer.uint32(architecture + ".feed_forward_length", feedForwardLength);
        writer.uint32(architecture + ".attention.head_count", headCount);
        writer.uint32(architecture + ".attention.head_count_kv", kvHeadCount);
        writer.uint32(architecture + ".attention.key_length", headDim);
        writer.uint32(architecture + ".attention.value_length", headDim);
        writer.uint32(architecture + ".rope.dimension_count", headDim);
        writer.float32(architecture + ".rope.freq_base", ropeFreqBase);
        writer.float32(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f);
        if (experts > 0) {
            writer.uint32(architecture + ".expert_count", experts);
            writer.uint32(architecture + ".expert_used_count", 2);
        }
        int rows = vocabSize;
        if (vocab == null) {
            writer.string("tokenizer.ggml.model", "none");
        } else {
            try (ModelFile other = GgufReader.open(vocab, LoadMode.MAP)) {
                rows = other.metadata().strings("tokenizer.ggml.tokens").size();
                writer.copy(other.metadata(), key -> key.startsWith("tokenizer."));
            }
        }
        writer.uint32(architecture + ".vocab_size", rows);
        List<Matrix> matrices = addTensors(writer, weights, rows);
        long total = matrices.stream().mapToLong(Matrix::bytes).sum();
        long[] written = new long[1];
        for (Matrix matrix : matrices) {
            writer.tensor(matrix.name(), matrix.type(), matrix.shape(), out -> {
                long left = matrix.bytes();
                int chunk = CHUNK_BLOCKS * matrix.type().bytesPerBlock();
                ByteBuffer buffer = ByteBuffer.allocate(chunk);
                while (left > 0) {
                    buffer.clear().limit((int) Math.min(chunk, left));
                    weights.fill(buffer, matrix.type(), matrix.shape().getFirst());
                    left -= buffer.flip().remaining();
                    written[0] += buffer.remaining();
                    out.write(buffer);
                    progress.loaded((double) written[0] / total);
                }
            });
        }
        try {
            writer.write(file);
        } catch (IOException e) {
            throw new UncheckedIOException("File " + file + " cannot be written: " + e.getMessage(), e);
        }
    }

    private static final int CHUNK_BLOCKS = 4096;

    private record Matrix(String name, TensorType type, List<Long> shape) {

        long bytes() {
            return type.byteSize(shape.stream().reduce(1L, Math::multiplyExact));
        }
    }

    /** Adds the vectors at once and returns the matrices, which are made while the file is written. */
    private List<Matrix> addTensors(GgufWriter writer, SyntheticWeights weights, int rows) {
        List<Matrix> matrices = new ArrayList<>();
        TensorType embeddingType = weights.embeddingType(embeddingLength);
        matrices.add(new Matrix("token_embd.weight", embeddingType, List.of((long) embeddingLength, (long) rows)));
        if (!tied) {
            matrices.add(new Matrix("output.weight", embeddingType, List.of((long) embeddingLength, (long) rows)));
        }
        ones(writer, "output_norm.weight", embeddingLength);
        if (ropeFactor > 0) {
            float[] factors = ropeFactors();
            writer.tensor(
                    "rope_freqs.weight",
                    TensorType.F32,
                    List.of((long) factors.length),
                    SyntheticWeights.floats(factors));
        }
        int queryWidth = headCount * headDim;
        int keyWidth = kvHeadCount * headDim;
        for (int layer = 0; layer < layers; layer++) {
            String block = "blk." + layer + ".";
            ones(writer, block + "attn_norm.weight", embeddingLength);
            ones(writer, block + "ffn_norm.weight", embeddingLength);
            matrix(matrices, weights, block + "attn_q.weight", embeddingLength, queryWidth);
            matrix(matrices, weights, block + "attn_k.weight", embeddingLength, keyWidth);
            matrix(matrices, weights, block + "attn_v.weight", embeddingLength, keyWidth);
            matrix(matrices, weights, block + "attn_output.weight", queryWidth, embeddingLength);
            if (architecture.equals("qwen2")) {
                zeros(writer, block + "attn_q.bias", queryWidth);
                zeros(writer, block + "attn_k.bias", keyWidth);
                zeros(writer, block + "attn_v.bias", keyWidth);
            }
            if (architecture.equals("qwen3")) {
                ones(writer, block + "attn_q_norm.weight", headDim);
                ones(writer, block + "attn_k_norm.weight", headDim);
            }
            if (experts > 0) {
                writer.tensor(
                        block + "ffn_gate_inp.weight",
                        TensorType.F32,
                        List.of((long) embeddingLength, (long) experts),
                        weights.floats(embeddingLength * experts, embeddingLength));
                matrix(matrices, weights, block + "ffn_gate_exps.weight", embeddingLength, feedForwardLength, experts);
                matrix(matrices, weights, block + "ffn_up_exps.weight", embeddingLength, feedForwardLength, experts);
                matrix(matrices, weights, block + "ffn_down_exps.weight", feedForwardLength, embeddingLength, experts);
            } else {
                matrix(matrices, weights, block + "ffn_gate.weight", embeddingLength, feedForwardLength);
                matrix(matrices, weights, block + "ffn_up.weight", embeddingLength, feedForwardLength);
                matrix(matrices, weights, block + "ffn_down.weight", feedForwardLength, embeddingLength);
            }
        }
        return matrices;
    }

    private static void matrix(List<Matrix> matrices, SyntheticWeights weights, String name, long... shape) {
        List<Long> lengths = Arrays.stream(shape).boxed().toList();
        matrices.add(new Matrix(name, weights.matrixType(shape[0]), lengths));
    }

    private static void ones(GgufWriter writer, String name, int length) {
        float[] values = new float[length];
        Arrays.fill(values, 1);
        writer.tensor(name, TensorType.F32, List.of((long) length), SyntheticWeights.floats(values));
    }

    private static void zeros(GgufWriter writer, String name, int length) {
        writer.tensor(name, TensorType.F32, List.of((long) length), new byte[4 * length]);
    }

    /**
     * What Llama 3 divides RoPE's frequencies by: 1 for wavelengths below a quarter of the original context of 8,192
     * tokens, the factor for those above all of it, a blend between.
     */
    private float[] ropeFactors() {
        double original = 8192;
        double lowFrequency = 1;
        double highFrequency = 4;
        float[] factors = new float[headDim / 2];
        for (int i = 0; i < factors.length; i++) {
            double wavelength = 2 * Math.PI * Math.pow(ropeFreqBase, 2.0 * i / headDim);
            if (wavelength < original / highFrequency) {
                factors[i] = 1;
            } else if (wavelength > original / lowFrequency) {
                factors[i] = ropeFactor;
            } else {
                double smooth = (original / wavelength - lowFrequency) / (highFrequency - lowFrequency);
                factors[i] = (float) (1 / ((1 - smooth) / ropeFactor + smooth));
            }
        }
        return factors;
    }
}
