package org.bloomery.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Logits of llama.cpp for a tiny model, token by token (the golden folder tells how they were made).
 *
 * @param model the model's file
 * @param tokens what was fed
 * @param logits what came out after each
 */
public record GoldenLogits(Path model, int[] tokens, float[][] logits) {

    /** Of the range of all logits: what float sums in another order may differ by. */
    private static final double TOLERANCE = 2e-3;

    /** The golden logits of a model of this name; a test that asks where they are not there is skipped. */
    public static GoldenLogits of(String name) {
        Path folder = Path.of(System.getProperty("bloomery.shared", "")).resolve("golden/architectures");
        Assumptions.assumeTrue(
                Files.isDirectory(folder), "The golden architectures are not in this checkout's shared folder.");
        try {
            return read(folder.resolve(name + ".gguf"), folder.resolve(name + ".json"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** All names there are; empty where the golden folder is not there. */
    public static List<String> names() {
        Path folder = Path.of(System.getProperty("bloomery.shared", "")).resolve("golden/architectures");
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".gguf"))
                    .map(name -> name.substring(0, name.length() - ".gguf".length()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Feeds the tokens in one batch, in chunks and one by one, alone and beside another sequence. */
    public void check(Backend backend) {
        for (int chunk : new int[] {tokens.length, 5, 1}) {
            for (boolean beside : new boolean[] {false, true}) {
                float[][] found = run(backend, chunk, beside);
                double worst = 0;
                for (int row = 0; row < found.length; row++) {
                    for (int i = 0; i < found[row].length; i++) {
                        double difference = Math.abs(found[row][i] - logits[row][i]);
                        // a NaN is as wrong as can be
                        worst = difference <= worst ? worst : difference;
                    }
                }
                assertThat(worst / range())
                        .as("chunks of %d, %s", chunk, beside ? "beside another sequence" : "alone")
                        .isLessThanOrEqualTo(TOLERANCE);
            }
        }
    }

    private double range() {
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

    private float[][] run(Backend backend, int chunk, boolean beside) {
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
            Logits found = backend.forward(batch);
            for (int i = from; i < to; i++) {
                found.copyRow(i - from, rows[i]);
            }
        }
        return rows;
    }

    private static GoldenLogits read(Path model, Path file) throws IOException {
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
        return new GoldenLogits(model, tokens, rows.toArray(float[][]::new));
    }
}
