package org.bloomery.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.function.DoubleSupplier;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendInfo;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.ModelFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.core.JsonGenerator;

/**
 * Times a backend alone, as llama.cpp's {@code llama-bench} does: prefill of a prompt into an empty cache, decoding of
 * one sequence from an empty cache, decoding of several together. Each figure is the median of the repetitions, after
 * one that is not counted.
 */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = {
            "Times prefill and decoding with random tokens; the model needs no vocabulary.",
            "Each figure is the median of the repetitions, after one that is not counted."
        })
final class BenchCommand implements Callable<Integer> {

    @Mixin
    ModelOptions model = new ModelOptions();

    @Option(
            names = {"-p", "--prompt-tokens"},
            defaultValue = "512",
            paramLabel = "N",
            description = "Tokens of the prompt; 0 leaves prefill out (default: ${DEFAULT-VALUE}).")
    int promptTokens;

    @Option(
            names = {"-n", "--decode-tokens"},
            defaultValue = "64",
            paramLabel = "N",
            description = "Tokens to decode; 0 leaves decoding out (default: ${DEFAULT-VALUE}).")
    int decodeTokens;

    @Option(
            names = {"-r", "--repetitions"},
            defaultValue = "3",
            paramLabel = "N",
            description = "Counted repetitions (default: ${DEFAULT-VALUE}).")
    int repetitions;

    @Option(
            names = "--parallel",
            defaultValue = "8",
            paramLabel = "N",
            description = "Sequences to decode together; 0 leaves this out (default: ${DEFAULT-VALUE}).")
    int parallel;

    @Option(
            names = "--batch-tokens",
            defaultValue = "512",
            paramLabel = "N",
            description = "Most tokens of one forward pass (default: ${DEFAULT-VALUE}).")
    int batchTokens;

    @Option(
            names = "--kv-cache-type",
            defaultValue = "F16",
            paramLabel = "TYPE",
            description = "Element type of keys and values: F16, F32, Q8_0, or with the native backend Q4_0"
                    + " (default: ${DEFAULT-VALUE}).")
    String cacheType = "F16";

    @Option(names = "--json", description = "Write one JSON object instead of a table.")
    boolean json;

    private record Figures(
            BackendInfo backend, double loadSeconds, double prefill, double decode, double parallelDecode) {}

    @Override
    public Integer call() {
        check("-p", promptTokens, 0, 1 << 20);
        check("-n", decodeTokens, 0, 1 << 20);
        check("-r", repetitions, 1, 1000);
        check("--parallel", parallel, 0, 256);
        check("--batch-tokens", batchTokens, Math.max(1, parallel), 8192);
        Figures figures = measure();
        if (json) {
            writeJson(figures);
        } else {
            writeTable(figures);
        }
        return 0;
    }

    private static void check(String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new InvalidOptionException(
                    "Option '" + option + "' is " + value + "; it must be " + least + " to " + most + ".");
        }
    }

    private Figures measure() {
        long start = System.nanoTime();
        try (ModelFile file = GgufReader.open(model.model, model.loadMode)) {
            int sequences = Math.max(1, parallel);
            int context = Math.max(1, Math.max(promptTokens, decodeTokens));
            BackendOptions options = new BackendOptions(
                    context,
                    sequences,
                    batchTokens,
                    model.threads,
                    model.kernels,
                    cacheType,
                    model.repack,
                    model.deviceOptions());
            try (Backend backend = model.openBackend(file, options)) {
                double loadSeconds = (System.nanoTime() - start) / 1e9;
                int vocabSize = backend.info().vocabSize();
                SplittableRandom random = new SplittableRandom(42);
                return new Figures(
                        backend.info(),
                        loadSeconds,
                        median("prefill", promptTokens, () -> prefill(backend, random, vocabSize)),
                        median("decode", decodeTokens, () -> decode(backend, random, vocabSize, 1)),
                        median(
                                "decode of " + parallel,
                                parallel * decodeTokens,
                                () -> decode(backend, random, vocabSize, parallel)));
            }
        }
    }

    /** Tokens a second: the median of the repetitions, or NaN where there is nothing to do. */
    private double median(String what, int tokens, DoubleSupplier seconds) {
        if (tokens == 0) {
            return Double.NaN;
        }
        double[] rates = new double[repetitions];
        try (Progress progress = new Progress("Timing " + what)) {
            for (int i = -1; i < repetitions; i++) {
                progress.loaded((i + 1.0) / (repetitions + 1));
                double rate = tokens / seconds.getAsDouble();
                if (i >= 0) {
                    rates[i] = rate;
                }
            }
        }
        Arrays.sort(rates);
        int middle = repetitions / 2;
        return repetitions % 2 == 1 ? rates[middle] : (rates[middle - 1] + rates[middle]) / 2;
    }

    private double prefill(Backend backend, SplittableRandom random, int vocabSize) {
        backend.truncate(0, 0);
        Batch batch = new Batch(batchTokens);
        long start = System.nanoTime();
        for (int from = 0; from < promptTokens; from += batchTokens) {
            batch.clear();
            for (int i = from; i < Math.min(from + batchTokens, promptTokens); i++) {
                batch.add(random.nextInt(vocabSize), i, 0, i == promptTokens - 1);
            }
            backend.forward(batch);
        }
        return (System.nanoTime() - start) / 1e9;
    }

    private double decode(Backend backend, SplittableRandom random, int vocabSize, int sequences) {
        for (int sequence = 0; sequence < sequences; sequence++) {
            backend.truncate(sequence, 0);
        }
        Batch batch = new Batch(sequences);
        long start = System.nanoTime();
        for (int i = 0; i < decodeTokens; i++) {
            batch.clear();
            for (int sequence = 0; sequence < sequences; sequence++) {
                batch.add(random.nextInt(vocabSize), i, sequence, true);
            }
            backend.forward(batch);
        }
        return (System.nanoTime() - start) / 1e9;
    }

    private static void writeJson(Figures figures) {
        try (JsonGenerator out = Json.toStandardOutput()) {
            out.writeStartObject();
            out.writeStringProperty("backend", figures.backend().backend());
            out.writeStringProperty("kernels", figures.backend().kernels());
            out.writeNumberProperty("threads", figures.backend().threads());
            writeNumber(out, "load_seconds", figures.loadSeconds());
            writeNumber(out, "prefill_tokens_per_second", figures.prefill());
            writeNumber(out, "decode_tokens_per_second", figures.decode());
            writeNumber(out, "parallel_decode_tokens_per_second", figures.parallelDecode());
            long peak = peakResidentBytes();
            if (peak < 0) {
                out.writeNullProperty("peak_rss_bytes");
            } else {
                out.writeNumberProperty("peak_rss_bytes", peak);
            }
            out.writeEndObject();
        }
        System.out.println();
    }

    private static void writeNumber(JsonGenerator out, String name, double value) {
        if (Double.isNaN(value)) {
            out.writeNullProperty(name);
        } else {
            out.writeNumberProperty(name, Math.round(value * 1000) / 1000.0);
        }
    }

    private void writeTable(Figures figures) {
        System.out.printf(
                Locale.ROOT,
                "%s, %s kernels, %d threads, loaded in %.2f s%n",
                figures.backend().backend(),
                figures.backend().kernels(),
                figures.backend().threads(),
                figures.loadSeconds());
        writeRow("prefill of " + promptTokens, figures.prefill());
        writeRow("decode of " + decodeTokens, figures.decode());
        writeRow(parallel + " sequences together", figures.parallelDecode());
        long peak = peakResidentBytes();
        if (peak >= 0) {
            System.out.printf(Locale.ROOT, "%-24s %8.0f MiB%n", "peak resident memory", peak / (double) (1 << 20));
        }
    }

    private static void writeRow(String what, double rate) {
        if (!Double.isNaN(rate)) {
            System.out.printf(Locale.ROOT, "%-24s %8.1f tokens/s%n", what, rate);
        }
    }

    /** Most memory this process had resident, mapped weights included; -1 where the system does not tell. */
    private static long peakResidentBytes() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmHWM:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
        } catch (IOException e) {
            return -1;
        }
        return -1;
    }
}
