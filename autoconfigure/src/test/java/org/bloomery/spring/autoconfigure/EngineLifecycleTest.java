package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.bloomery.engine.EngineClosedException;
import org.junit.jupiter.api.Test;
import org.springframework.context.SmartLifecycle;

class EngineLifecycleTest {

    private final List<String> events = new CopyOnWriteArrayList<>();

    private EngineLifecycle lifecycle(boolean drains) {
        return new EngineLifecycle(
                time -> {
                    events.add("drain " + time.toSeconds() + " s");
                    return drains;
                },
                () -> events.add("close"),
                Duration.ofSeconds(20));
    }

    @Test
    void drainsThenClosesThenCallsBack() throws Exception {
        for (boolean drains : List.of(true, false)) {
            events.clear();
            EngineLifecycle lifecycle = lifecycle(drains);
            lifecycle.start();
            assertThat(lifecycle.isRunning()).isTrue();
            CountDownLatch done = new CountDownLatch(1);
            lifecycle.stop(() -> {
                events.add("callback");
                done.countDown();
            });
            assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(events).containsExactly("drain 20 s", "close", "callback");
            assertThat(lifecycle.isRunning()).isFalse();
        }
    }

    @Test
    void closesAndCallsBackEvenIfDrainingFails() throws Exception {
        EngineLifecycle lifecycle = new EngineLifecycle(
                time -> {
                    throw new EngineClosedException("broken");
                },
                () -> events.add("close"),
                Duration.ofSeconds(1));
        CountDownLatch done = new CountDownLatch(1);
        lifecycle.stop(done::countDown);
        assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(events).containsExactly("close");
    }

    @Test
    void aStoppedEngineIsNotStartedAgain() {
        EngineLifecycle lifecycle = lifecycle(true);
        lifecycle.start();
        lifecycle.stop();
        assertThatThrownBy(lifecycle::start).isInstanceOf(EngineClosedException.class);
    }

    @Test
    void stopsBesideTheWaitForWebRequestsAndIsNeverPaused() {
        assertThat(lifecycle(true).getPhase())
                .as("before web servers, which stop at 2048 below, cut their connections")
                .isEqualTo(SmartLifecycle.DEFAULT_PHASE - 1024);
        assertThat(lifecycle(true).isPauseable()).isFalse();
        assertThat(lifecycle(true).isAutoStartup()).isTrue();
    }
}
