package org.bloomery.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostPressureTest {

    private static final HostPressure UNKNOWN =
            new HostPressure(OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());

    @TempDir
    Path root;

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    @Test
    void tellsTheQuotaThatStoppedTheProcessMost() throws IOException {
        write("proc/self/cgroup", "0::/app/web\n");
        write("sys/fs/cgroup/app/web/cpu.stat", "usage_usec 9\nnr_periods 8\nnr_throttled 2\nthrottled_usec 30\n");
        write("sys/fs/cgroup/app/cpu.stat", "usage_usec 9\nnr_periods 8\nnr_throttled 5\nthrottled_usec 700\n");
        write("sys/fs/cgroup/cpu.stat", "usage_usec 9\n");

        HostPressure pressure = HostPressure.read(root, List.of());

        assertThat(pressure.throttledPeriods()).hasValue(5);
        assertThat(pressure.throttledNanos()).hasValue(700_000);
        assertThat(pressure.majorFaults()).isEmpty();
    }

    @Test
    void readsVersion1OfControlGroups() throws IOException {
        write("proc/self/cgroup", "4:cpu,cpuacct:/app\n");
        write("sys/fs/cgroup/cpu/app/cpu.stat", "nr_periods 8\nnr_throttled 3\nthrottled_time 12345\n");

        HostPressure pressure = HostPressure.read(root, List.of());

        assertThat(pressure.throttledPeriods()).hasValue(3);
        assertThat(pressure.throttledNanos()).hasValue(12_345);
    }

    @Test
    void findsMajorFaultsBehindANameWithSpacesAndBrackets() throws IOException {
        write("proc/self/stat", "42 (my (odd) app 1 2) S 1 42 42 0 -1 4194560 100 200 77 0 5 6\n");
        assertThat(HostPressure.read(root, List.of()).majorFaults()).hasValue(77);
    }

    @Test
    void countsWhatHappensToChildrenToo() throws IOException {
        write("proc/self/stat", "42 (java) S 1 42 42 0 -1 4194560 100 200 77 400 5 6\n");
        write("proc/self/status", "VmSwap:\t 8 kB\n");
        write("proc/43/stat", "43 (java) S 42 42 42 0 -1 4194560 100 200 3000 20 5 6\n");
        write("proc/43/status", "VmSwap:\t 4 kB\n");

        HostPressure pressure = HostPressure.read(root, List.of(43L, 44L));

        assertThat(pressure.majorFaults()).hasValue(77 + 400 + 3000 + 20);
        assertThat(pressure.swappedBytes()).hasValue(12 * 1024);
    }

    @Test
    void tellsWhatIsSwappedOut() throws IOException {
        write("proc/self/status", "Name:\tjava\nVmRSS:\t  900 kB\nVmSwap:\t    1536 kB\nThreads:\t20\n");
        assertThat(HostPressure.read(root, List.of()).swappedBytes()).hasValue(1536 * 1024);
    }

    @Test
    void tellsNothingWhereTheMachineDoesNot() throws IOException {
        assertThat(HostPressure.read(root, List.of())).isEqualTo(UNKNOWN);
        write("proc/self/cgroup", "0::/\n");
        write("sys/fs/cgroup/cpu.stat", "nr_throttled many\n");
        write("proc/self/stat", "nonsense");
        write("proc/self/status", "VmSwap:\tnonsense kB\n");
        assertThat(HostPressure.read(root, List.of())).isEqualTo(UNKNOWN);
    }
}
