package org.bloomery.nativeengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.backend.Availability;
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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What may not reach native code does not. */
class ModelChecksTest {

    @TempDir
    Path folder;

    private ModelFile open(TinyModel model) {
        return GgufReader.open(model.write(folder), LoadMode.MAP);
    }

    static List<TinyModel> models() {
        return TinyModels.all(1);
    }

    @ParameterizedTest
    @MethodSource("models")
    void takesSoundModels(TinyModel model) {
        try (ModelFile file = open(model)) {
            ModelChecks.Facts facts = ModelChecks.check(file);
            assertThat(facts.vocabSize()).isEqualTo(model.vocabSize());
            assertThat(facts.layers()).isEqualTo(2);
            assertThat(facts.cacheElements()).hasSize(2).doesNotContain(0);
            assertThat(new NativeBackendProvider().supports(file)).isInstanceOf(Availability.Available.class);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "block_count, 0",
        "block_count, 513",
        "block_count, -1",
        "embedding_length, 0",
        "embedding_length, 128",
        "embedding_length, 2000000000",
        "context_length, 0",
        "attention.head_count, -4",
        "attention.head_count, 7",
        "attention.head_count, 100000",
        "attention.head_count_kv, 3",
        "attention.head_count_kv, -2",
        "feed_forward_length, -1",
        "attention.key_length, 0",
        "attention.key_length, 100000",
        "attention.value_length, -16",
        "rope.dimension_count, 15",
        "rope.dimension_count, 512",
        "rope.dimension_count, -2",
        "expert_count, 513",
        "expert_count, -1",
        "expert_used_count, 3",
        "attention.sliding_window, -1",
    })
    void refusesNumbersThatContradictTheRest(String key, int value) {
        try (ModelFile file = open(TinyModels.llama(1, TensorType.F32).key("llama." + key, value))) {
            assertThatThrownBy(() -> ModelChecks.check(file))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining(
                            key.startsWith("embedding") && value == 128 ? "token_embd" : key.split("_")[0]);
        }
    }

    @Test
    void refusesWhatIsNoFiniteNumber() {
        for (String key : List.of("attention.layer_norm_rms_epsilon", "rope.freq_base")) {
            for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, -1}) {
                try (ModelFile file = open(TinyModels.llama(1, TensorType.F32).key("llama." + key, value))) {
                    assertThatThrownBy(() -> ModelChecks.check(file))
                            .isInstanceOf(ModelFormatException.class)
                            .hasMessageContaining(key);
                }
            }
        }
    }

    @Test
    void refusesAMissingKeyOrTensorByItsName() {
        TinyModel noKey = TinyModels.llama(1, TensorType.F32);
        noKey.keys().remove("llama.attention.head_count");
        try (ModelFile file = open(noKey)) {
            assertThatThrownBy(() -> ModelChecks.check(file))
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessageContaining("llama.attention.head_count");
        }
    }

    @Test
    void refusesAnArchitectureThatNeedsMoreThanTokens() {
        for (String name : List.of("clip", "t5", "bert", "whisper", "", "LLAMA", "llama\u0000")) {
            try (ModelFile file = open(TinyModels.llama(1, TensorType.F32).key("general.architecture", name))) {
                assertThatThrownBy(() -> ModelChecks.check(file))
                        .isInstanceOf(UnsupportedModelException.class)
                        .hasMessageContaining("'" + name + "'");
                assertThat(new NativeBackendProvider().supports(file)).isInstanceOf(Availability.Unavailable.class);
            }
        }
    }

    @Test
    void refusesAVocabularyOfAnotherSize() {
        TinyModel model = TinyModels.withVocabulary(TinyModels.llama(1, TensorType.F32));
        List<String> tokens = new ArrayList<>();
        ((List<?>) Objects.requireNonNull(model.keys().get("tokenizer.ggml.tokens")))
                .forEach(token -> tokens.add((String) token));
        tokens.removeLast();
        try (ModelFile file = open(model.key("tokenizer.ggml.tokens", tokens))) {
            assertThatThrownBy(() -> ModelChecks.check(file))
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessageContaining("tokenizer.ggml.tokens");
        }
    }

    /** Every key of every model: left out, 0, -1, twice as much, of another type. Nothing but our own errors comes out. */
    @Test
    void everyMutationIsTakenOrRefusedInOneSentence() {
        int refused = 0;
        int count = 0;
        for (TinyModel model : TinyModels.all(1)) {
            for (String key : List.copyOf(model.keys().keySet())) {
                Object value = model.keys().get(key);
                List<Consumer<TinyModel>> mutations = Stream.<Object>of(
                                0,
                                -1,
                                Integer.MAX_VALUE,
                                Integer.MIN_VALUE,
                                3,
                                1f,
                                Float.NaN,
                                true,
                                "x",
                                new int[] {1},
                                new int[] {-1, 1 << 30})
                        .map(changed -> (Consumer<TinyModel>) target -> target.key(key, changed))
                        .toList();
                for (Consumer<TinyModel> mutation : mutations) {
                    TinyModel mutant = copy(model);
                    mutation.accept(mutant);
                    refused += refuses(mutant) ? 1 : 0;
                    count++;
                }
                TinyModel without = copy(model);
                without.keys().remove(key);
                refused += refuses(without) ? 1 : 0;
                count++;
                if (value instanceof Integer number) {
                    refused += refuses(copy(model).key(key, number * 2)) ? 1 : 0;
                    count++;
                }
            }
        }
        assertThat(refused).isBetween(count / 2, count - 1);
    }

    private static TinyModel copy(TinyModel model) {
        TinyModel copy = new TinyModel("mutant", 1);
        model.keys().forEach(copy::key);
        model.tensors()
                .forEach((name, tensor) -> copy.tensor(
                        name,
                        tensor.type(),
                        tensor.shape().stream().mapToLong(Long::longValue).toArray()));
        return copy;
    }

    private boolean refuses(TinyModel model) {
        try (ModelFile file = open(model)) {
            boolean[] refused = new boolean[1];
            assertThatCode(() -> {
                        try {
                            ModelChecks.check(file);
                        } catch (EngineException e) {
                            assertThat(e.getMessage()).isNotBlank();
                            refused[0] = true;
                        }
                    })
                    .doesNotThrowAnyException();
            return refused[0];
        } catch (EngineException e) {
            // Already the reader refuses it
            return true;
        }
    }
}
