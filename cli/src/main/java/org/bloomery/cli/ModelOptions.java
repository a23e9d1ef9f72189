package org.bloomery.cli;

import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.Backends;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import picocli.CommandLine.Option;

/** The options of every command that runs a model. */
final class ModelOptions {

    @Option(names = "--model", required = true, paramLabel = "FILE", description = "The model, a GGUF file.")
    Path model = Path.of("");

    @Option(
            names = "--backend",
            defaultValue = "auto",
            paramLabel = "NAME",
            description = "What computes: auto, or a backend's name (default: ${DEFAULT-VALUE}).")
    String backend = "auto";

    @Option(
            names = "--kernels",
            defaultValue = "auto",
            paramLabel = "TIER",
            description = "Kernel tier of the Java backend: auto, scalar or vector (default: ${DEFAULT-VALUE}).")
    String kernels = "auto";

    @Option(
            names = {"-t", "--threads"},
            defaultValue = "0",
            paramLabel = "N",
            description = "Compute threads; 0 plans from affinity and CPU quota (default: ${DEFAULT-VALUE}).")
    int threads;

    @Option(
            names = "--load-mode",
            defaultValue = "AUTO",
            paramLabel = "MODE",
            description = "${COMPLETION-CANDIDATES}: map the file or copy it (default: ${DEFAULT-VALUE}).")
    LoadMode loadMode = LoadMode.AUTO;

    /** An engine for one conversation, with its loading shown. */
    Engine open(int contextLength) {
        EngineOptions options = EngineOptions.builder(model)
                .loadMode(loadMode)
                .backend(backend)
                .kernels(kernels)
                .threads(threads)
                .contextLength(contextLength)
                .maxSequences(1)
                .build();
        try (Progress progress = new Progress("Loading " + model.getFileName())) {
            return Engine.open(options, progress);
        }
    }

    /** The backend alone, with its loading shown; both belong to the caller, who closes the backend first. */
    Backend openBackend(ModelFile file, BackendOptions options) {
        try (Progress progress = new Progress("Loading " + model.getFileName())) {
            return Backends.open(file, backend, options, progress, UnaryOperator.identity())
                    .backend();
        }
    }
}
