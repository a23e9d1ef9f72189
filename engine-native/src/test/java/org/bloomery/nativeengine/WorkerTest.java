package org.bloomery.nativeengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.BackendProvider;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.DeviceOptions.FlashAttention;
import org.bloomery.engine.backend.DeviceOptions.SplitMode;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.backend.TinyModel;
import org.bloomery.engine.backend.TinyModels;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorType;
import org.bloomery.engine.worker.WorkerProvider;
import org.bloomery.engine.worker.Workers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** llama.cpp in a child JVM keeps the contract, and its death is an exception here. */
class WorkerTest extends NativeBackendTest {

    @TempDir
    Path models;

    @Override
    protected BackendProvider provider() {
        return new WorkerProvider(new NativeBackendProvider());
    }

    @Override
    protected Stream<TinyModel> models() {
        return Stream.of(TinyModels.llama3(1, TensorType.F32));
    }

    /** Each starts a JVM. */
    @Override
    protected int cycles() {
        return 12;
    }

    @Test
    void aCrashIsATypedErrorAndTheBackendComesBack() {
        try (Opened opened = open(TinyModels.llama(2, TensorType.F32))) {
            Backend backend = opened.backend();
            float[][] expected = feed(backend, new int[] {1, 2, 3}, 0, 3);
            Workers.kill(Workers.processId(backend.info()));
            assertThatThrownBy(() -> backend.truncate(0, 0)).isInstanceOf(BackendLostException.class);
            backend.recover();
            assertThat(feed(backend, new int[] {1, 2, 3}, 0, 3)).isDeepEqualTo(expected);
        }
    }

    @Test
    void whatCannotRunThereIsRefusedAsHere() {
        DeviceOptions nowhere = new DeviceOptions(
                models.resolve("nowhere"),
                0,
                java.util.List.of(),
                SplitMode.LAYER,
                java.util.List.of(),
                java.util.List.of(),
                FlashAttention.AUTO);
        try (ModelFile file =
                GgufReader.open(TinyModels.llama(1, TensorType.F32).write(models), LoadMode.MAP)) {
            BackendOptions options = new BackendOptions(16, 1, 16, 1, "auto", "F16", true, nowhere);
            assertThatThrownBy(() -> provider().open(file, options, LoadProgress.NONE))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageContaining("nowhere");
        }
    }
}
