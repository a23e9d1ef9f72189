package org.bloomery.nativeengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.backend.Availability;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendInfo;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.Backends;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.DeviceOptions.FlashAttention;
import org.bloomery.engine.backend.DeviceOptions.SplitMode;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.backend.TinyModels;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the options do, and how those that cannot be met are refused. */
class NativeOptionsTest {

    @TempDir
    Path folder;

    private ModelFile model() {
        // Rows of whole blocks, for caches of every type
        return GgufReader.open(TinyModels.llama(1, TensorType.Q4_K).write(folder), LoadMode.MAP);
    }

    private static DeviceOptions devices(
            @Nullable Path library, int layers, List<String> devices, List<String> rpc, FlashAttention attention) {
        return new DeviceOptions(library, layers, devices, SplitMode.LAYER, List.of(), rpc, attention);
    }

    private BackendInfo open(String cacheType, DeviceOptions devices) {
        try (ModelFile file = model();
                Backend backend = new NativeBackendProvider()
                        .open(
                                file,
                                new BackendOptions(64, 2, 32, 1, "auto", cacheType, true, devices),
                                LoadProgress.NONE)) {
            Batch batch = new Batch(2);
            batch.add(1, 0, 0, false);
            batch.add(2, 1, 0, true);
            float[] row = new float[backend.info().vocabSize()];
            backend.forward(batch).copyRow(0, row);
            for (float logit : row) {
                assertThat(logit).isFinite();
            }
            return backend.info();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"F32", "F16", "Q8_0", "Q4_0"})
    void takesEveryTypeOfCache(String type) {
        Natives.require();
        assertThat(open(type, DeviceOptions.DEFAULT).memory().cache()).isPositive();
    }

    @Test
    void aSmallerTypeTakesLessMemory() {
        Natives.require();
        long f16 = open("F16", DeviceOptions.DEFAULT).memory().cache();
        assertThat(open("F32", DeviceOptions.DEFAULT).memory().cache()).isEqualTo(2 * f16);
        assertThat(open("Q8_0", DeviceOptions.DEFAULT).memory().cache()).isBetween(f16 / 2, f16);
    }

    @Test
    void aQuantisedCacheNeedsFlashAttention() {
        Natives.require();
        assertThatThrownBy(
                        () -> open("Q8_0", devices(null, DeviceOptions.AUTO, List.of(), List.of(), FlashAttention.OFF)))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("flash-attention")
                .hasMessageContaining("Q8_0");
    }

    @Test
    void aDeviceThatIsNotThereIsNamedWithThoseThatAre() {
        Natives.require();
        assertThatThrownBy(() -> open("F16", devices(null, 1, List.of("CUDA9"), List.of(), FlashAttention.AUTO)))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("CUDA9")
                .hasMessageContaining("device");
    }

    @Test
    void withoutAGpuTheCpuComputesAndOneLineSaysSo() {
        Natives.require();
        assertThat(open("F16", devices(null, 99, List.of(), List.of(), FlashAttention.AUTO))
                        .devices())
                .startsWith("the CPU");
    }

    @Test
    void rpcServersAreRefusedWhereTheLibraryHasNoSuchBackend() {
        Natives.require();
        assertThatThrownBy(() -> open("F16", devices(null, 1, List.of(), List.of("127.0.0.1:1"), FlashAttention.AUTO)))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("127.0.0.1:1")
                .hasMessageContaining("rpc-servers");
    }

    @Test
    void aFolderWithoutLibrariesIsUnavailableWithTheRemedy() {
        Availability found =
                new NativeBackendProvider().probe(devices(folder, 0, List.of(), List.of(), FlashAttention.AUTO));
        assertThat(found).isInstanceOf(Availability.Unavailable.class);
        assertThat(found.reason()).contains("library-path", folder.toString());
    }

    @Test
    void aFileThatIsNoLibraryIsUnavailableWithTheRemedy() throws IOException {
        Files.writeString(folder.resolve("libggml.so"), "no library");
        Files.writeString(folder.resolve("libllama.so"), "no library");
        Availability found =
                new NativeBackendProvider().probe(devices(folder, 0, List.of(), List.of(), FlashAttention.AUTO));
        assertThat(found).isInstanceOf(Availability.Unavailable.class);
        assertThat(found.reason()).contains("libggml.so", "cannot be loaded");
    }

    @Test
    void withoutLibrariesTheJavaBackendIsTakenAndTheReasonTold() {
        try (ModelFile file = model()) {
            BackendOptions options = new BackendOptions(
                    64,
                    2,
                    32,
                    1,
                    "auto",
                    "F16",
                    true,
                    devices(folder.resolve("nowhere"), 0, List.of(), List.of(), FlashAttention.AUTO));
            Backends.Opened opened = Backends.open(file, "auto", options, LoadProgress.NONE, UnaryOperator.identity());
            try (Backend backend = opened.backend()) {
                assertThat(backend.info().backend()).isEqualTo("java");
                assertThat(opened.reason()).contains("native: ").contains("nowhere");
            }
            assertThatThrownBy(
                            () -> Backends.open(file, "native", options, LoadProgress.NONE, UnaryOperator.identity()))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageContaining("nowhere");
        }
    }

    @Test
    void aListenerThatGivesLoadingUpEndsIt() {
        Natives.require();
        List<Double> heard = new ArrayList<>();
        try (ModelFile file = model()) {
            assertThatThrownBy(() -> new NativeBackendProvider()
                            .open(file, new BackendOptions(64, 2, 32, 1, "auto", "F16"), fraction -> {
                                heard.add(fraction);
                                throw new IllegalArgumentException("given up");
                            }))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("given up");
        }
        assertThat(heard).hasSize(1);
    }
}
