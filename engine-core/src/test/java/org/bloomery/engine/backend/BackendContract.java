package org.bloomery.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every backend must keep: logits depend on a sequence's tokens alone, not on how they were fed, and bad input is
 * refused before anything changes. A backend's test extends this.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class BackendContract {

    private static final long SEED = 20_261_123;
    private static final int CONTEXT = 400;
    private static final int SEQUENCES = 4;
    private static final int BATCH = 160;

    @TempDir
    Path folder;

    /** The backend under test. */
    protected abstract BackendProvider provider();

    /** Kernel tier to test, as in {@link BackendOptions}. */
    protected String kernels() {
        return "auto";
    }

    /** Compute threads. */
    protected int threads() {
        return 2;
    }

    /** Difference allowed between ways of feeding, as a share of the range of logits. */
    protected double tolerance() {
        return 2e-4;
    }

    /** Models to test with, among those that the backend supports. */
    protected Stream<TinyModel> models() {
        return TinyModels.all(SEED).stream();
    }

    /** An open model and its backend. */
    protected record Opened(ModelFile file, Backend backend) implements AutoCloseable {
        @Override
        public void close() {
            backend.close();
            file.close();
        }
    }

    /** Opens a model with an F32 cache of four sequences of 400 tokens. */
    protected Opened open(TinyModel model) {
        ModelFile file = GgufReader.open(model.write(folder), LoadMode.MAP);
        BackendOptions options = new BackendOptions(CONTEXT, SEQUENCES, BATCH, threads(), kernels(), "F32");
        return new Opened(file, provider().open(file, options, LoadProgress.NONE));
    }

    @ParameterizedTest
    @MethodSource("models")
    void logitsDoNotDependOnTheSizeOfChunks(TinyModel model) {
        try (Opened opened = open(model)) {
            int[] tokens = tokens(model, 150, 1);
            float[][] whole = feed(opened.backend(), tokens, 0, 150);
            for (int chunk : new int[] {1, 7, 64, 100}) {
                opened.backend().truncate(0, 0);
                assertClose(feed(opened.backend(), tokens, 0, chunk), whole, "chunks of " + chunk);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void logitsDoNotDependOnOtherSequences(TinyModel model) {
        try (Opened opened = open(model)) {
            Backend backend = opened.backend();
            int[] tokens = tokens(model, 90, 2);
            float[][] alone = feed(backend, tokens, 2, 90);
            backend.truncate(2, 0);

            // one sequence decodes, one takes prompts in chunks, one stands still, their rows among this one's
            int[] others = tokens(model, 300, 3);
            feed(backend, others, 3, 40);
            backend.truncate(3, 17);
            float[][] beside = new float[tokens.length][];
            int decoded = 0;
            int prefilled = 0;
            for (int from = 0; from < tokens.length; from += 9) {
                Batch batch = new Batch(16);
                batch.add(others[decoded], decoded++, 0, true);
                for (int i = from; i < from + 9; i++) {
                    batch.add(tokens[i], i, 2, true);
                    batch.add(others[299 - prefilled], prefilled++, 1, false);
                }
                Logits logits = backend.forward(batch);
                for (int i = 0; i < 9; i++) {
                    beside[from + i] = row(logits, 1 + i);
                }
            }
            assertClose(beside, alone, "beside others");
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void truncatedSequenceGoesOnAsIfItHadNeverBeenLonger(TinyModel model) {
        try (Opened opened = open(model)) {
            Backend backend = opened.backend();
            int[] tokens = tokens(model, 140, 4);
            float[][] expected = feed(backend, tokens, 0, 70);
            for (int keep : new int[] {139, 128, 127, 65, 64, 63, 1}) {
                backend.truncate(0, keep);
                int[] wrong = tokens(model, 40, 5);
                Batch batch = new Batch(40);
                for (int i = 0; i < wrong.length; i++) {
                    batch.add(wrong[i], keep + i, 0, false);
                }
                backend.forward(batch);
                backend.truncate(0, keep);
                float[][] again = feed(backend, tokens, 0, 50, keep);
                for (int i = 0; i < keep; i++) {
                    again[i] = expected[i];
                }
                assertClose(again, expected, "cut to " + keep);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void copiedPrefixGoesOnLikeItsSourceAndIndependentlyOfIt(TinyModel model) {
        try (Opened opened = open(model)) {
            Backend backend = opened.backend();
            int[] tokens = tokens(model, 130, 6);
            float[][] expected = feed(backend, tokens, 1, 65);
            for (int length : new int[] {1, 63, 64, 65, 129}) {
                backend.truncate(3, 0);
                backend.copyPrefix(1, 3, length);
                backend.truncate(1, length / 2);
                feed(backend, tokens(model, 130, 7), 1, 65, length / 2);
                float[][] copied = feed(backend, tokens, 3, 65, length);
                for (int i = 0; i < length; i++) {
                    copied[i] = expected[i];
                }
                assertClose(copied, expected, "copy of " + length);

                backend.truncate(1, 0);
                feed(backend, tokens, 1, 65);
            }
        }
    }

    @Test
    void longContextsAgreeWithShortSteps() {
        TinyModel model = TinyModels.llama(SEED, TensorType.F32);
        try (Opened opened = open(model)) {
            int[] tokens = tokens(model, CONTEXT, 8);
            float[][] chunks = feed(opened.backend(), tokens, 0, BATCH);
            float[][] single = feed(opened.backend(), tokens, 1, 1);
            assertClose(single, chunks, "token by token");
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void sameBatchesGiveTheSameBits(TinyModel model) {
        int[] tokens = tokens(model, 100, 9);
        List<float[][]> runs = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            try (Opened opened = open(model)) {
                runs.add(feed(opened.backend(), tokens, 0, 33));
            }
        }
        assertThat(runs.get(1)).isDeepEqualTo(runs.get(0));
    }

    @Test
    void rowsAreThoseThatAskedInTheBatchsOrder() {
        try (Opened opened = open(TinyModels.llama(SEED, TensorType.F32))) {
            Backend backend = opened.backend();
            float[][] ofA = feed(backend, new int[] {5, 6, 7}, 0, 3);
            float[][] ofB = feed(backend, new int[] {8, 9}, 1, 2);
            backend.truncate(0, 0);
            backend.truncate(1, 0);
            Batch batch = new Batch(5);
            batch.add(8, 0, 1, false);
            batch.add(5, 0, 0, true);
            batch.add(6, 1, 0, false);
            batch.add(9, 1, 1, true);
            batch.add(7, 2, 0, true);
            Logits logits = backend.forward(batch);
            assertThat(logits.rows()).isEqualTo(3);
            assertClose(
                    new float[][] {row(logits, 0), row(logits, 1), row(logits, 2)},
                    new float[][] {ofA[0], ofB[1], ofA[2]},
                    "rows");
            batch.clear();
            batch.add(1, 3, 0, false);
            assertThat(backend.forward(batch).rows()).isZero();
        }
    }

    @Test
    void tellsWhatItWasAskedFor() {
        TinyModel model = TinyModels.llama(SEED, TensorType.F32);
        try (Opened opened = open(model)) {
            BackendInfo info = opened.backend().info();
            assertThat(info.backend()).isEqualTo(provider().name());
            assertThat(info.vocabSize()).isEqualTo(model.vocabSize());
            assertThat(info.contextLength()).isEqualTo(CONTEXT);
            assertThat(info.maxSequences()).isEqualTo(SEQUENCES);
            assertThat(info.maxBatchTokens()).isEqualTo(BATCH);
            assertThat(info.kernels()).isNotBlank();
            assertThat(info.kernelsReason()).isNotBlank();
            assertThat(info.memory().weights()).isPositive();
            assertThat(info.memory().cache()).isPositive();
        }
    }

    @Test
    void progressRisesToTheEnd() {
        TinyModel model = TinyModels.llama(SEED, TensorType.F32);
        List<Double> heard = new ArrayList<>();
        try (ModelFile file = GgufReader.open(model.write(folder), LoadMode.MAP)) {
            BackendOptions options = new BackendOptions(16, 1, 16, 1, kernels(), "F16");
            provider().open(file, options, heard::add).close();
        }
        assertThat(heard).isSorted().allMatch(fraction -> fraction >= 0 && fraction <= 1);
        assertThat(heard.getLast()).isEqualTo(1);
    }

    @Test
    void refusesBadBatchesAndGoesOnUnharmed() {
        try (Opened opened = open(TinyModels.llama(SEED, TensorType.F32))) {
            Backend backend = opened.backend();
            int vocabSize = backend.info().vocabSize();
            float[][] expected = feed(backend, new int[] {1, 2, 3, 4}, 0, 4);
            backend.truncate(0, 2);
            assertRefused(backend, vocabSize, 2, 0, String.valueOf(vocabSize));
            assertRefused(backend, -1, 2, 0, "-1");
            assertRefused(backend, 3, 1, 0, "position 1");
            assertRefused(backend, 3, 3, 0, "position 3");
            assertRefused(backend, 3, -1, 0, "position -1");
            assertRefused(backend, 3, 0, SEQUENCES, String.valueOf(SEQUENCES));
            assertRefused(backend, 3, 0, -1, "-1");

            Batch full = new Batch(BATCH + 1);
            IntStream.rangeClosed(0, BATCH).forEach(i -> full.add(1, i, 1, false));
            assertThatThrownBy(() -> backend.forward(full)).hasMessageContaining(String.valueOf(BATCH));

            int[] tokens = new int[CONTEXT];
            feed(backend, tokens, 2, 100);
            assertRefused(backend, 0, CONTEXT, 2, String.valueOf(CONTEXT));

            float[][] rest = feed(backend, new int[] {1, 2, 3, 4}, 0, 2, 2);
            assertClose(new float[][] {rest[2], rest[3]}, new float[][] {expected[2], expected[3]}, "after refusals");
        }
    }

    @Test
    void refusesBadCopiesAndCuts() {
        try (Opened opened = open(TinyModels.llama(SEED, TensorType.F32))) {
            Backend backend = opened.backend();
            feed(backend, new int[] {1, 2, 3}, 0, 3);
            feed(backend, new int[] {1}, 1, 1);
            assertThatThrownBy(() -> backend.copyPrefix(0, 1, 2)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> backend.copyPrefix(0, 2, 4)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> backend.copyPrefix(0, 2, -1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> backend.copyPrefix(0, SEQUENCES, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> backend.copyPrefix(-1, 2, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> backend.truncate(SEQUENCES, 0)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> backend.truncate(0, -1)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    @Timeout(120)
    void anInterruptedPassLeavesTheCacheAsItWas() throws Exception {
        try (Opened opened = open(TinyModels.llama(SEED, TensorType.F32))) {
            Backend backend = opened.backend();
            int[] tokens = tokens(TinyModels.llama(SEED, TensorType.F32), 120, 10);
            float[][] expected = feed(backend, tokens, 0, 60);
            backend.truncate(0, 60);
            backend.interrupt();
            AtomicBoolean done = new AtomicBoolean();
            Thread nuisance = Thread.ofPlatform().start(() -> {
                while (!done.get()) {
                    backend.interrupt();
                    Thread.onSpinWait();
                }
            });
            try {
                int interrupted = 0;
                // A fast pass may be over before an interrupt comes
                for (int i = 0; i < 40 || interrupted == 0; i++) {
                    Batch batch = new Batch(60);
                    for (int t = 60; t < 120; t++) {
                        batch.add(tokens[t], t, 0, false);
                    }
                    try {
                        backend.forward(batch);
                        backend.truncate(0, 60);
                    } catch (CancellationException e) {
                        interrupted++;
                    }
                }
                assertThat(interrupted).isPositive();
            } finally {
                done.set(true);
                nuisance.join();
            }
            float[][] rest = feed(backend, tokens, 0, 60, 60);
            System.arraycopy(expected, 0, rest, 0, 60);
            assertClose(rest, expected, "after interruptions");
        }
    }

    /** Who closes first, who computes and who cancels is left to chance; nothing but these three ends is allowed. */
    @Test
    @Timeout(300)
    void closesInEveryOrderWhileBusy() throws Exception {
        TinyModel model = TinyModels.llama(SEED, TensorType.F32);
        for (int round = 0; round < Math.min(20, cycles()); round++) {
            SplittableRandom random = new SplittableRandom(SEED + round);
            Opened opened = open(model);
            Backend backend = opened.backend();
            List<Thread> threads = new ArrayList<>();
            Queue<Throwable> surprises = new ConcurrentLinkedQueue<>();
            for (int i = 0; i < 4; i++) {
                int kind = i;
                int delay = random.nextInt(3_000);
                threads.add(Thread.ofPlatform().start(() -> {
                    try {
                        TimeUnit.MICROSECONDS.sleep(delay);
                        switch (kind) {
                            case 0 -> feed(backend, tokens(model, 300, 11), 0, 100);
                            case 1 -> backend.interrupt();
                            default -> backend.close();
                        }
                    } catch (IllegalStateException expected) {
                        // interrupted, which is a kind of it, or closed before
                    } catch (Throwable t) {
                        surprises.add(t);
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            opened.close();
            assertThat(surprises).isEmpty();
            assertThatThrownBy(() -> backend.truncate(0, 0)).isInstanceOf(IllegalStateException.class);
            backend.interrupt();
            backend.close();
        }
    }

    @Test
    @Timeout(value = 20, unit = TimeUnit.MINUTES)
    void openingAndClosingDoesNotGrow() {
        TinyModel model = TinyModels.llama(SEED, TensorType.Q8_0);
        int stretch = cycles() / 6;
        long[] growth = new long[5];
        cycle(model, cycles() - (stretch * growth.length)); // warms up
        for (int i = 0; i < growth.length; i++) {
            long before = residentBytes();
            cycle(model, stretch);
            growth[i] = (residentBytes() - before) / stretch;
        }
        // What a cycle leaves behind is left in every stretch; heap that the JVM takes or touches comes in leaps
        Arrays.sort(growth);
        assertThat(growth[growth.length / 2])
                .as("bytes a cycle, the median of %s", Arrays.toString(growth))
                .isLessThan(bytesLostAllowed());
    }

    private void cycle(TinyModel model, int times) {
        for (int i = 0; i < times; i++) {
            try (Opened opened = open(model)) {
                feed(opened.backend(), new int[] {1, 2, 3}, 0, 3);
            }
        }
    }

    /** Cycles of opening and closing. */
    protected int cycles() {
        return Boolean.getBoolean("bloomery.soak") ? 1000 : 40;
    }

    private static long bytesLostAllowed() {
        return Boolean.getBoolean("bloomery.soak") ? 64 << 10 : 1 << 20;
    }

    /** Memory of this process that is not Java's heap; 0 where the system does not tell. */
    private static long residentBytes() {
        System.gc();
        Path status = Path.of("/proc/self/status");
        if (!Files.isReadable(status)) {
            return 0;
        }
        try (Stream<String> lines = Files.lines(status)) {
            long resident = lines.filter(line -> line.startsWith("RssAnon:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                    .findFirst()
                    .orElse(0);
            return resident - Runtime.getRuntime().totalMemory();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void assertRefused(Backend backend, int token, int position, int sequence, String named) {
        Batch batch = new Batch(2);
        // a good token before the bad one must not stay behind
        batch.add(1, 0, 3, false);
        batch.add(token, position, sequence, true);
        assertThatThrownBy(() -> backend.forward(batch))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(named);
    }

    /** Feeds a whole sequence from its start in chunks; gives the logits after each token. */
    protected static float[][] feed(Backend backend, int[] tokens, int sequence, int chunk) {
        return feed(backend, tokens, sequence, chunk, 0);
    }

    /** Feeds the tokens from position {@code start}; rows before it are empty. */
    protected static float[][] feed(Backend backend, int[] tokens, int sequence, int chunk, int start) {
        float[][] rows = new float[tokens.length][0];
        for (int from = start; from < tokens.length; from += chunk) {
            int to = Math.min(tokens.length, from + chunk);
            Batch batch = new Batch(chunk);
            for (int i = from; i < to; i++) {
                batch.add(tokens[i], i, sequence, true);
            }
            Logits logits = backend.forward(batch);
            assertThat(logits.rows()).isEqualTo(to - from);
            for (int i = from; i < to; i++) {
                rows[i] = row(logits, i - from);
            }
        }
        return rows;
    }

    /** Random tokens of a model's vocabulary. */
    protected static int[] tokens(TinyModel model, int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        return random.ints(count, 0, model.vocabSize()).toArray();
    }

    private static float[] row(Logits logits, int row) {
        float[] copy = new float[logits.vocabSize()];
        logits.copyRow(row, copy);
        return copy;
    }

    private void assertClose(float[][] found, float[][] expected, String how) {
        float least = Float.POSITIVE_INFINITY;
        float most = Float.NEGATIVE_INFINITY;
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            assertThat(found[i]).as("row %d, %s", i, how).hasSameSizeAs(expected[i]);
            for (int j = 0; j < expected[i].length; j++) {
                least = Math.min(least, expected[i][j]);
                most = Math.max(most, expected[i][j]);
                double difference = Math.abs(found[i][j] - expected[i][j]);
                // a NaN is as wrong as can be
                worst = difference <= worst ? worst : difference;
            }
        }
        assertThat(most - least).as("range of logits").isPositive();
        assertThat(worst / (most - least)).as(how).isLessThanOrEqualTo(tolerance());
    }
}
