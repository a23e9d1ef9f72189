package org.bloomery.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Writes a model with random weights in a real model's shape: for benchmarks, without a download. */
@Command(
        name = "synth",
        mixinStandardHelpOptions = true,
        description = "Writes a model with random weights in a real model's shape, for benchmarks.")
final class SynthCommand implements Callable<Integer> {

    @Option(
            names = "--shape",
            required = true,
            paramLabel = "NAME",
            description = "One of ${COMPLETION-CANDIDATES}.",
            completionCandidates = SyntheticShape.Names.class)
    String shape = "";

    @Option(
            names = "--type",
            defaultValue = "Q8_0",
            paramLabel = "TYPE",
            description = "Type of the matrices: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}). Embedding and"
                    + " output are Q6_K beside Q4_0 and Q4_K, as llama-quantize makes them.",
            completionCandidates = SyntheticWeights.Types.class)
    String type = "";

    @Option(
            names = "--vocab",
            paramLabel = "FILE",
            description = "A GGUF file whose tokenizer and vocabulary size to take; without it the model has none.")
    @Nullable
    Path vocab;

    @Option(
            names = "--seed",
            defaultValue = "1",
            paramLabel = "N",
            description = "Makes other weights (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "The file to write.")
    Path out = Path.of("");

    @Override
    public Integer call() {
        SyntheticShape chosen = SyntheticShape.named(shape);
        try (Progress progress = new Progress("Writing " + out.getFileName())) {
            chosen.write(out, SyntheticWeights.ofType(type, seed), vocab, progress);
        }
        return 0;
    }
}
