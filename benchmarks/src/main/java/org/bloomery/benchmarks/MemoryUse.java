package org.bloomery.benchmarks;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.Backends;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.backend.MemoryPlan;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;

/**
 * The memory that a model and its conversations take, beside what the plan says: resident anonymous memory of this process
 * and used heap with all sequences full to the last token, less what they were once the model had been open for one short
 * sequence and was closed. The file is mapped, so its weights do not count; a repacked copy does. Linux only; start it
 * with {@code -Xms1g -Xmx1g -XX:+AlwaysPreTouch}, so that all of the heap is resident both times.
 */
public final class MemoryUse {

    private static final int BATCH = 512;
    private static final int SHORT = 32;

    private MemoryUse() {}

    /** @param arguments a model file, the number of sequences, and tokens of each */
    public static void main(String[] arguments) throws IOException {
        Path path = Path.of(arguments[0]);
        int sequences = Integer.parseInt(arguments[1]);
        int length = Integer.parseInt(arguments[2]);
        try (ModelFile file = GgufReader.open(path, LoadMode.MAP)) {
            try (Backend backend = open(file, 1, SHORT, SHORT)) {
                fill(backend, 1, SHORT, SHORT);
            }
            long before = resident();
            try (Backend backend = open(file, sequences, length, BATCH)) {
                MemoryPlan plan = backend.info().memory();
                fill(backend, sequences, length, BATCH);
                long planned = plan.total() - plan.weights();
                long found = resident() - before;
                System.out.printf(
                        Locale.ROOT,
                        "%d sequences of %d tokens: planned %.1f MB (repacked weights %.1f, cache %.1f, workspace %.1f), found %.1f MB, %+.1f %%%n",
                        sequences,
                        length,
                        planned / 1e6,
                        plan.repacked() / 1e6,
                        plan.cache() / 1e6,
                        plan.workspace() / 1e6,
                        found / 1e6,
                        100.0 * (found - planned) / planned);
            }
        }
    }

    private static Backend open(ModelFile file, int sequences, int length, int batch) {
        BackendOptions options =
                new BackendOptions(length, sequences, batch, 0, "auto", "F16", true, DeviceOptions.DEFAULT);
        return Backends.open(file, "java", options, LoadProgress.NONE, UnaryOperator.identity())
                .backend();
    }

    /** Computes the first sequence in whole batches, copies it to the others, and decodes the last token of all. */
    private static void fill(Backend backend, int sequences, int length, int batchTokens) {
        int last = length - 1;
        for (int from = 0; from < last; from += batchTokens) {
            Batch batch = new Batch(batchTokens);
            for (int position = from; position < Math.min(last, from + batchTokens); position++) {
                batch.add(position % backend.info().vocabSize(), position, 0, false);
            }
            backend.forward(batch);
        }
        Batch end = new Batch(sequences);
        for (int sequence = 0; sequence < sequences; sequence++) {
            if (sequence > 0) {
                backend.copyPrefix(0, sequence, last);
            }
            end.add(sequence, last, sequence, true);
        }
        backend.forward(end);
    }

    /** Resident anonymous memory, and what of the heap is used once garbage is gone. */
    private static long resident() throws IOException {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        List<String> lines = Files.readAllLines(Path.of("/proc/self/status"));
        for (String line : lines) {
            if (line.startsWith("RssAnon:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024
                        + ManagementFactory.getMemoryMXBean()
                                .getHeapMemoryUsage()
                                .getUsed();
            }
        }
        throw new IOException("/proc/self/status has no line 'RssAnon:'; this measurement needs Linux");
    }
}
