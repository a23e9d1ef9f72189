package org.bloomery.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AvailableMemoryTest {

    @TempDir
    Path root;

    @Test
    void isWhatTheMachineHasLeft() throws IOException {
        file("proc/meminfo", "MemTotal:  9000 kB\nMemFree:   100 kB\nMemAvailable:   2000 kB\n");
        assertThat(AvailableMemory.read(root).bytes()).isEqualTo(2_048_000);
    }

    @Test
    void isWhatTheTightestControlGroupLeaves() throws IOException {
        file("proc/meminfo", "MemAvailable:   2000000 kB\n");
        file("proc/self/cgroup", "0::/app/worker\n");
        file("sys/fs/cgroup/app/worker/memory.max", "max\n");
        file("sys/fs/cgroup/app/worker/memory.current", "600\n");
        file("sys/fs/cgroup/app/memory.max", "1000\n");
        file("sys/fs/cgroup/app/memory.current", "700\n");
        file("sys/fs/cgroup/app/memory.stat", "anon 100\ninactive_file 200\n");
        AvailableMemory available = AvailableMemory.read(root);
        assertThat(available.bytes()).isEqualTo(500);
        assertThat(available.source()).contains("container");
    }

    @Test
    void readsTheLimitOfAContainerThatSeesItselfAsTheRoot() throws IOException {
        file("proc/meminfo", "MemAvailable:   2000000 kB\n");
        file("proc/self/cgroup", "12:cpu,cpuacct:/x\n4:memory:/docker/abc\n");
        file("sys/fs/cgroup/memory/memory.limit_in_bytes", "5000\n");
        file("sys/fs/cgroup/memory/memory.usage_in_bytes", "6000\n");
        assertThat(AvailableMemory.read(root).bytes()).isZero();
        file("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 1500\n");
        assertThat(AvailableMemory.read(root).bytes()).isEqualTo(500);
    }

    @Test
    void unreadableNumbersAreNoLimit() throws IOException {
        file("proc/meminfo", "MemAvailable:   2000 kB\n");
        file("proc/self/cgroup", "nonsense\n0::/../..\n");
        file("sys/fs/cgroup/memory.max", "99999999999999999999\n");
        file("sys/fs/cgroup/memory.current", "1\n");
        assertThat(AvailableMemory.read(root).bytes()).isEqualTo(2_048_000);
    }

    @Test
    void theRunningJvmHasSomeLeft() {
        assertThat(AvailableMemory.now().bytes()).isPositive();
        assertThat(AvailableMemory.read(root).bytes()).isPositive();
    }

    private void file(String name, String content) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
    }
}
