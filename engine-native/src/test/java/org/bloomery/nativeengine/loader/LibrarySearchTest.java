package org.bloomery.nativeengine.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.bloomery.engine.EngineException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where libraries are looked for, and how they are unpacked. */
class LibrarySearchTest {

    private static final String PLATFORM = Platform.current().name();

    @TempDir
    Path folder;

    /** Builds the jar of a natives artifact, to be damaged. */
    private final class Jar {

        private final Map<String, byte[]> entries = new LinkedHashMap<>();
        private final StringBuilder index = new StringBuilder();
        private final String flavour;
        private int files;

        Jar(String flavour) {
            this.flavour = flavour;
            index.append("version=0.5.0\nplatform=" + PLATFORM + "\nflavour=" + flavour + "\n");
        }

        Jar library(String name, String content) {
            byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
            entries.put("META-INF/bloomery/natives/" + PLATFORM + "-" + flavour + "/" + name, bytes);
            return line(name + " " + bytes.length + " " + sha256(bytes));
        }

        Jar line(String line) {
            index.append("file." + ++files + "=" + line + "\n");
            return this;
        }

        ClassLoader loader() throws IOException {
            Path file = Files.createTempFile(folder, "natives", ".jar");
            try (OutputStream out = Files.newOutputStream(file);
                    JarOutputStream jar = new JarOutputStream(out)) {
                entries.put(NativesArtifact.INDEX, index.toString().getBytes(StandardCharsets.UTF_8));
                for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                    jar.putNextEntry(new JarEntry(entry.getKey()));
                    jar.write(entry.getValue());
                    jar.closeEntry();
                }
            }
            return new URLClassLoader(new URL[] {file.toUri().toURL()}, null);
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private Jar sound() {
        return new Jar("cpu")
                .library("libggml.v0.5.0.so", "ggml")
                .library("libllama.v0.5.0.so", "llama")
                .library("libggml-cpu-x64.so", "cpu".repeat(100_000));
    }

    private static NativesArtifact only(ClassLoader loader) {
        List<NativesArtifact> artifacts = NativesArtifact.onClassPath(loader, new ArrayList<>());
        assertThat(artifacts).hasSize(1);
        return artifacts.getFirst();
    }

    private static Map<String, String> contents(Path unpacked) throws IOException {
        Map<String, String> contents = new LinkedHashMap<>();
        try (Stream<Path> files = Files.list(unpacked)) {
            for (Path file : files.sorted().toList()) {
                contents.put(file.getFileName().toString(), Files.readString(file));
            }
        }
        return contents;
    }

    @Test
    void aConfiguredFolderIsTakenAndNothingElse() throws IOException {
        Path ggml = Files.createFile(folder.resolve("libggml.vulkan.v0.5.0.so"));
        Files.createFile(folder.resolve("libggml-base.so"));
        LibrarySearch without = LibrarySearch.search(folder, sound().loader());
        assertThat(without).isInstanceOf(LibrarySearch.Missing.class);
        assertThat(without.reason()).contains("libllama", "library-path", folder.toString());

        Path llama = Files.createFile(folder.resolve("libllama.vulkan.v0.5.0.so"));
        Files.createFile(folder.resolve("libllama-common.so"));
        assertThat(LibrarySearch.search(folder, sound().loader()))
                .isInstanceOfSatisfying(LibrarySearch.Found.class, found -> {
                    assertThat(found.llama()).isEqualTo(llama.toAbsolutePath().toString());
                    assertThat(found.ggml()).isEqualTo(ggml.toAbsolutePath().toString());
                });
        assertThat(LibrarySearch.search(folder.resolve("nowhere"), sound().loader())
                        .reason())
                .contains("nowhere", "cannot be read");
    }

    @Test
    void unpacksOnceAndRepairsWhatWasDamaged() throws IOException {
        ClassLoader loader = sound().loader();
        NativesCache cache = new NativesCache(folder.resolve("cache"));
        Path unpacked = cache.extract(only(loader), loader);
        Map<String, String> expected = contents(unpacked);
        assertThat(expected).hasSize(3).containsEntry("libllama.v0.5.0.so", "llama");
        Object key = Files.readAttributes(unpacked, java.nio.file.attribute.BasicFileAttributes.class)
                .fileKey();

        assertThat(cache.extract(only(loader), loader)).isEqualTo(unpacked);
        assertThat(Files.readAttributes(unpacked, java.nio.file.attribute.BasicFileAttributes.class)
                        .fileKey())
                .isEqualTo(key);

        Files.writeString(unpacked.resolve("libllama.v0.5.0.so"), "lla!a");
        assertThat(contents(cache.extract(only(loader), loader))).isEqualTo(expected);
        Files.delete(unpacked.resolve("libggml.v0.5.0.so"));
        assertThat(contents(cache.extract(only(loader), loader))).isEqualTo(expected);
        try (Stream<Path> left = Files.list(folder.resolve("cache"))) {
            assertThat(left.filter(Files::isDirectory)).containsExactly(unpacked);
        }
    }

    @Test
    void manyMayUnpackAtOnce() throws Exception {
        ClassLoader loader = sound().loader();
        Path home = folder.resolve("cache");
        List<Callable<Path>> starts = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            starts.add(() -> new NativesCache(home).extract(only(loader), loader));
        }
        try (ExecutorService executor = Executors.newFixedThreadPool(16)) {
            List<Path> folders = new ArrayList<>();
            for (Future<Path> start : executor.invokeAll(starts)) {
                folders.add(start.get());
            }
            assertThat(folders.stream().distinct()).hasSize(1);
            assertThat(contents(folders.getFirst())).hasSize(3);
        }
    }

    @Test
    void manyMayRepairAtOnce() throws Exception {
        ClassLoader loader = sound().loader();
        Path home = folder.resolve("cache");
        Path unpacked = new NativesCache(home).extract(only(loader), loader);
        try (ExecutorService executor = Executors.newFixedThreadPool(8)) {
            for (int round = 0; round < 30; round++) {
                Files.writeString(unpacked.resolve("libllama.v0.5.0.so"), "damaged");
                List<Callable<Path>> starts = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    starts.add(() -> new NativesCache(home).extract(only(loader), loader));
                }
                for (Future<Path> start : executor.invokeAll(starts)) {
                    assertThat(start.get()).isEqualTo(unpacked);
                }
                assertThat(contents(unpacked)).hasSize(3).containsEntry("libllama.v0.5.0.so", "llama");
            }
        }
    }

    @Test
    void theCacheBelongsToItsUserAloneAndHoldsNothingElse() throws IOException {
        ClassLoader loader = sound().loader();
        Path home = folder.resolve("made").resolve("here");
        Path unpacked = new NativesCache(home).extract(only(loader), loader);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home)))
                .isEqualTo("rwx------");
        Files.writeString(unpacked.resolve("libggml-evil.so"), "evil");
        assertThat(contents(new NativesCache(home).extract(only(loader), loader)))
                .hasSize(3);
    }

    @Test
    void theBestFlavourWhoseDriverIsThereIsTaken() {
        List<NativesArtifact> all = Stream.of("cuda", "vulkan", "cpu")
                .map(flavour -> new NativesArtifact("0.5.0", PLATFORM, flavour, List.of()))
                .toList();
        List<String> passedOver = new ArrayList<>();
        assertThat(NativesArtifact.preferred(all, flavour -> "", passedOver)
                        .getFirst()
                        .flavour())
                .isEqualTo("cuda");
        assertThat(passedOver).isEmpty();
        assertThat(NativesArtifact.preferred(all, flavour -> flavour.equals("cuda") ? "libcuda.so.1" : "", passedOver)
                        .getFirst()
                        .flavour())
                .isEqualTo("vulkan");
        assertThat(passedOver).singleElement().asString().contains("cuda", "libcuda.so.1");

        passedOver.clear();
        assertThat(NativesArtifact.preferred(all.subList(0, 1), flavour -> "libcuda.so.1", passedOver))
                .hasSize(1);
        assertThat(passedOver).singleElement().asString().contains("devices of", "libcuda.so.1");
    }

    @Test
    void aMalformedArtifactIsAReasonAndNoException() throws IOException {
        LibrarySearch found =
                LibrarySearch.search(null, new Jar("cpu").line("../evil").loader());
        assertThat(found).isInstanceOf(LibrarySearch.Missing.class);
        assertThat(found.reason()).contains("file.1");
    }

    @Test
    void refusesAnArtifactThatHoldsSomethingElse() throws IOException {
        String wrong = sha256("other".getBytes(StandardCharsets.UTF_8));
        Jar jar = new Jar("cpu").library("libggml.so", "ggml");
        jar.entries.put("META-INF/bloomery/natives/" + PLATFORM + "-cpu/libllama.so", new byte[5]);
        jar.line("libllama.so 5 " + wrong);
        ClassLoader loader = jar.loader();
        NativesCache cache = new NativesCache(folder.resolve("cache"));
        assertThatThrownBy(() -> cache.extract(only(loader), loader))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("libllama.so")
                .hasMessageContaining(wrong);

        ClassLoader incomplete = new Jar("cpu").line("libllama.so 5 " + wrong).loader();
        assertThatThrownBy(() -> cache.extract(only(incomplete), incomplete))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("has no libllama.so");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../evil.so 1 0000000000000000000000000000000000000000000000000000000000000000",
                "/etc/evil.so 1 0000000000000000000000000000000000000000000000000000000000000000",
                "a/b.so 1 0000000000000000000000000000000000000000000000000000000000000000",
                "a.so -1 0000000000000000000000000000000000000000000000000000000000000000",
                "a.so 99999999999999999999 0000000000000000000000000000000000000000000000000000000000000000",
                "a.so 1 00",
                "a.so 1",
                ""
            })
    void refusesAnIndexThatNamesWhatItMayNot(String line) throws IOException {
        ClassLoader loader = new Jar("cpu").line(line).loader();
        assertThatThrownBy(() -> NativesArtifact.onClassPath(loader, new ArrayList<>()))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("file.1");
    }

    @Test
    void aCacheThatOthersCanWriteIsRefused() throws IOException {
        Path home = folder.resolve("cache");
        Files.createDirectories(home);
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxrwxrwx"));
        ClassLoader loader = sound().loader();
        assertThatThrownBy(() -> new NativesCache(home).extract(only(loader), loader))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("rwxrwxrwx")
                .hasMessageContaining("library-path");
    }

    @Test
    void aCacheThatCannotBeMadeIsNamedWithTheRemedy() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        ClassLoader loader = sound().loader();
        assertThatThrownBy(() -> new NativesCache(file.resolve("cache")).extract(only(loader), loader))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("cannot be used")
                .hasMessageContaining("library-path");
    }

    @Test
    void anArtifactThatWasBuiltEmptyIsPassedOverWithItsReason() throws IOException {
        Jar jar = new Jar("cpu");
        jar.index.setLength(0);
        jar.index.append("missing=npm was not found\nartifact=linux-x86_64\n");
        List<String> passedOver = new ArrayList<>();
        assertThat(NativesArtifact.onClassPath(jar.loader(), passedOver)).isEmpty();
        assertThat(passedOver)
                .singleElement()
                .asString()
                .contains("bloomery-natives-linux-x86_64", "npm was not found");
    }

    @ParameterizedTest
    @CsvSource({
        "Linux,amd64,linux-x86_64",
        "Linux,aarch64,linux-aarch64",
        "Mac OS X,aarch64,macos-aarch64",
        "Windows 11,amd64,windows-x86_64",
        "Linux,riscv64,linux-riscv64"
    })
    void platformsAreNamedAsTheArtifacts(String os, String architecture, String name) {
        assertThat(Platform.of(os, architecture).name()).isEqualTo(name);
    }

    @ParameterizedTest
    @CsvSource({
        "libllama.v0.5.0.so,true",
        "libllama.vulkan.v0.5.0.so,true",
        "libllama.so,true",
        "libllama.so.0,true",
        "libllama.0.dylib,true",
        "libllama.metal.v0.4.0.dylib,true",
        "llama.v0.4.0.dll,true",
        "libllama-common.so,false",
        "libllama.txt,false",
        "xlibllama.so,false"
    })
    void knowsTheLibraryFromWhatLiesBesideIt(String file, boolean is) {
        assertThat(Platform.isLibrary(file, "llama")).isEqualTo(is);
    }
}
