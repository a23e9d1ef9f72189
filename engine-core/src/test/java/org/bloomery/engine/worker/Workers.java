package org.bloomery.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bloomery.engine.backend.BackendInfo;

/** The processes of backends that run in workers. */
public final class Workers {

    private static final Pattern PROCESS = Pattern.compile("in worker process (\\d+)");

    private Workers() {}

    /** The process of a backend that runs in a worker. */
    public static long processId(BackendInfo info) {
        Matcher process = PROCESS.matcher(info.devices());
        assertThat(process.find()).as(info.devices()).isTrue();
        return Long.parseLong(process.group(1));
    }

    /** Kills the process as the kernel does when memory runs out, and waits until it has gone. */
    public static void kill(long processId) {
        ProcessHandle.of(processId).ifPresent(process -> {
            process.destroyForcibly();
            process.onExit().join();
        });
    }
}
