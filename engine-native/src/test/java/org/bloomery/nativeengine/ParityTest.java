package org.bloomery.nativeengine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.bloomery.engine.backend.Availability;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.BackendProvider;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.GoldenLogits;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.backend.Logits;
import org.bloomery.engine.backend.TinyModel;
import org.bloomery.engine.backend.TinyModels;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.JavaBackendProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Two backends that share no code give the same logits and the same greedy answers. */
class ParityTest {

    private static final int PROMPT = 40;
    private static final int ANSWER = 64;

    /** Float weights differ by the order of sums alone. */
    private static final double FLOAT_TOLERANCE = 2e-3;

    /** llama.cpp rounds activations to the 8 bits of a BF16 fraction for weights of that type. */
    private static final double BF16_TOLERANCE = 3e-2;

    /** It rounds them to whole numbers of 8 bits for quantised weights. */
    private static final double QUANTIZED_TOLERANCE = 8e-2;

    @TempDir
    static Path folder;

    @BeforeAll
    static void requireNatives() {
        Natives.require();
    }

    record Case(String name, Path file, double tolerance) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (String name : GoldenLogits.names()) {
            Path file = GoldenLogits.of(name).model();
            try (ModelFile model = GgufReader.open(file, LoadMode.MAP)) {
                if (new JavaBackendProvider().supports(model) instanceof Availability.Available) {
                    cases.add(new Case(name, file, FLOAT_TOLERANCE));
                }
            }
        }
        for (TensorType type : List.of(TensorType.F32, TensorType.F16, TensorType.BF16)) {
            double tolerance = type == TensorType.BF16 ? BF16_TOLERANCE : FLOAT_TOLERANCE;
            cases.add(written(TinyModels.llama3(7, type), tolerance));
            cases.add(written(TinyModels.qwen3(7, type), tolerance));
        }
        cases.add(written(TinyModels.mixtral(7, TensorType.F32), FLOAT_TOLERANCE));
        cases.add(written(TinyModels.qwen2(7, TensorType.F32), FLOAT_TOLERANCE));
        Stream.of(
                        TensorType.Q8_0,
                        TensorType.Q4_0,
                        TensorType.Q4_1,
                        TensorType.Q5_0,
                        TensorType.Q5_1,
                        TensorType.Q4_K,
                        TensorType.Q5_K,
                        TensorType.Q6_K)
                .flatMap(type -> Stream.of(TinyModels.llama(7, type), TinyModels.qwen3(7, type)))
                .forEach(model -> cases.add(written(model, QUANTIZED_TOLERANCE)));
        return cases;
    }

    private static Case written(TinyModel model, double tolerance) {
        return new Case(model.toString(), model.write(folder), tolerance);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void bothBackendsAgree(Case given) {
        BackendOptions options = new BackendOptions(PROMPT + ANSWER, 1, PROMPT, 1, "auto", "F32");
        try (ModelFile model = GgufReader.open(given.file(), LoadMode.MAP);
                Backend java = open(new JavaBackendProvider(), model, options);
                Backend llama = open(new NativeBackendProvider(), model, options)) {
            int vocabSize = java.info().vocabSize();
            assertThat(llama.info().vocabSize()).isEqualTo(vocabSize);
            int[] prompt = new SplittableRandom(5).ints(PROMPT, 0, vocabSize).toArray();
            List<float[]> ours = feed(java, prompt, 0);
            List<float[]> theirs = feed(llama, prompt, 0);
            for (int i = 0; i < PROMPT; i++) {
                assertClose(ours.get(i), theirs.get(i), given.tolerance(), "prompt token " + i);
            }
            float[] row = ours.getLast();
            float[] other = theirs.getLast();
            for (int i = 0; i < ANSWER; i++) {
                int token = greatest(row);
                // Where two tokens are as good as equal, either is right, and both go on with ours
                assertThat((row[token] - row[greatest(other)]) / range(row))
                        .as("greedy token %d", i)
                        .isLessThanOrEqualTo((float) (2 * given.tolerance()));
                row = feed(java, new int[] {token}, PROMPT + i).getFirst();
                other = feed(llama, new int[] {token}, PROMPT + i).getFirst();
                assertClose(row, other, given.tolerance(), "answer token " + i);
            }
        }
    }

    private static Backend open(BackendProvider provider, ModelFile model, BackendOptions options) {
        return provider.open(model, options, LoadProgress.NONE);
    }

    private static List<float[]> feed(Backend backend, int[] tokens, int from) {
        Batch batch = new Batch(tokens.length);
        for (int i = 0; i < tokens.length; i++) {
            batch.add(tokens[i], from + i, 0, true);
        }
        Logits logits = backend.forward(batch);
        List<float[]> rows = new ArrayList<>();
        for (int i = 0; i < tokens.length; i++) {
            float[] row = new float[logits.vocabSize()];
            logits.copyRow(i, row);
            rows.add(row);
        }
        return rows;
    }

    private static void assertClose(float[] ours, float[] theirs, double tolerance, String what) {
        double worst = 0;
        for (int i = 0; i < ours.length; i++) {
            double difference = Math.abs(ours[i] - theirs[i]);
            worst = difference <= worst ? worst : difference;
        }
        assertThat(worst / range(ours)).as(what).isLessThanOrEqualTo(tolerance);
    }

    private static int greatest(float[] row) {
        int best = 0;
        for (int i = 1; i < row.length; i++) {
            best = row[i] > row[best] ? i : best;
        }
        return best;
    }

    private static double range(float[] row) {
        float least = row[0];
        float most = row[0];
        for (float value : row) {
            least = Math.min(least, value);
            most = Math.max(most, value);
        }
        return most - least;
    }
}
