package org.bloomery.engine.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.ModelNotFoundException;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.GgufWriter;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorType;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelReferenceTest {

    private final ClassLoader loader = Objects.requireNonNull(getClass().getClassLoader());

    @TempDir
    Path folder;

    @Test
    void resolvesPathsAndFileUrisToTheFileItself() throws IOException {
        Path file = model(folder.resolve("a model.gguf"));
        for (String location : List.of(
                file.toString(),
                file.toUri().toString(),
                "file:" + file.toUri().getRawPath(),
                "FILE://localhost" + file.toUri().getRawPath())) {
            try (ResolvedModel resolved = ModelReference.parse(location).resolve(loader)) {
                assertThat(resolved.path()).as(location).isEqualTo(file);
            }
            assertThat(file).as("still there").exists();
        }
    }

    @Test
    void resolvesRelativeFileUrisAgainstTheWorkingFolder() throws IOException {
        Path here = Path.of("").toAbsolutePath();
        Path relative = here.relativize(model(folder.resolve("m.gguf")));
        assertThat(Files.isSameFile(
                        ModelReference.parse("file:" + relative).resolve(loader).path(), folder.resolve("m.gguf")))
                .isTrue();
    }

    @Test
    void namesTheModelsOfAFolder() throws IOException {
        for (int i = 0; i < 7; i++) {
            Files.createFile(folder.resolve("m" + i + ".gguf"));
        }
        Files.createFile(folder.resolve("split-00001-of-00002.gguf"));
        Files.createFile(folder.resolve("split-00002-of-00002.gguf"));
        Files.createFile(folder.resolve("a-readme.md"));
        assertNotFound(
                folder.toString(),
                folder.toString(),
                "is a folder",
                "m0.gguf, m1.gguf, m2.gguf, m3.gguf, m4.gguf",
                "3 more");
        assertNotFound(folder.resolve("m9.gguf").toString(), "m9.gguf", "not there", "m0.gguf", "3 more");
        assertNotFound(folder.resolve("no/m.gguf").toString(), "no/m.gguf", "its folder does not exist");
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertNotFound(empty.toString(), "is a folder", "no GGUF file");
    }

    @Test
    void namesTheWholePathOfARelativeOne() {
        assertNotFound(
                "absent/model.gguf",
                "'absent/model.gguf'",
                Path.of("absent/model.gguf").toAbsolutePath().toString());
        assertNotFound("~/model.gguf", "'~' is not expanded");
    }

    @Test
    void usesAResourceOfAFolderWhereItLies() throws IOException {
        model(Files.createDirectories(folder.resolve("model")).resolve("m.gguf"));
        try (URLClassLoader classes =
                new URLClassLoader(new URL[] {folder.toUri().toURL()}, null)) {
            for (String location : List.of("classpath:model/m.gguf", "classpath:/model/m.gguf")) {
                ResolvedModel resolved = ModelReference.parse(location).resolve(classes);
                assertThat(resolved.path()).isEqualTo(folder.resolve("model/m.gguf"));
                resolved.close();
                assertThat(resolved.path()).exists();
            }
        }
    }

    @Test
    void copiesAResourceOfAnArchiveToAPrivateFileAndDeletesIt() throws IOException {
        Path file = model(folder.resolve("m.gguf"));
        Path jar = jar("model/m.gguf", file);
        try (URLClassLoader classes = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
            ResolvedModel resolved =
                    ModelReference.parse("classpath:model/m.gguf").resolve(classes);
            Path copy = resolved.path();
            assertThat(copy).hasSameBinaryContentAs(file).hasFileName("m.gguf");
            try (ModelFile model = GgufReader.open(copy, LoadMode.AUTO)) {
                assertThat(model.metadata().bool("b", false)).isTrue();
            }
            if (Files.getFileStore(copy).supportsFileAttributeView("posix")) {
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(copy)))
                        .isEqualTo("rw-------");
                assertThat(PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(Objects.requireNonNull(copy.getParent()))))
                        .isEqualTo("rwx------");
            }
            resolved.close();
            resolved.close();
            assertThat(copy).doesNotExist();
            assertThat(copy.getParent()).doesNotExist();
        }
        // The archive is not kept open or cached
        Files.delete(jar);
    }

    @Test
    void copiesAllPartsOfASplitModel() throws IOException {
        GgufWriter writer = new GgufWriter();
        for (int i = 0; i < 3; i++) {
            writer.tensor("t" + i, TensorType.I8, List.of(64L), new byte[64]);
        }
        List<Path> parts = writer.writeSplit(folder, "m", 64);
        assertThat(parts).hasSize(3);
        Path jar = folder.resolve("split.jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            for (Path part : parts) {
                out.putNextEntry(new JarEntry("models/" + part.getFileName()));
                Files.copy(part, out);
                out.closeEntry();
            }
        }
        try (URLClassLoader classes = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
            ResolvedModel resolved = ModelReference.parse("classpath:models/m-00001-of-00003.gguf")
                    .resolve(classes);
            try (ModelFile model = GgufReader.open(resolved.path(), LoadMode.COPY)) {
                assertThat(model.tensors()).hasSize(3);
            }
            resolved.close();
            assertThat(resolved.path().getParent()).doesNotExist();
        }
    }

    @Test
    void namesAResourceThatIsAbsent() {
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> ModelReference.parse("classpath:no/such.gguf").resolve(loader))
                .withMessageContainingAll("'classpath:no/such.gguf'", "not on the class path");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://example.org/m.gguf",
                "http://example.org/m.gguf",
                "HTTPS://example.org/m.gguf",
                "hf:owner/name",
                "oci://registry/name:tag"
            })
    void saysThatItDoesNotDownload(String location) {
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> ModelReference.parse(location))
                .withMessageContainingAll("'" + location + "'", "does not download");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "  ",
                "file:",
                "file://host/m.gguf",
                "file:/a b.gguf",
                "file:/a.gguf?x=1",
                "file:/a%00b.gguf",
                "classpath:",
                "classpath:/",
                "classpath:../m.gguf",
                "classpath:a/../../m.gguf",
                "classpath:a/./m.gguf",
                "classpath:a//m.gguf",
                "classpath:a\\..\\m.gguf",
                "classpath:a/",
                "classpath*:m.gguf",
                "jar:file:/a.jar!/m.gguf",
                "unknown:m.gguf",
                "a\nb.gguf",
                "a\0b.gguf"
            })
    void refusesWhatIsNoLocation(String location) {
        assertThatExceptionOfType(InvalidOptionException.class)
                .isThrownBy(() -> ModelReference.parse(location))
                .withMessageContaining("Option 'model'")
                .withMessageMatching("\\P{Cntrl}+");
    }

    @Test
    void refusesALocationWithoutEnd() {
        assertThatExceptionOfType(InvalidOptionException.class)
                .isThrownBy(() -> ModelReference.parse("a/".repeat(10_000)))
                .withMessageContaining("20000 characters");
    }

    @Test
    void takesADriveForAPath() {
        assertNotFound("C:\\models\\m.gguf", "'C:\\models\\m.gguf'", "not there");
    }

    @Test
    void refusesPipesAndDevices() {
        Path device = Path.of("/dev/zero");
        Assumptions.assumeTrue(Files.exists(device), "No /dev/zero here");
        assertNotFound("/dev/zero", "'/dev/zero'", "no regular file");
    }

    private void assertNotFound(String location, String... words) {
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> ModelReference.parse(location).resolve(loader))
                .withMessageContainingAll(words);
    }

    private static Path model(Path file) throws IOException {
        new GgufWriter().bool("b", true).write(file);
        return file;
    }

    private Path jar(String name, Path content) throws IOException {
        Path jar = folder.resolve("models.jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new JarEntry(name));
            Files.copy(content, out);
            out.closeEntry();
        }
        return jar;
    }
}
