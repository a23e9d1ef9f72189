package org.bloomery.javaengine;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendContract;
import org.bloomery.engine.backend.BackendInfo;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.BackendProvider;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.backend.ReferenceDecoder;
import org.bloomery.engine.backend.TinyModel;
import org.bloomery.engine.backend.TinyModels;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.quant.QuantTypes;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The backend with the fastest kernels of this machine. */
class JavaBackendTest extends BackendContract {

    private static final long SEED = 42;

    @Override
    protected BackendProvider provider() {
        return new JavaBackendProvider();
    }

    Stream<TinyModel> modelsOfEveryKind() {
        Stream<TinyModel> types = QuantTypes.all().stream()
                .map(type -> type.type())
                .flatMap(type -> Stream.of(TinyModels.llama3(SEED, type), TinyModels.qwen3(SEED, type)));
        Stream<TinyModel> traits = Stream.of(
                TinyModels.qwen2(SEED, TensorType.F32),
                TinyModels.mixtral(SEED, TensorType.F32),
                TinyModels.mixtral(SEED, TensorType.Q6_K).key("llama.expert_weights_scale", 2.5f),
                TinyModels.llama(SEED, TensorType.F32)
                        .key("llama.rope.scaling.type", "linear")
                        .key("llama.rope.scaling.factor", 4f),
                TinyModels.qwen2(SEED, TensorType.F32)
                        .key("qwen2.rope.scaling.type", "yarn")
                        .key("qwen2.rope.scaling.factor", 4f)
                        .key("qwen2.rope.scaling.original_context_length", 32),
                TinyModels.llama(SEED, TensorType.F32)
                        .tensor("blk.1.attn_output.bias", TensorType.F32, 64)
                        .tensor("blk.0.attn_v.bias", TensorType.F32, 32)
                        .tensor("blk.0.ffn_up.bias", TensorType.F32, 96)
                        .tensor("blk.1.ffn_down.bias", TensorType.F32, 64));
        return Stream.concat(types, traits);
    }

    /**
     * Of the logits' range: additions in another order, or the rounding of activations in machine code, product after
     * product: to int8 each by up to 1/254 of the largest of its block, to brain floats by up to 1/256 of itself.
     */
    private static double tolerance(Opened opened) {
        if (roundsToInt8(opened)) {
            return 4e-2;
        }
        boolean brainFloats = opened.backend().info().kernels().equals("machine-avx512-bf16")
                && opened.file().tensors().stream().anyMatch(tensor -> tensor.type() == TensorType.BF16);
        return brainFloats ? 1e-2 : 2e-4;
    }

    private static boolean roundsToInt8(Opened opened) {
        return opened.backend().info().kernels().startsWith("machine")
                && opened.file().tensors().stream()
                        .anyMatch(tensor -> tensor.type().blockSize() > 1);
    }

    @ParameterizedTest
    @MethodSource("modelsOfEveryKind")
    void agreesWithThePlainForwardPass(TinyModel model) {
        try (Opened opened = open(model)) {
            boolean routes = opened.file().tensors().stream()
                    .anyMatch(tensor -> tensor.name().contains("_exps"));
            Assumptions.assumeFalse(
                    routes && roundsToInt8(opened),
                    "Random experts, and rounded activations that may tip the choice between two of them");
            int[] tokens = tokens(model, 70, SEED);
            float[][] logits = feed(opened.backend(), tokens, 0, 50);
            ReferenceDecoder reference = new ReferenceDecoder(opened.file(), tensor -> floats(opened, tensor));
            double least = Double.POSITIVE_INFINITY;
            double most = Double.NEGATIVE_INFINITY;
            double worst = 0;
            for (int i = 0; i < tokens.length; i++) {
                double[] expected = reference.next(tokens[i]);
                for (int j = 0; j < expected.length; j++) {
                    least = Math.min(least, expected[j]);
                    most = Math.max(most, expected[j]);
                    double difference = Math.abs(logits[i][j] - expected[j]);
                    worst = difference <= worst ? worst : difference;
                }
            }
            assertThat(worst / (most - least)).isLessThanOrEqualTo(tolerance(opened));
        }
    }

    @Test
    void copiesWeightsWhereThatIsAllowedAndGivesTheSameLogits(@TempDir Path folder) {
        TinyModel model = TinyModels.llama3(SEED, TensorType.Q8_0);
        Path file = model.write(folder);
        int[] tokens = tokens(model, 60, SEED);
        float[][] expected = null;
        for (LoadMode mode : new LoadMode[] {LoadMode.MAP, LoadMode.COPY}) {
            for (boolean repack : new boolean[] {true, false}) {
                BackendOptions options = new BackendOptions(64, 1, 64, 2, "auto", "F32", repack, DeviceOptions.DEFAULT);
                try (ModelFile opened = GgufReader.open(file, mode);
                        Backend backend = provider().open(opened, options, LoadProgress.NONE)) {
                    BackendInfo info = backend.info();
                    boolean copies =
                            repack && mode == LoadMode.MAP && info.kernels().startsWith("machine-avx512");
                    assertThat(info.memory().repacked() > 0)
                            .as("%s, %s, %s", mode, repack, info.kernels())
                            .isEqualTo(copies);
                    float[][] logits = feed(backend, tokens, 0, 7);
                    expected = expected == null ? logits : expected;
                    assertThat(logits).isDeepEqualTo(expected);
                }
            }
        }
    }

    private static float[] floats(Opened opened, TensorInfo tensor) {
        float[] floats = new float[(int) tensor.elements()];
        MemorySegment data = opened.file().data(tensor);
        QuantTypes.of(tensor.type()).dequantize(data, 0, floats.length, floats, 0);
        return floats;
    }
}
