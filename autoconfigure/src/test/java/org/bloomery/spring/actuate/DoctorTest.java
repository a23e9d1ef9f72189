package org.bloomery.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import org.bloomery.engine.CacheUse;
import org.bloomery.engine.EngineState;
import org.bloomery.engine.EngineStats;
import org.bloomery.engine.ModelInfo;
import org.bloomery.engine.backend.BackendInfo;
import org.bloomery.engine.backend.HostPressure;
import org.bloomery.engine.backend.MemoryPlan;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorTest {

    private static final HostPressure CALM =
            new HostPressure(OptionalLong.of(0), OptionalLong.of(0), OptionalLong.of(5), OptionalLong.of(0));

    @TempDir
    Path folder = Path.of("");

    private Path model = Path.of("");

    @BeforeEach
    void writeModel() throws IOException {
        model = Files.createFile(folder.resolve("model.gguf"));
        permit(folder, "rwx------");
        permit(model, "rw-r--r--");
    }

    private static void permit(Path path, String permissions) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
    }

    private static EngineStats stats(String kernels) {
        return new EngineStats(
                EngineState.READY,
                new ModelInfo("m", "llama", 1, "F32", 1, 10, 10, 10, false, null),
                new BackendInfo(
                        "java", kernels, "no reason", 1, "one", "the CPU", 10, 10, 1, 10, new MemoryPlan(0, 0, 0, 0)),
                "the only one",
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                new CacheUse(0, 0, 10),
                Duration.ZERO,
                0,
                Duration.ZERO,
                Duration.ZERO);
    }

    private List<String> findings(HostPressure pressure, Path file) {
        return Doctor.findings(stats("machine-avx2"), pressure, file).stream()
                .map(Doctor.Finding::finding)
                .toList();
    }

    @Test
    void findsNothingWhereAllIsWell() {
        assertThat(findings(CALM, model)).isEmpty();
    }

    @Test
    void findsSwapAndThrottling() {
        HostPressure pressed =
                new HostPressure(OptionalLong.of(7), OptionalLong.of(9), OptionalLong.of(0), OptionalLong.of(12 << 10));
        assertThat(findings(pressed, model))
                .containsExactly(
                        "The CPU quota has throttled this process in 7 periods.",
                        "12 kB of this process are swapped out.");
    }

    @Test
    void findsSlowKernels() {
        assertThat(Doctor.findings(stats("scalar"), CALM, model))
                .singleElement()
                .satisfies(finding -> assertThat(finding.finding()).contains("'scalar'"));
    }

    @Test
    void findsAModelThatOthersMayWriteInAnyOfItsParts() throws IOException {
        Path first = Files.createFile(folder.resolve("split-00001-of-00002.gguf"));
        Path second = Files.createFile(folder.resolve("split-00002-of-00002.gguf"));
        permit(first, "rw-------");
        permit(second, "rw--w----");
        assertThat(findings(CALM, first)).singleElement().asString().contains("split-00002-of-00002.gguf");
        permit(second, "rw-------");
        assertThat(findings(CALM, first)).isEmpty();
        permit(folder, "rwx----w-");
        assertThat(findings(CALM, model)).singleElement().asString().contains("or its folder can be written");
    }

    @Test
    void findsAModelThatIsGone() throws IOException {
        Files.delete(model);
        assertThat(findings(CALM, model)).singleElement().asString().contains("check that it is there");
    }
}
