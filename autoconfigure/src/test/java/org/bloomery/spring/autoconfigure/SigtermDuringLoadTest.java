package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.GgufWriter;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorInfo;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** SIGTERM while a model is being loaded: the process ends soon, by the signal and not by a failure. */
@Timeout(1800)
@EnabledOnOs(value = OS.LINUX, disabledReason = "Only POSIX systems have SIGTERM")
class SigtermDuringLoadTest {

    private static final boolean SOAK = Boolean.getBoolean("bloomery.soak");
    private static final int ROUNDS = SOAK ? 20 : 2;
    /** The promise is two seconds, and a test machine that is busy with other things has more. */
    private static final int LONGEST_SECONDS = SOAK ? 2 : 20;

    private static final int BY_SIGTERM = 128 + 15;
    private static final int FEED_FORWARD_LENGTH = 81_920;

    @TempDir
    static Path folder = Path.of("");

    private static Path model = Path.of("");

    /** The demo model with long feed-forward matrices of zeros, some 330 MB, of which loading takes a while. */
    @BeforeAll
    static void writeModel() throws IOException {
        model = folder.resolve("large.gguf");
        Path demo = Path.of(Objects.requireNonNull(System.getProperty("bloomery.demo.model")));
        try (ModelFile file = GgufReader.open(demo, LoadMode.MAP)) {
            GgufWriter writer = new GgufWriter()
                    .copy(file.metadata(), key -> true)
                    .uint32("qwen3.feed_forward_length", FEED_FORWARD_LENGTH);
            long small = file.metadata().int32("qwen3.feed_forward_length");
            for (TensorInfo tensor : file.tensors()) {
                List<Long> shape = tensor.shape().stream()
                        .map(length -> length == small ? Long.valueOf(FEED_FORWARD_LENGTH) : length)
                        .toList();
                if (shape.equals(tensor.shape())) {
                    writer.tensor(tensor.name(), tensor.type(), shape, file.data(tensor));
                } else {
                    long bytes = tensor.type().byteSize(shape.stream().reduce(1L, Math::multiplyExact));
                    writer.tensor(
                            tensor.name(),
                            tensor.type(),
                            shape,
                            out -> out.write(ByteBuffer.allocate(Math.toIntExact(bytes))));
                }
            }
            writer.write(model);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"blocking", "background"})
    void theProcessEndsSoonAndByTheSignal(String startup) throws Exception {
        long seed = System.nanoTime();
        System.out.println("SigtermDuringLoadTest seed " + seed);
        Random random = new Random(seed);
        long whole = millisToLoad(startup);
        List<Long> millis = new ArrayList<>();
        int loading = 0;
        for (int round = 0; round < ROUNDS; round++) {
            // The first one strikes at the beginning of the load, when its file is copied
            long delay = round == 0 ? 1 : random.nextLong(Math.max(2, whole));
            String described = startup + ", round " + round + ", " + delay + " ms into the load, seed " + seed;
            Process process = start(startup);
            try (BufferedReader log = process.inputReader()) {
                await(log, "Loading ");
                assertThat(process.waitFor(delay, TimeUnit.MILLISECONDS))
                        .as(described)
                        .isFalse();
                long sent = System.nanoTime();
                process.toHandle().destroy(); // A process's own method would close its output too
                boolean loaded = log.lines().anyMatch(line -> line.contains(LoadingApplication.LOADED));
                assertThat(process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS))
                        .as(described)
                        .isTrue();
                millis.add((System.nanoTime() - sent) / 1_000_000);
                assertThat(process.exitValue()).as(described).isEqualTo(BY_SIGTERM);
                assertThat(millis.getLast()).as(described).isLessThanOrEqualTo(LONGEST_SECONDS * 1000L);
                loading += loaded ? 0 : 1;
            } finally {
                process.destroyForcibly().waitFor();
            }
        }
        assertThat(loading).as("processes stopped before their model was there").isPositive();
        System.out.println("SigtermDuringLoadTest: " + startup + ", a load of " + whole + " ms, " + loading + " of "
                + ROUNDS + " stopped in it; ended after " + millis + " ms");
    }

    private static long millisToLoad(String startup) throws IOException, InterruptedException {
        Process process = start(startup);
        try (BufferedReader log = process.inputReader()) {
            await(log, "Loading ");
            long began = System.nanoTime();
            await(log, LoadingApplication.LOADED);
            return (System.nanoTime() - began) / 1_000_000;
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    private static void await(BufferedReader log, String text) {
        StringBuilder read = new StringBuilder();
        try {
            for (String line = log.readLine(); line != null; line = log.readLine()) {
                read.append(line).append(System.lineSeparator());
                if (line.contains(text)) {
                    return;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        throw new AssertionError("The process ended without saying '" + text + "': " + read);
    }

    private static Process start(String startup) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx512m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LoadingApplication.class.getName(),
                        "--bloomery.chat.model=" + model,
                        "--bloomery.engine.startup=" + startup,
                        "--bloomery.engine.load-mode=copy",
                        "--bloomery.engine.context-length=256",
                        "--bloomery.engine.max-sequences=1")
                .redirectErrorStream(true)
                .start();
    }
}
