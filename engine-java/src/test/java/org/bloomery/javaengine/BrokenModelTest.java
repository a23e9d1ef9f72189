package org.bloomery.javaengine;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Broken copies of the demo model, taken through the whole engine: file, tokenizer, template, backend. */
class BrokenModelTest {

    private static final Path MODEL = Path.of(System.getProperty("bloomery.demo.model"));
    private static final int CASES = Integer.getInteger("bloomery.corpus.cases", 400);
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir
    Path folder;

    private static byte[] intact = new byte[0];
    private static int headerBytes;

    @BeforeAll
    static void readModel() throws IOException {
        intact = Files.readAllBytes(MODEL);
        try (ModelFile file = GgufReader.open(MODEL, LoadMode.MAP)) {
            long data = file.tensors().stream().mapToLong(t -> t.offset()).min().orElseThrow();
            headerBytes = Math.toIntExact(data);
        }
    }

    /** Opens the file and asks it something; returns what it was refused with, or null. */
    private static @Nullable EngineException open(Path file) {
        EngineOptions options = EngineOptions.builder(file)
                .kernels("scalar")
                .threads(1)
                .maxSequences(1)
                .build();
        try (Engine engine = Engine.open(options, LoadProgress.NONE)) {
            engine.generate(
                    new ChatRequest(List.of(ChatMessage.user("Hello!")), GenerationOptions.DEFAULT.withMaxTokens(2)),
                    GenerationSink.NONE);
            return null;
        } catch (EngineException e) {
            return e;
        }
    }

    private void assertTypedAndBounded(byte[] broken, String what) throws IOException {
        Path file = Files.write(folder.resolve("broken.gguf"), broken);
        long allocated = THREADS.getCurrentThreadAllocatedBytes();
        long began = THREADS.getCurrentThreadCpuTime();

        EngineException refusal = open(file);

        if (refusal != null) {
            assertThat(refusal).as(what).message().isNotBlank().doesNotContain("null");
            assertThat(THREADS.getCurrentThreadAllocatedBytes() - allocated)
                    .as(what + ", bytes allocated until " + refusal.getMessage())
                    .isLessThan(4L * broken.length + (16 << 20));
            assertThat(THREADS.getCurrentThreadCpuTime() - began)
                    .as(what + ", nanoseconds until " + refusal.getMessage())
                    .isLessThan(1_000_000_000L);
        }
    }

    @Test
    @DisplayName("A header with a few bytes changed is refused with a typed error or gives a model that answers")
    void changedBytes() throws IOException {
        long seed = Long.getLong("bloomery.seed", System.nanoTime());
        System.out.println("BrokenModelTest seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        // Half of the changes go to the keys before the vocabulary, where every byte means much.
        for (int i = 0; i < CASES; i++) {
            byte[] broken = intact.clone();
            int changes = 1 + random.nextInt(4);
            for (int c = 0; c < changes; c++) {
                int at = random.nextInt(random.nextBoolean() ? 1024 : headerBytes);
                broken[at] = (byte) random.nextInt(256);
            }
            assertTypedAndBounded(broken, "case " + i + " of seed " + seed);
        }
    }

    @Test
    @DisplayName("A file cut off anywhere is refused")
    void truncated() throws IOException {
        long seed = Long.getLong("bloomery.seed", System.nanoTime());
        System.out.println("BrokenModelTest seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < CASES / 4; i++) {
            int length = random.nextInt(random.nextBoolean() ? headerBytes : intact.length);
            byte[] broken = Arrays.copyOf(intact, length);

            assertTypedAndBounded(broken, "length " + length);
            assertThat(open(folder.resolve("broken.gguf")))
                    .as("length " + length)
                    .isNotNull();
        }
    }
}
