package org.bloomery.engine.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import org.bloomery.engine.ModelNotFoundException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SplitModelTest {

    @TempDir
    Path folder;

    private List<Path> parts = List.of();

    @BeforeEach
    void writeThreeParts() throws IOException {
        GgufWriter writer = new GgufWriter().alignment(64).string("general.architecture", "llama");
        for (int i = 0; i < 5; i++) {
            writer.tensor("t" + i, TensorType.I8, List.of(100L), filled(i));
        }
        parts = writer.writeSplit(folder, "model", 256);
        assertThat(parts)
                .extracting(part -> part.getFileName().toString())
                .containsExactly("model-00001-of-00003.gguf", "model-00002-of-00003.gguf", "model-00003-of-00003.gguf");
    }

    @ParameterizedTest
    @EnumSource(LoadMode.class)
    void opensAllPartsByTheFirst(LoadMode mode) throws IOException {
        long bytes = 0;
        for (Path part : parts) {
            bytes += Files.size(part);
        }
        try (ModelFile model = GgufReader.open(parts.getFirst(), mode)) {
            assertThat(model.path()).isEqualTo(parts.getFirst());
            assertThat(model.fileBytes()).isEqualTo(bytes);
            assertThat(model.metadata().string("general.architecture")).isEqualTo("llama");
            assertThat(model.tensors()).extracting(TensorInfo::name).containsExactly("t0", "t1", "t2", "t3", "t4");
            assertThat(model.tensors()).extracting(TensorInfo::part).containsExactly(0, 0, 1, 1, 2);
            for (int i = 0; i < 5; i++) {
                assertThat(model.data(model.tensors().get(i)).toArray(ValueLayout.JAVA_BYTE))
                        .isEqualTo(filled(i));
            }
        }
    }

    @Test
    void namesTheFirstPartWhereAnotherIsOpened() {
        assertRefused(parts.get(1), "part 2 of 3", "'model-00001-of-00003.gguf'");
    }

    @Test
    void namesThePartThatIsMissing() throws IOException {
        Files.delete(parts.get(2));
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> GgufReader.open(parts.getFirst(), LoadMode.COPY))
                .withMessageContainingAll("Part 3 of 3", "'model-00003-of-00003.gguf'");
    }

    @Test
    void refusesAFirstPartOfAnotherName() throws IOException {
        assertRefused(
                Files.move(parts.getFirst(), folder.resolve("renamed.gguf")), "renamed.gguf", "-00001-of-00003.gguf");
        Path wrongCount = Files.copy(folder.resolve("renamed.gguf"), folder.resolve("model-00001-of-00002.gguf"));
        assertRefused(wrongCount, "-00001-of-00003.gguf");
    }

    @Test
    void refusesPartsThatContradict() throws IOException {
        byte[] second = Files.readAllBytes(parts.get(1));
        Files.copy(parts.get(2), parts.get(1), StandardCopyOption.REPLACE_EXISTING);
        assertRefused(parts.getFirst(), "'split.no' is 2", "expected 1", "model-00002-of-00003.gguf");
        writePart(1, 4, 5, "t2", "t3");
        assertRefused(parts.getFirst(), "'split.count' is 4", "expected 3");
        writePart(1, 3, 5, "t2");
        assertRefused(parts.getFirst(), "4 tensors", "'split.tensors.count' is 5");
        writePart(1, 3, 5, "t2", "t0");
        assertRefused(parts.getFirst(), "'t0'", "earlier part", "model-00002-of-00003.gguf");
        new GgufWriter().tensor("t2", TensorType.I8, List.of(1L), new byte[1]).write(parts.get(1));
        assertRefused(parts.getFirst(), "'split.no'", "missing", "model-00002-of-00003.gguf");
        Files.write(parts.get(1), Arrays.copyOf(second, second.length - 100));
        assertRefused(parts.getFirst(), "'t3'", "model-00002-of-00003.gguf");
        Files.write(parts.get(1), second);
        GgufReader.open(parts.getFirst(), LoadMode.COPY).close();
    }

    @Test
    void refusesAnAbsurdNumberOfParts() throws IOException {
        for (int count : new int[] {-1, 1001, Integer.MAX_VALUE}) {
            Path file = folder.resolve("absurd.gguf");
            new GgufWriter().int32("split.count", count).int32("split.no", 0).write(file);
            assertRefused(file, "'split.count' is " + count);
        }
        Path wrongType = folder.resolve("type.gguf");
        new GgufWriter().string("split.count", "3").write(wrongType);
        assertRefused(wrongType, "'split.count' has type string");
    }

    @Test
    void readsAModelOfOnePart() throws IOException {
        Path one = new GgufWriter().bool("b", true).writeSplit(folder, "one", 1).getFirst();
        try (ModelFile model = GgufReader.open(one, LoadMode.COPY)) {
            assertThat(model.metadata().bool("b", false)).isTrue();
        }
    }

    private void writePart(int no, int count, int tensors, String... names) throws IOException {
        GgufWriter writer = new GgufWriter()
                .uint16("split.no", no)
                .uint16("split.count", count)
                .int32("split.tensors.count", tensors);
        for (String name : names) {
            writer.tensor(name, TensorType.I8, List.of(1L), new byte[1]);
        }
        writer.write(parts.get(no));
    }

    private static void assertRefused(Path file, String... words) {
        assertThatExceptionOfType(ModelFormatException.class)
                .isThrownBy(() -> GgufReader.open(file, LoadMode.COPY))
                .withMessageContainingAll(words);
    }

    private static byte[] filled(int value) {
        byte[] bytes = new byte[100];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
