package org.bloomery.nativeengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.bloomery.engine.backend.Availability;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.DeviceOptions.FlashAttention;
import org.bloomery.engine.backend.DeviceOptions.SplitMode;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.backend.Logits;
import org.bloomery.engine.backend.TinyModel;
import org.bloomery.engine.backend.TinyModels;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * All layers on a device give the CPU's logits. Runs where {@code -Dbloomery.natives.devices=FOLDER} names a build of
 * llama.cpp that reaches one; a software driver for Vulkan will do.
 */
class DeviceTest {

    private static final int TOKENS = 40;

    @TempDir
    Path folder;

    static List<TinyModel> models() {
        return List.of(
                TinyModels.llama3(1, TensorType.F32),
                TinyModels.qwen3(1, TensorType.F32),
                TinyModels.mixtral(1, TensorType.F32),
                TinyModels.llama(1, TensorType.Q8_0),
                TinyModels.llama(1, TensorType.Q4_K));
    }

    @ParameterizedTest
    @MethodSource("models")
    void allLayersOnADeviceGiveTheCpusLogits(TinyModel model) {
        String library = System.getProperty("bloomery.natives.devices", "");
        Assumptions.assumeFalse(
                library.isEmpty(), "No build of llama.cpp for devices is named by bloomery.natives.devices.");
        try (ModelFile file = GgufReader.open(model.write(folder), LoadMode.MAP)) {
            Run onDevice = run(file, options(Path.of(library), DeviceOptions.AUTO));
            Assumptions.assumeFalse(onDevice.devices().startsWith("the CPU"), "No device: " + onDevice.devices());
            assertThat(onDevice.devices()).contains("3 of 3 layers");
            Run onCpu = run(file, options(Path.of(library), 0));
            assertThat(onCpu.devices()).startsWith("the CPU");
            double tolerance =
                    model.tensors().values().stream().anyMatch(tensor -> tensor.type() != TensorType.F32) ? 5e-2 : 2e-3;
            for (int i = 0; i < onCpu.logits().length; i++) {
                assertThat((double) onDevice.logits()[i])
                        .isCloseTo(onCpu.logits()[i], within(tolerance * onCpu.range()));
            }
        }
    }

    private record Run(String devices, float[] logits) {
        double range() {
            float least = logits[0];
            float most = logits[0];
            for (float logit : logits) {
                least = Math.min(least, logit);
                most = Math.max(most, logit);
            }
            return most - least;
        }
    }

    private static DeviceOptions options(@Nullable Path library, int layers) {
        return new DeviceOptions(
                library, layers, List.of(), SplitMode.LAYER, List.of(), List.of(), FlashAttention.AUTO);
    }

    private static Run run(ModelFile file, DeviceOptions devices) {
        NativeBackendProvider provider = new NativeBackendProvider();
        assertThat(provider.probe(devices)).isInstanceOf(Availability.Available.class);
        BackendOptions options = new BackendOptions(64, 2, 64, 2, "auto", "F32", true, devices);
        try (Backend backend = provider.open(file, options, LoadProgress.NONE)) {
            int vocabSize = backend.info().vocabSize();
            int[] tokens = new SplittableRandom(3).ints(TOKENS, 0, vocabSize).toArray();
            Batch batch = new Batch(TOKENS);
            for (int i = 0; i < TOKENS; i++) {
                batch.add(tokens[i], i, 0, true);
            }
            Logits found = backend.forward(batch);
            float[] logits = new float[TOKENS * vocabSize];
            float[] row = new float[vocabSize];
            for (int i = 0; i < TOKENS; i++) {
                found.copyRow(i, row);
                System.arraycopy(row, 0, logits, i * vocabSize, vocabSize);
            }
            return new Run(backend.info().devices(), logits);
        }
    }
}
