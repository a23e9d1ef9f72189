package org.bloomery.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bloomery.engine.InvalidOptionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How many threads compute under which limits. */
class ThreadPlanTest {

    @TempDir
    Path root;

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    @ParameterizedTest
    @CsvSource({
        "max 100000, 8",
        "50000 100000, 1",
        "100000 100000, 1",
        "150000 100000, 1",
        "350000 100000, 3",
        "400000 100000, 4",
        "765000 100000, 7",
        "9900000 100000, 8",
        "what, 8"
    })
    void aQuotaIsRoundedDown(String quota, int threads) throws IOException {
        write("proc/self/cgroup", "0::/app/pod\n");
        write("sys/fs/cgroup/app/cpu.max", "max 100000\n");
        write("sys/fs/cgroup/app/pod/cpu.max", quota + "\n");
        assertThat(ThreadPlan.of(0, 8, root).threads()).isEqualTo(threads);
    }

    @Test
    void theLeastOfAllGroupsCounts() throws IOException {
        write("proc/self/cgroup", "0::/app/pod\n");
        write("sys/fs/cgroup/app/cpu.max", "250000 100000\n");
        write("sys/fs/cgroup/app/pod/cpu.max", "600000 100000\n");
        ThreadPlan plan = ThreadPlan.of(0, 8, root);
        assertThat(plan.threads()).isEqualTo(2);
        assertThat(plan.reason()).contains("2.50");
    }

    @Test
    void theFirstKindOfControlGroupsIsReadToo() throws IOException {
        write("proc/self/cgroup", "4:cpu,cpuacct:/docker/x\n3:memory:/docker/x\n");
        write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "350000\n");
        write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
        assertThat(ThreadPlan.of(0, 8, root).threads()).isEqualTo(3);
        write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
        assertThat(ThreadPlan.of(0, 8, root).threads()).isEqualTo(8);
    }

    @Test
    void withoutLimitsThereIsOneThreadAProcessor() {
        assertThat(ThreadPlan.of(0, 6, root).threads()).isEqualTo(6);
        assertThat(ThreadPlan.of(0).threads()).isBetween(1, Runtime.getRuntime().availableProcessors());
    }

    @Test
    void whatIsAskedForIsTakenWithAWarningWhereItIsTooMany() throws IOException {
        write("proc/self/cgroup", "0::/\n");
        write("sys/fs/cgroup/cpu.max", "200000 100000\n");
        assertThat(ThreadPlan.of(3, 8, root).threads()).isEqualTo(3);
        assertThat(ThreadPlan.of(3, 8, root).reason()).contains("only 2");
        assertThat(ThreadPlan.of(2, 8, root).reason()).doesNotContain("only");
        assertThatThrownBy(() -> ThreadPlan.of(-1, 8, root))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("-1")
                .hasMessageContaining("1 to 1024");
    }
}
