package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.commons.logging.impl.NoOpLog;
import org.junit.jupiter.api.Test;

class LoadProgressLogTest {

    private final List<String> lines = new ArrayList<>();
    private long nanos = Long.MAX_VALUE - TimeUnit.SECONDS.toNanos(4); // The clock may wrap.

    private final LoadProgressLog progress = new LoadProgressLog(
            new NoOpLog() {
                @Override
                public void info(Object message) {
                    lines.add(String.valueOf(message));
                }
            },
            "classpath:m.gguf",
            () -> nanos);

    private void after(long millis, double fraction) {
        nanos += TimeUnit.MILLISECONDS.toNanos(millis);
        progress.loaded(fraction);
    }

    @Test
    void aShortLoadSaysNothing() {
        for (int i = 0; i <= 100; i++) {
            after(10, i / 100.0);
        }
        assertThat(lines).isEmpty();
    }

    @Test
    void aLongLoadSpeaksAtIntervals() {
        for (int i = 1; i <= 100; i++) {
            after(100, i / 100.0);
        }
        assertThat(lines)
                .containsExactly(
                        "Loading classpath:m.gguf: 30 %",
                        "Loading classpath:m.gguf: 60 %", "Loading classpath:m.gguf: 90 %");
    }
}
