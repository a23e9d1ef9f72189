package org.bloomery.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.sampling.SamplingOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** How to choose tokens and when to stop: the options of {@code chat} and {@code complete}. */
final class SamplingArguments {

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            description = "Most tokens to generate (default: the smaller of 1024 and what the context has left).")
    @Nullable
    Integer maxTokens;

    @Option(
            names = "--temperature",
            defaultValue = "0.8",
            paramLabel = "T",
            description = "Randomness; 0 takes the most probable token" + DEFAULT)
    double temperature;

    @Option(
            names = "--top-k",
            defaultValue = "40",
            paramLabel = "K",
            description = "Keep the K most probable tokens; 0 keeps all" + DEFAULT)
    int topK;

    @Option(
            names = "--top-p",
            defaultValue = "0.95",
            paramLabel = "P",
            description = "Keep the most probable tokens that together have probability P; 1 keeps all" + DEFAULT)
    double topP;

    @Option(
            names = "--min-p",
            defaultValue = "0.05",
            paramLabel = "P",
            description = "Keep tokens at least P times as probable as the best one; 0 keeps all" + DEFAULT)
    double minP;

    @Option(
            names = "--typical-p",
            defaultValue = "1",
            paramLabel = "P",
            description = "Locally typical sampling with total probability P; 1 keeps all" + DEFAULT)
    double typicalP;

    @Option(
            names = "--penalty-last-n",
            defaultValue = "64",
            paramLabel = "N",
            description = "Tokens the penalties look back on, -1 for all" + DEFAULT)
    int penaltyLastN;

    @Option(
            names = "--repeat-penalty",
            defaultValue = "1",
            paramLabel = "X",
            description = "Divides the logits of tokens seen before; 1 is neutral" + DEFAULT)
    double repeatPenalty;

    @Option(
            names = "--frequency-penalty",
            defaultValue = "0",
            paramLabel = "X",
            description = "Taken off the logit of a token for each time it was seen; 0 is neutral" + DEFAULT)
    double frequencyPenalty;

    @Option(
            names = "--presence-penalty",
            defaultValue = "0",
            paramLabel = "X",
            description = "Taken off the logit of a token that was seen; 0 is neutral" + DEFAULT)
    double presencePenalty;

    @Option(names = "--seed", paramLabel = "N", description = "Makes an answer repeatable (default: random).")
    @Nullable
    Long seed;

    @Option(names = "--stop", paramLabel = "TEXT", description = "Ends the answer where it appears; repeatable.")
    List<String> stop = List.of();

    @ArgGroup(multiplicity = "0..1")
    @Nullable
    Shape shape;

    /** What the answer must look like: one of these, or none. */
    static final class Shape {
        @Option(
                names = "--json-schema",
                paramLabel = "FILE",
                description = "Answer with a document that is valid for this JSON Schema.")
        @Nullable
        Path jsonSchema;

        @Option(
                names = "--regex",
                paramLabel = "PATTERN",
                description = "Answer with a text that this regular expression matches as a whole.")
        @Nullable
        String regex;

        @Option(
                names = "--choices",
                paramLabel = "TEXT",
                split = ",",
                description = "Answer with one of these texts, which commas separate.")
        @Nullable
        List<String> choices;

        @Option(names = "--grammar", paramLabel = "FILE", description = "Answer with a text of this grammar in GBNF.")
        @Nullable
        Path grammar;

        @Nullable
        Constraint constraint() {
            if (jsonSchema != null) {
                return new Constraint.JsonSchema(TextFile.read(jsonSchema));
            }
            if (regex != null) {
                return new Constraint.Regex(regex);
            }
            if (choices != null) {
                return new Constraint.Choices(choices);
            }
            return grammar == null ? null : new Constraint.Gbnf(TextFile.read(grammar));
        }
    }

    private static final String DEFAULT = " (default: ${DEFAULT-VALUE}).";

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
        return new GenerationOptions(
                sampling, maxTokens, stop, null, null, shape == null ? null : shape.constraint(), Map.of());
    }
}
