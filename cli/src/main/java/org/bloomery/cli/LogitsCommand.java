package org.bloomery.cli;

import java.util.List;
import java.util.concurrent.Callable;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.Logits;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.ModelFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.core.JsonGenerator;

/** The raw logits after each of some tokens: what tests of backends compare. */
@Command(
        name = "logits",
        mixinStandardHelpOptions = true,
        description = "Writes the logits after each token of a sequence as a JSON object.")
final class LogitsCommand implements Callable<Integer> {

    @Mixin
    ModelOptions model = new ModelOptions();

    @Option(
            names = "--tokens",
            required = true,
            split = ",",
            paramLabel = "IDS",
            description = "Token ids, separated by commas.")
    List<Integer> tokens = List.of();

    @Option(
            names = "--chunk",
            defaultValue = "0",
            paramLabel = "N",
            description = "Tokens of one forward pass; 0 feeds all at once (default: ${DEFAULT-VALUE}).")
    int chunk;

    @Option(
            names = "--kv-cache-type",
            defaultValue = "F32",
            paramLabel = "TYPE",
            description = "Element type of keys and values: F16, F32, Q8_0, or with the native backend Q4_0"
                    + " (default: ${DEFAULT-VALUE}).")
    String cacheType = "F32";

    @Override
    public Integer call() {
        if (chunk < 0) {
            throw new InvalidOptionException("Option '--chunk' is " + chunk + "; it must be at least 0.");
        }
        int step = chunk == 0 ? tokens.size() : Math.min(chunk, tokens.size());
        try (ModelFile file = GgufReader.open(model.model, model.loadMode)) {
            BackendOptions options = new BackendOptions(
                    tokens.size(),
                    1,
                    step,
                    model.threads,
                    model.kernels,
                    cacheType,
                    model.repack,
                    model.deviceOptions());
            try (Backend backend = model.openBackend(file, options)) {
                refuseUnknownTokens(backend.info().vocabSize());
                write(backend, step);
            }
            return 0;
        }
    }

    private void refuseUnknownTokens(int vocabSize) {
        for (int token : tokens) {
            if (token < 0 || token >= vocabSize) {
                throw new InvalidOptionException("Option '--tokens' has the id " + token
                        + "; the vocabulary's ids are 0 to " + (vocabSize - 1) + ".");
            }
        }
    }

    private void write(Backend backend, int step) {
        int vocabSize = backend.info().vocabSize();
        try (JsonGenerator json = Json.toStandardOutput()) {
            json.writeStartObject();
            json.writeNumberProperty("n_vocab", vocabSize);
            json.writeArrayPropertyStart("tokens");
            for (int token : tokens) {
                json.writeNumber(token);
            }
            json.writeEndArray();
            json.writeArrayPropertyStart("logits");
            float[] row = new float[vocabSize];
            Batch batch = new Batch(step);
            for (int from = 0; from < tokens.size(); from += step) {
                batch.clear();
                for (int i = from; i < Math.min(from + step, tokens.size()); i++) {
                    batch.add(tokens.get(i), i, 0, true);
                }
                Logits logits = backend.forward(batch);
                for (int i = 0; i < logits.rows(); i++) {
                    logits.copyRow(i, row);
                    writeRow(json, row);
                }
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        System.out.println();
    }

    private static void writeRow(JsonGenerator json, float[] row) {
        json.writeStartArray();
        for (float logit : row) {
            json.writeNumber(logit);
        }
        json.writeEndArray();
    }
}
