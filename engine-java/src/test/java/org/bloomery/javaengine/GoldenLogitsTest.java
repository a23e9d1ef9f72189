package org.bloomery.javaengine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.backend.Logits;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** Logits of llama.cpp for tiny models of every supported architecture (the golden folder tells how they were made). */
class GoldenLogitsTest {

    /** Of the range of all logits: what float sums in another order may differ by. */
    private static final double TOLERANCE = 2e-3;

    record Golden(int[] tokens, float[][] logits) {

        double range() {
            float least = Float.POSITIVE_INFINITY;
            float most = Float.NEGATIVE_INFINITY;
            for (float[] row : logits) {
                for (float value : row) {
                    least = Math.min(least, value);
                    most = Math.max(most, value);
                }
            }
            return most - least;
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            llama-dense | scalar | F32
            llama-dense | auto   | F32
            llama-moe   | scalar | F32
            llama-moe   | auto   | F32
            qwen2-dense | scalar | F32
            qwen2-dense | auto   | F32
            qwen3-dense | scalar | F32
            qwen3-dense | auto   | F32
            llama-dense | auto   | F16
            llama-moe   | auto   | F16
            qwen2-dense | auto   | F16
            qwen3-dense | auto   | F16
            """)
    void agreesWithLlamaCpp(String name, String kernels, String cacheType) throws IOException {
        Path folder = Path.of(System.getProperty("bloomery.shared", "")).resolve("golden/architectures");
        Assumptions.assumeTrue(
                Files.isDirectory(folder), "The golden architectures are not in this checkout's shared folder.");
        Golden golden = read(folder.resolve(name + ".json"));
        try (ModelFile file = GgufReader.open(folder.resolve(name + ".gguf"), LoadMode.MAP);
                Backend backend = new JavaBackendProvider()
                        .open(file, new BackendOptions(32, 3, 48, 2, kernels, cacheType), LoadProgress.NONE)) {
            for (int chunk : new int[] {24, 5, 1}) {
                for (boolean beside : new boolean[] {false, true}) {
                    float[][] logits = run(backend, golden.tokens(), chunk, beside);
                    double worst = 0;
                    for (int row = 0; row < logits.length; row++) {
                        for (int i = 0; i < logits[row].length; i++) {
                            worst = Math.max(worst, Math.abs(logits[row][i] - golden.logits()[row][i]));
                        }
                    }
                    assertThat(worst / golden.range())
                            .as("chunks of %d, %s", chunk, beside ? "beside another sequence" : "alone")
                            .isLessThanOrEqualTo(TOLERANCE);
                }
            }
        }
    }

    private static float[][] run(Backend backend, int[] tokens, int chunk, boolean beside) {
        int sequence = beside ? 2 : 0;
        backend.truncate(0, 0);
        backend.truncate(2, 0);
        float[][] rows = new float[tokens.length][backend.info().vocabSize()];
        for (int from = 0; from < tokens.length; from += chunk) {
            int to = Math.min(tokens.length, from + chunk);
            Batch batch = new Batch(2 * chunk);
            for (int i = from; i < to; i++) {
                if (beside) {
                    batch.add(tokens[tokens.length - 1 - i], i, 0, false);
                }
                batch.add(tokens[i], i, sequence, true);
            }
            Logits logits = backend.forward(batch);
            for (int i = from; i < to; i++) {
                logits.copyRow(i - from, rows[i]);
            }
        }
        return rows;
    }

    private static Golden read(Path file) throws IOException {
        List<float[]> rows = new ArrayList<>();
        int[] tokens = {};
        try (JsonParser json =
                JsonFactory.builder().build().createParser(ObjectReadContext.empty(), Files.readString(file))) {
            json.nextToken();
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                String name = json.currentName();
                json.nextToken();
                switch (name) {
                    case "tokens" -> {
                        List<Integer> ids = new ArrayList<>();
                        while (json.nextToken() != JsonToken.END_ARRAY) {
                            ids.add(json.getIntValue());
                        }
                        tokens = ids.stream().mapToInt(Integer::intValue).toArray();
                    }
                    case "logits" -> {
                        while (json.nextToken() != JsonToken.END_ARRAY) {
                            List<Float> row = new ArrayList<>();
                            while (json.nextToken() != JsonToken.END_ARRAY) {
                                row.add(json.getFloatValue());
                            }
                            float[] values = new float[row.size()];
                            for (int i = 0; i < values.length; i++) {
                                values[i] = row.get(i);
                            }
                            rows.add(values);
                        }
                    }
                    default -> json.skipChildren();
                }
            }
        }
        return new Golden(tokens, rows.toArray(float[][]::new));
    }
}
