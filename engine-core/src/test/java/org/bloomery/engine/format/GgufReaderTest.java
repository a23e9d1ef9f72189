package org.bloomery.engine.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.bloomery.engine.InsufficientMemoryException;
import org.bloomery.engine.ModelNotFoundException;
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

    @Test
    void readsInvalidUtf8InValuesAsReplacementCharacters() throws IOException {
        byte[] file = written(new GgufWriter().string("s", "aXb").strings("ss", List.of("aXb", "c")));
        for (int i = 0; i < file.length; i++) {
            if (file[i] == 'X') {
                file[i] = (byte) 0xFF;
            }
        }
        try (ModelFile model = GgufReader.open(Files.write(folder.resolve("u.gguf"), file), LoadMode.COPY)) {
            assertThat(model.metadata().string("s")).isEqualTo("a\uFFFDb");
            assertThat(model.metadata().strings("ss")).containsExactly("a\uFFFDb", "c");
        }
    }

    @Test
    void refusesInvalidUtf8InNames() throws IOException {
        byte[] key = written(new GgufWriter().bool("keyX", true));
        assertThat(refused("k.gguf", replaced(key, 'X', 0xFF))).contains("Key 0", "UTF-8");
        byte[] tensor = written(new GgufWriter().tensor("Xt", TensorType.I8, List.of(1L), new byte[1]));
        assertThat(refused("t.gguf", replaced(tensor, 'X', 0xC0))).contains("tensor 0", "UTF-8");
    }

    @Test
    void tellsFilesApartThatAreNoGguf() throws IOException {
        assertThat(refused("a", new byte[0])).contains("is empty");
        assertThat(refused("a", new byte[] {'G', 'G'})).contains("truncated");
        assertThat(refused("a", text("<!DOCTYPE html><html>"))).contains("HTML");
        assertThat(refused("a", text("\n  <html><body>404"))).contains("HTML");
        assertThat(refused("a", text("version https://git-lfs.github.com/spec/v1\noid")))
                .contains("Git LFS");
        assertThat(refused("a", text("PK\3\4 torch"))).contains("ZIP");
        assertThat(refused("a", text("\u001f\u008b\b\0"))).contains("gzip");
        assertThat(refused("a", text("\u0080\2}q\0"))).contains("pickle");
        assertThat(refused("a", text("@\0\0\0\0\0\0\0{\"__metadata__\""))).contains("safetensors");
        assertThat(refused("a", text("{\"model_type\": 1}"))).contains("JSON");
        assertThat(refused("a", text("tjgg\1\0\0\0"))).contains("before GGUF");
        assertThat(refused("a", text("FUGG\0\0\0\3"))).contains("big-endian");
        assertThat(refused("a", new byte[100])).contains("zeros");
        assertThat(refused("a", text("hello"))).contains("does not begin with 'GGUF'");
    }

    @Test
    void tellsVersionsApart() throws IOException {
        byte[] file = written(new GgufWriter());
        assertThat(refused("a", replaced(file, 3, 1))).contains("version 1", "2 and 3");
        assertThat(refused("a", replaced(file, 3, 4))).contains("version 4", "2 and 3");
        assertThat(refused("a", replaced(file, 3, 0))).contains("version 0");
        byte[] bigEndian = file.clone();
        bigEndian[4] = 0;
        bigEndian[7] = 3;
        assertThat(refused("a", bigEndian)).contains("big-endian", "version 3");
    }

    @Test
    void refusesPathsThatAreNoFiles() {
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> GgufReader.open(folder.resolve("absent.gguf"), LoadMode.AUTO))
                .withMessageContainingAll("absent.gguf", "not there");
        assertThatExceptionOfType(ModelFormatException.class)
                .isThrownBy(() -> GgufReader.open(folder, LoadMode.AUTO))
                .withMessageContaining("no regular file");
    }

    @Test
    void keepsHostileNamesOutOfItsMessages() throws IOException {
        String hostile = "a\n\u001b[31mERROR\u202e " + "x".repeat(1000);
        String message = refused("h.gguf", lastByteReplaced(written(new GgufWriter().bool(hostile, true)), 7));
        assertThat(message).doesNotContainPattern("[\\p{Cntrl}\u202e]").hasSizeLessThan(300);
    }

    @Test
    void mapsOnlyWhatOthersCannotChange() throws IOException {
        Assumptions.assumeTrue(
                Files.getFileStore(folder).supportsFileAttributeView("posix"), "No POSIX permissions here");
        Path own = Files.createDirectory(folder.resolve("own"));
        Path file = own.resolve("m.gguf");
        new GgufWriter().tensor("t", TensorType.I8, List.of(1L), new byte[1]).write(file);
        Path link = Files.createSymbolicLink(folder.resolve("link.gguf"), file);

        permit(own, "rwxr-xr-x");
        permit(file, "rw-r--r--");
        assertThat(isMapped(file, LoadMode.AUTO)).isTrue();
        assertThat(isMapped(link, LoadMode.AUTO)).isTrue();
        assertThat(isMapped(file, LoadMode.COPY)).isFalse();
        permit(file, "rw-rw-r--");
        assertThat(isMapped(file, LoadMode.AUTO)).isFalse();
        assertThat(isMapped(file, LoadMode.MAP)).isTrue();
        permit(file, "rw-r--rw-");
        assertThat(isMapped(file, LoadMode.AUTO)).isFalse();
        permit(file, "rw-r--r--");
        permit(own, "rwxrwxr-x");
        assertThat(isMapped(file, LoadMode.AUTO)).isFalse();
        permit(own, "rwxr-xrwx");
        assertThat(isMapped(link, LoadMode.AUTO)).isFalse();
        permit(own, "rwxr-xr-x");
        permit(folder, "rwxrwxrwx");
        assertThat(isMapped(link, LoadMode.AUTO)).isTrue();
    }

    @Test
    void aCopyDoesNotChangeWithTheFile() throws IOException {
        Path file = folder.resolve("m.gguf");
        new GgufWriter()
                .tensor("t", TensorType.I8, List.of(4L), new byte[] {1, 2, 3, 4})
                .write(file);
        try (ModelFile model = GgufReader.open(file, LoadMode.COPY)) {
            assertThat(bytes(model, "t")).hasSize(4);
            Files.write(file, new byte[3]);
            assertThat(bytes(model, "t")).containsExactly(1, 2, 3, 4);
        }
    }

    @ParameterizedTest
    @EnumSource(LoadMode.class)
    void refusesTensorsOfAFileThatHasChangedSinceItWasOpened(LoadMode mode) throws IOException {
        Path file = folder.resolve("m.gguf");
        new GgufWriter().tensor("t", TensorType.I8, List.of(4L), new byte[4]).write(file);
        long size = Files.size(file);
        for (byte[] other : List.of(new byte[3], new byte[(int) size + 1])) {
            try (ModelFile model = GgufReader.open(file, mode)) {
                byte[] before = Files.readAllBytes(file);
                Files.write(file, other);
                assertThatExceptionOfType(ModelFormatException.class)
                        .isThrownBy(() -> bytes(model, "t"))
                        .withMessageContainingAll("m.gguf", String.valueOf(size), String.valueOf(other.length));
                Files.write(file, before);
            }
        }
    }

    @Test
    void givesNoBytesOnceItIsClosed() throws IOException {
        Path file = folder.resolve("m.gguf");
        new GgufWriter().tensor("t", TensorType.I8, List.of(4L), new byte[4]).write(file);
        ModelFile model = GgufReader.open(file, LoadMode.MAP);
        TensorInfo tensor = model.tensors().getFirst();
        MemorySegment data = model.data(tensor);
        assertThat(data.isReadOnly()).isTrue();
        model.close();
        model.close();
        assertThatIllegalStateException().isThrownBy(() -> model.data(tensor));
        assertThatIllegalStateException().isThrownBy(() -> data.get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void givesBytesOfItsOwnTensorsOnly() throws IOException {
        Path file = folder.resolve("m.gguf");
        new GgufWriter().tensor("t", TensorType.I8, List.of(4L), new byte[4]).write(file);
        try (ModelFile model = GgufReader.open(file, LoadMode.MAP)) {
            TensorInfo forged = new TensorInfo("t", TensorType.I8, List.of(400L), 0, 0, 400);
            assertThatIllegalArgumentException().isThrownBy(() -> model.data(forged));
            assertThat(model.tensor("absent")).isNull();
        }
    }

    @Test
    void mapsFilesOfSeveralGigabytes() throws IOException {
        long bytes = 2600L << 20;
        Path file = sparse(bytes);
        try (ModelFile model = GgufReader.open(file, LoadMode.MAP)) {
            assertThat(model.fileBytes()).isEqualTo(128 + bytes + 2).isGreaterThan(Integer.MAX_VALUE);
            assertThat(bytes(model, "last")).containsExactly(5, 6);
            MemorySegment large = model.data(model.tensors().getFirst());
            assertThat(large.byteSize()).isEqualTo(bytes);
            assertThat(large.get(ValueLayout.JAVA_BYTE, bytes - 1)).isZero();
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void saysWhatACopyNeedsWhereItDoesNotFit() throws IOException {
        long bytes = 1L << 40;
        Path file = sparse(bytes);
        try {
            assertThatExceptionOfType(InsufficientMemoryException.class)
                    .isThrownBy(() -> isMapped(file, LoadMode.COPY))
                    .withMessageContainingAll("sparse.gguf", String.valueOf(bytes + 2), "in all", "mode 'map'");
        } finally {
            Files.delete(file);
        }
    }

    /** A model whose tensor 'large' is a hole of so many bytes, a multiple of 65,536, which takes no space on the disk. */
    private Path sparse(long bytes) throws IOException {
        byte[] header = written(new GgufWriter()
                .tensor("large", TensorType.I8, List.of(64L, 1L), new byte[64])
                .tensor("last", TensorType.I8, List.of(2L), new byte[] {5, 6}));
        ByteBuffer buffer = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
        int shape = 24 + 8 + "large".length() + 4;
        buffer.putLong(shape, 65_536).putLong(shape + 8, bytes / 65_536);
        int lastOffset = shape + 16 + 4 + 8 + 8 + "last".length() + 4 + 8 + 4;
        assertThat(buffer.getLong(lastOffset)).isEqualTo(64);
        buffer.putLong(lastOffset, bytes);
        Path file = folder.resolve("sparse.gguf");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(header, 0, 128));
            channel.write(ByteBuffer.wrap(new byte[] {5, 6}), 128 + bytes);
        }
        return file;
    }

    private boolean isMapped(Path file, LoadMode mode) {
        try (ModelFile model = GgufReader.open(file, mode)) {
            return model.data(model.tensors().getFirst()).isMapped();
        }
    }

    private static void permit(Path path, String permissions) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
    }

    private String refused(String name, byte[] content) throws IOException {
        Path file = Files.write(folder.resolve(name), content);
        return String.valueOf(catchThrowableOfType(
                        ModelFormatException.class,
                        () -> GgufReader.open(file, LoadMode.COPY).close())
                .getMessage());
    }

    private static byte[] text(String latin1) {
        return latin1.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] written(GgufWriter writer) throws IOException {
        var out = new ByteArrayOutputStream();
        writer.write(Channels.newChannel(out));
        return out.toByteArray();
    }

    private static byte[] lastByteReplaced(byte[] file, int by) {
        int end = file.length;
        while (file[end - 1] == 0) {
            end--;
        }
        byte[] changed = file.clone();
        changed[end - 1] = (byte) by;
        return changed;
    }

    /** Replaces the first byte of this value. */
    private static byte[] replaced(byte[] file, int found, int by) {
        byte[] changed = file.clone();
        int at = 0;
        while (changed[at] != found) {
            at++;
        }
        changed[at] = (byte) by;
        return changed;
    }

    private static byte[] bytes(ModelFile model, String tensor) {
        return model.data(Objects.requireNonNull(model.tensor(tensor))).toArray(ValueLayout.JAVA_BYTE);
    }
}
