package org.bloomery.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.Backends;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.DeviceOptions.FlashAttention;
import org.bloomery.engine.backend.DeviceOptions.SplitMode;
import org.bloomery.engine.backend.Isolation;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.worker.WorkerProvider;
import org.jspecify.annotations.Nullable;
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
            description =
                    "Kernel tier of the Java backend: auto, machine, vector or scalar (default: ${DEFAULT-VALUE}).")
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

    @Option(
            names = "--repack",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Let the Java backend keep a second copy of the weights in the layout that its kernels read"
                    + " fastest, if the memory is there (default: ${DEFAULT-VALUE}).")
    boolean repack = true;

    @Option(
            names = "--isolation",
            defaultValue = "in-process",
            paramLabel = "WHERE",
            description = "in-process, or worker to compute in a child JVM (default: ${DEFAULT-VALUE}).")
    String isolation = "in-process";

    @Option(
            names = "--library-path",
            paramLabel = "DIR",
            description = "Folder that holds the libraries of the native backend.")
    @Nullable
    Path libraryPath;

    @Option(
            names = "--gpu-layers",
            defaultValue = "auto",
            paramLabel = "N",
            description = "Layers that the native backend places on devices; auto for as many as fit"
                    + " (default: ${DEFAULT-VALUE}).")
    String gpuLayers = "auto";

    @Option(
            names = "--devices",
            split = ",",
            paramLabel = "NAMES",
            description = "Devices of the native backend, separated by commas, such as Vulkan0.")
    List<String> devices = List.of();

    @Option(
            names = "--split-mode",
            defaultValue = "LAYER",
            paramLabel = "MODE",
            description = "${COMPLETION-CANDIDATES}: how several devices share a model (default: ${DEFAULT-VALUE}).")
    SplitMode splitMode = SplitMode.LAYER;

    @Option(
            names = "--tensor-split",
            split = ",",
            paramLabel = "SHARES",
            description = "Share of the model for each device, separated by commas.")
    List<Double> tensorSplit = List.of();

    @Option(
            names = "--rpc-servers",
            split = ",",
            paramLabel = "HOST:PORT",
            description = "Servers of llama.cpp's RPC backend, separated by commas.")
    List<String> rpcServers = List.of();

    @Option(
            names = "--flash-attention",
            defaultValue = "AUTO",
            paramLabel = "WHEN",
            description =
                    "${COMPLETION-CANDIDATES}: fused attention in the native backend (default: ${DEFAULT-VALUE}).")
    FlashAttention flashAttention = FlashAttention.AUTO;

    /** The devices asked for. */
    DeviceOptions deviceOptions() {
        return new DeviceOptions(
                libraryPath,
                DeviceOptions.gpuLayers(gpuLayers),
                devices,
                splitMode,
                tensorSplit,
                rpcServers,
                flashAttention);
    }

    private Isolation isolation() {
        return switch (isolation) {
            case "in-process" -> Isolation.IN_PROCESS;
            case "worker" -> Isolation.WORKER;
            default ->
                throw new InvalidOptionException(
                        "Option '--isolation' is '" + isolation + "'; it must be in-process or worker.");
        };
    }

    /** An engine for one conversation, with its loading shown. */
    Engine open(int contextLength) {
        EngineOptions options = EngineOptions.builder(model)
                .loadMode(loadMode)
                .backend(backend)
                .kernels(kernels)
                .threads(threads)
                .contextLength(contextLength)
                .maxSequences(1)
                .repack(repack)
                .devices(deviceOptions())
                .isolation(isolation())
                .build();
        try (Progress progress = new Progress("Loading " + model.getFileName())) {
            return Engine.open(options, progress);
        }
    }

    /** The backend alone, with its loading shown; both belong to the caller, who closes the backend first. */
    Backend openBackend(ModelFile file, BackendOptions options) {
        try (Progress progress = new Progress("Loading " + model.getFileName())) {
            return Backends.open(
                            file,
                            backend,
                            options,
                            progress,
                            isolation() == Isolation.WORKER ? WorkerProvider::new : UnaryOperator.identity())
                    .backend();
        }
    }
}
