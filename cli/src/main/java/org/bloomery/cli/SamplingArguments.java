package org.bloomery.cli;

import java.util.List;
import java.util.Map;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.sampling.SamplingOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How to choose tokens and when to stop: the options of {@code chat} and {@code complete}. */
final class SamplingArguments {

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            description = "Most tokens to generate (default: the smaller of 1024 and what the context has left).")
    @Nullable
    Integer maxTokens;

    @Option(names = "--temperature", defaultValue = "0.8", paramLabel = "T", description = DEFAULT + "; 0 is greedy")
    double temperature;

    @Option(names = "--top-k", defaultValue = "40", paramLabel = "K", description = DEFAULT + "; 0 keeps all")
    int topK;

    @Option(names = "--top-p", defaultValue = "0.95", paramLabel = "P", description = DEFAULT + "; 1 keeps all")
    double topP;

    @Option(names = "--min-p", defaultValue = "0.05", paramLabel = "P", description = DEFAULT + "; 0 keeps all")
    double minP;

    @Option(names = "--typical-p", defaultValue = "1", paramLabel = "P", description = DEFAULT + "; 1 keeps all")
    double typicalP;

    @Option(
            names = "--penalty-last-n",
            defaultValue = "64",
            paramLabel = "N",
            description = "Tokens the penalties look back on, -1 for all (default: ${DEFAULT-VALUE}).")
    int penaltyLastN;

    @Option(names = "--repeat-penalty", defaultValue = "1", paramLabel = "X", description = DEFAULT + "; 1 is neutral")
    double repeatPenalty;

    @Option(
            names = "--frequency-penalty",
            defaultValue = "0",
            paramLabel = "X",
            description = DEFAULT + "; 0 is neutral")
    double frequencyPenalty;

    @Option(
            names = "--presence-penalty",
            defaultValue = "0",
            paramLabel = "X",
            description = DEFAULT + "; 0 is neutral")
    double presencePenalty;

    @Option(names = "--seed", paramLabel = "N", description = "Makes an answer repeatable (default: random).")
    @Nullable
    Long seed;

    @Option(names = "--stop", paramLabel = "TEXT", description = "Ends the answer where it appears; repeatable.")
    List<String> stop = List.of();

    private static final String DEFAULT = "Default: ${DEFAULT-VALUE}";

    GenerationOptions options() {
        SamplingOptions sampling = new SamplingOptions(
                temperature,
                topK,
                topP,
                minP,
                typicalP,
                penaltyLastN,
                repeatPenalty,
                frequencyPenalty,
                presencePenalty,
                SamplingOptions.Dry.OFF,
                SamplingOptions.Xtc.OFF,
                Map.of(),
                seed);
        return new GenerationOptions(sampling, maxTokens, stop, null, null);
    }
}
