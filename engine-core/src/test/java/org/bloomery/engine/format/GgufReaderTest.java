package org.bloomery.engine.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GgufReaderTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(LoadMode.class)
    void readsWhatTheWriterWrote(LoadMode mode) throws IOException {
        byte[] data = new byte[3 * 34];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) i;
        }
        Path file = folder.resolve("a.gguf");
        new GgufWriter()
                .string("general.architecture", "llama")
                .uint32("llama.block_count", 4_000_000_000L)
                .float32("eps", 1e-5f)
                .bool("flag", true)
                .strings("tokens", List.of("a", "", "ß🙂"))
                .int32s("types", 1, -2)
                .float32s("scores", 0.5f)
                .tensor("x", TensorType.Q8_0, List.of(32L, 3L), data)
                .tensor("y", TensorType.I8, List.of(2L), new byte[] {7, 8})
                .write(file);

        try (ModelFile model = GgufReader.open(file, mode)) {
            Metadata metadata = model.metadata();
            assertThat(metadata.string("general.architecture")).isEqualTo("llama");
            assertThat(metadata.int64("llama.block_count")).isEqualTo(4_000_000_000L);
            assertThat(metadata.float64("eps")).isEqualTo(1e-5f);
            assertThat(metadata.bool("flag", false)).isTrue();
            assertThat(metadata.strings("tokens")).containsExactly("a", "", "ß🙂");
            assertThat(metadata.int32s("types")).containsExactly(1, -2);
            assertThat(metadata.float32s("scores")).containsExactly(0.5f);
            assertThat(model.tensors()).extracting(TensorInfo::name).containsExactly("x", "y");
            assertThat(bytes(model, "x")).isEqualTo(data);
            assertThat(bytes(model, "y")).containsExactly(7, 8);
            assertThat(model.fileBytes()).isEqualTo(Files.size(file));
        }
    }

    @Test
    void readsEveryGoldenFile() throws IOException {
        Path golden = Path.of(System.getProperty("bloomery.shared", ""), "golden");
        Assumptions.assumeTrue(Files.isDirectory(golden), "The golden data is not beside this checkout");
        List<Path> files;
        try (Stream<Path> walk = Files.walk(golden)) {
            files = walk.filter(file -> file.toString().endsWith(".gguf")).toList();
        }
        assertThat(files).hasSizeGreaterThan(20);
        for (Path file : files) {
            try (ModelFile model = GgufReader.open(file, LoadMode.AUTO)) {
                assertThat(model.metadata().keys()).isNotEmpty();
                for (TensorInfo tensor : model.tensors()) {
                    assertThat(model.data(tensor).byteSize()).isEqualTo(tensor.byteSize());
                }
            }
        }
    }

    @Test
    void readsTheDemoModel() {
        Path demo = Path.of(System.getProperty("bloomery.demo.model", ""));
        Assumptions.assumeTrue(Files.isRegularFile(demo), "The demo model is not in this checkout");
        try (ModelFile model = GgufReader.open(demo, LoadMode.COPY)) {
            assertThat(model.metadata().string("general.architecture")).isNotEmpty();
            assertThat(model.metadata().strings("tokenizer.ggml.tokens")).hasSize(2048);
            assertThat(model.tensor("token_embd.weight")).isNotNull();
        }
    }

    private static byte[] bytes(ModelFile model, String tensor) {
        return model.data(Objects.requireNonNull(model.tensor(tensor))).toArray(ValueLayout.JAVA_BYTE);
    }
}
