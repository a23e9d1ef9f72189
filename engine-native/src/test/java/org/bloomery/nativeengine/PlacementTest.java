package org.bloomery.nativeengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.DeviceOptions.FlashAttention;
import org.bloomery.engine.backend.DeviceOptions.SplitMode;
import org.bloomery.nativeengine.handle.Device;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How many layers go to which devices. */
class PlacementTest {

    private static final long MIB = 1L << 20;

    /** Ten blocks of 90 MiB with caches of 10, an output layer of 50, token vectors of 30. */
    private static final Placement.Demand DEMAND = new Placement.Demand(
            Collections.nCopies(10, 90 * MIB).stream()
                    .mapToLong(Long::longValue)
                    .toArray(),
            Collections.nCopies(10, 10 * MIB).stream()
                    .mapToLong(Long::longValue)
                    .toArray(),
            50 * MIB,
            30 * MIB,
            20 * MIB);

    private static Device device(String name, Device.Kind kind, long freeMib, long totalMib) {
        return new Device(MemorySegment.NULL, name, "a test's", kind, freeMib * MIB, totalMib * MIB);
    }

    private static final Device CPU = device("CPU", Device.Kind.CPU, 8000, 8000);

    private static DeviceOptions options(int layers, SplitMode mode, List<Double> shares, String... devices) {
        return new DeviceOptions(null, layers, List.of(devices), mode, shares, List.of(), FlashAttention.AUTO);
    }

    private static Placement plan(DeviceOptions options, Device... devices) {
        return Placement.plan(List.of(devices), List.of(), options, DEMAND);
    }

    /** A tenth of 1,000 MiB, or of 10,000 at most half a gibibyte, and the workspace stay free. */
    @ParameterizedTest
    @CsvSource({
        "1200, 1000, 11",
        "1170, 1000, 11",
        "1169, 1000, 10",
        "270, 1000, 2",
        "269, 1000, 1",
        "169, 1000, 0",
        "1582, 10000, 11",
        "1581, 10000, 10"
    })
    void autoTakesAsManyLayersAsFitWithHeadRoom(long freeMib, long totalMib, int layers) {
        Placement placement = plan(
                options(DeviceOptions.AUTO, SplitMode.LAYER, List.of()),
                CPU,
                device("GPU0", Device.Kind.GPU, freeMib, totalMib));
        assertThat(placement.layers()).isEqualTo(layers);
        assertThat(placement.devices()).hasSize(layers == 0 ? 0 : 1);
        int blocks = Math.max(0, layers - 1);
        assertThat(placement.hostWeights()).isEqualTo((30 + (layers > 0 ? 0 : 50) + 90L * (10 - blocks)) * MIB);
        assertThat(placement.hostCache()).isEqualTo(10L * (10 - blocks) * MIB);
    }

    @Test
    void aNumberOfLayersIsTakenAsSetAndNoMoreThanThereAre() {
        Device gpu = device("GPU0", Device.Kind.GPU, 10, 1000);
        assertThat(plan(options(3, SplitMode.LAYER, List.of()), CPU, gpu).layers())
                .isEqualTo(3);
        assertThat(plan(options(99, SplitMode.LAYER, List.of()), CPU, gpu).layers())
                .isEqualTo(11);
        Placement none = plan(options(0, SplitMode.LAYER, List.of()), CPU, gpu);
        assertThat(none.devices()).isEmpty();
        assertThat(none.line()).startsWith("the CPU").contains("GPU0");
    }

    @Test
    void anIntegratedGpuIsUsedOnlyWhereThereIsNoOtherOrItIsNamed() {
        Device gpu = device("GPU0", Device.Kind.GPU, 4000, 4000);
        Device integrated = device("GPU1", Device.Kind.INTEGRATED_GPU, 4000, 4000);
        assertThat(plan(options(11, SplitMode.LAYER, List.of()), CPU, integrated, gpu)
                        .devices())
                .containsExactly(gpu);
        assertThat(plan(options(11, SplitMode.LAYER, List.of()), CPU, integrated)
                        .devices())
                .containsExactly(integrated);
        assertThat(plan(options(11, SplitMode.LAYER, List.of(), "gpu1", "GPU0"), CPU, gpu, integrated)
                        .devices())
                .containsExactly(integrated, gpu);
        assertThat(plan(options(11, SplitMode.NONE, List.of(), "GPU1", "GPU0"), CPU, gpu, integrated)
                        .devices())
                .containsExactly(integrated);
    }

    @Test
    void refusesDevicesThatAreNotThereAndSharesWithoutADevice() {
        Device gpu = device("GPU0", Device.Kind.GPU, 4000, 4000);
        assertThatThrownBy(() -> plan(options(1, SplitMode.LAYER, List.of(), "CUDA9"), CPU, gpu))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("CUDA9")
                .hasMessageContaining("GPU0");
        assertThatThrownBy(() -> plan(options(1, SplitMode.LAYER, List.of(1.0, 2.0)), CPU, gpu))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("tensor-split")
                .hasMessageContaining("GPU0");
    }
}
