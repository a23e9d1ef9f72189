package org.bloomery.javaengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.InsufficientMemoryException;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.backend.Availability;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.backend.TinyModel;
import org.bloomery.engine.backend.TinyModels;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.ModelFormatException;
import org.bloomery.engine.format.TensorType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Well-formed files whose hyper-parameters or tensors are wrong: each is refused by name, or runs as it is. */
class MalformedModelTest {

    private static final BackendOptions OPTIONS = new BackendOptions(16, 1, 16, 1, "scalar", "F16");

    @TempDir
    Path folder;

    static List<Supplier<TinyModel>> models() {
        return List.of(
                () -> TinyModels.llama3(7, TensorType.F32),
                () -> TinyModels.mixtral(7, TensorType.Q8_0).key("llama.expert_weights_scale", 1f),
                () -> TinyModels.qwen2(7, TensorType.F32)
                        .key("qwen2.rope.scaling.type", "yarn")
                        .key("qwen2.rope.scaling.factor", 2f)
                        .key("qwen2.rope.scaling.attn_factor", 1f)
                        .key("qwen2.rope.scaling.original_context_length", 256),
                () -> TinyModels.withVocabulary(TinyModels.qwen3(7, TensorType.F32)));
    }

    @ParameterizedTest
    @MethodSource("models")
    void everyWrongKeyIsRefusedByNameOrHarmless(Supplier<TinyModel> models) {
        for (String key : models.get().keys().keySet()) {
            if (key.startsWith("tokenizer.") && !key.equals("tokenizer.ggml.tokens")) {
                continue;
            }
            for (Object value : wrongValues(models.get().keys().get(key))) {
                TinyModel model = models.get().key(key, value);
                runsOrIsRefusedNaming(model, key.substring(key.indexOf('.') + 1));
            }
            TinyModel without = models.get();
            without.keys().remove(key);
            runsOrIsRefusedNaming(without, "");
        }
    }

    private static List<Object> wrongValues(Object value) {
        List<Object> wrong = new ArrayList<>(List.of("text", true, List.of("a", "b"), new int[] {1, 2}));
        switch (value) {
            case Integer number -> wrong.addAll(List.of(0, -number, 2 * number, number + 1, Integer.MAX_VALUE, 1.5f));
            case Float number ->
                wrong.addAll(List.of(
                        0f,
                        -number,
                        2 * number,
                        Float.NaN,
                        Float.POSITIVE_INFINITY,
                        Float.MIN_VALUE,
                        Float.MAX_VALUE,
                        1));
            default -> wrong.addAll(List.of(1, 1f, ""));
        }
        return wrong;
    }

    @ParameterizedTest
    @MethodSource("models")
    void everyWrongTensorIsRefusedByName(Supplier<TinyModel> models) {
        for (String name : models.get().tensors().keySet()) {
            TinyModel.Tensor good =
                    Objects.requireNonNull(models.get().tensors().get(name));
            long[] shape = good.shape().stream().mapToLong(Long::longValue).toArray();

            if (!name.equals("rope_freqs.weight") && !name.endsWith(".bias") && !name.equals("output.weight")) {
                TinyModel without = models.get();
                without.tensors().remove(name);
                refusedAs(ModelFormatException.class, without, "Tensor '" + name + "' is missing");
            }
            for (int dimension = 0; dimension < shape.length; dimension++) {
                long[] wrong = shape.clone();
                wrong[dimension] *= 2;
                refusedAs(
                        ModelFormatException.class,
                        models.get().tensor(name, good.type(), wrong),
                        "Tensor '" + name + "' has shape " + Arrays.toString(wrong));
            }
            refusedAs(
                    UnsupportedModelException.class,
                    models.get().tensor(name, TensorType.I32, shape),
                    "Tensor '" + name + "' has type I32");
        }
    }

    @Test
    void namesAllWrongTensorsAtOnce() {
        TinyModel model = TinyModels.qwen2(7, TensorType.F32);
        model.tensors().remove("output_norm.weight");
        model.tensor("blk.1.attn_q.weight", TensorType.F32, 64, 32).tensor("extra\n.weight", TensorType.F32, 3);
        refusedAs(
                ModelFormatException.class,
                model,
                "Tensor 'blk.1.attn_q.weight' has shape [64, 32]; architecture 'qwen2' needs [64, 64]",
                "Tensor 'output_norm.weight' is missing; architecture 'qwen2' needs it with shape [64]",
                "Tensor 'extra?.weight' is not known to architecture 'qwen2'",
                "qwen-2-F32.gguf");
    }

    @Test
    void namesAllWrongHyperParametersAtOnce() {
        refusedAs(
                ModelFormatException.class,
                TinyModels.llama(7, TensorType.F32)
                        .key("llama.block_count", 513)
                        .key("llama.attention.head_count_kv", 3)
                        .key("llama.rope.scaling.type", "sideways"),
                "'llama.block_count' is 513, expected 1 to 512",
                "'llama.attention.head_count_kv' is 3, expected a divisor",
                "'llama.rope.scaling.type' is 'sideways', expected linear, yarn or none");
    }

    @Test
    void namesTheKnownArchitectures() {
        TinyModel model = TinyModels.llama(7, TensorType.F32).key("general.architecture", "whale");
        refusedAs(UnsupportedModelException.class, model, "'whale'", "llama", "qwen2", "qwen3");
        try (ModelFile file = open(model)) {
            assertThat(new JavaBackendProvider().supports(file))
                    .isInstanceOfSatisfying(
                            Availability.Unavailable.class,
                            why -> assertThat(why.reason()).contains("whale"));
        }
    }

    @Test
    void saysBeforehandWhichTypesItCannotRead() {
        TinyModel model = TinyModels.llama(7, TensorType.F32).tensor("output.weight", TensorType.IQ2_XXS, 256, 61);
        try (ModelFile file = open(model)) {
            assertThat(new JavaBackendProvider().supports(file))
                    .isInstanceOfSatisfying(
                            Availability.Unavailable.class,
                            why -> assertThat(why.reason()).contains("IQ2_XXS"));
        }
    }

    @Test
    void refusesWhatDoesNotFitInMemoryBeforeTakingAny() {
        try (ModelFile file = open(TinyModels.llama(7, TensorType.F32))) {
            BackendOptions cache = new BackendOptions(1 << 24, 256, 256, 1, "scalar", "F32");
            assertThatThrownBy(() -> new JavaBackendProvider().open(file, cache, LoadProgress.NONE))
                    .isInstanceOf(InsufficientMemoryException.class)
                    .hasMessageContaining("256 sequences of 16777216 tokens")
                    .hasMessageContaining("lower context-length");
            BackendOptions batch = new BackendOptions(16, 1, 2_000_000, 1, "scalar", "F32");
            assertThatThrownBy(() -> new JavaBackendProvider().open(file, batch, LoadProgress.NONE))
                    .isInstanceOf(InsufficientMemoryException.class)
                    .hasMessageContaining("batch-tokens");
        }
    }

    @Test
    void refusesOptionsByName() {
        try (ModelFile file = open(TinyModels.llama(7, TensorType.F32))) {
            List<BackendOptions> wrong = List.of(
                    new BackendOptions(0, 1, 16, 1, "scalar", "F16"),
                    new BackendOptions(16, 0, 16, 1, "scalar", "F16"),
                    new BackendOptions(16, 4, 3, 1, "scalar", "F16"),
                    new BackendOptions(16, 1, 16, -1, "scalar", "F16"),
                    new BackendOptions(16, 1, 16, 1, "quantum", "F16"),
                    new BackendOptions(16, 1, 16, 1, "scalar", "Q4_0"));
            List<String> names =
                    List.of("context-length", "max-sequences", "batch-tokens", "threads", "kernels", "kv-cache-type");
            for (int i = 0; i < wrong.size(); i++) {
                BackendOptions options = wrong.get(i);
                assertThatThrownBy(() -> new JavaBackendProvider().open(file, options, LoadProgress.NONE))
                        .isInstanceOf(InvalidOptionException.class)
                        .hasMessageContaining(names.get(i));
            }
        }
    }

    private void runsOrIsRefusedNaming(TinyModel model, String name) {
        try (ModelFile file = open(model);
                Backend backend = new JavaBackendProvider().open(file, OPTIONS, LoadProgress.NONE)) {
            Batch batch = new Batch(1);
            batch.add(0, 0, 0, true);
            assertThat(backend.forward(batch).rows()).isEqualTo(1);
        } catch (EngineException e) {
            assertThat(e).isInstanceOfAny(ModelFormatException.class, UnsupportedModelException.class);
            // a length that contradicts others may be told by those
            assertThat(e.getMessage()).containsAnyOf(name, "needs", "Architecture", "the length of a head");
        }
    }

    private void refusedAs(Class<? extends EngineException> type, TinyModel model, String... parts) {
        try (ModelFile file = open(model)) {
            assertThatThrownBy(() -> new JavaBackendProvider()
                            .open(file, OPTIONS, LoadProgress.NONE)
                            .close())
                    .isInstanceOf(type)
                    .message()
                    .contains(parts);
        }
    }

    private ModelFile open(TinyModel model) {
        return GgufReader.open(model.write(folder), LoadMode.MAP);
    }
}
