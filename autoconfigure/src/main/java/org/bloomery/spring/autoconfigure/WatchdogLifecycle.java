package org.bloomery.spring.autoconfigure;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.bloomery.spring.health.EngineWatchdog;
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;

/** Has the watchdog look every second while the application runs. */
final class WatchdogLifecycle implements SmartLifecycle {

    private final EngineWatchdog watchdog;
    private @Nullable ScheduledExecutorService executor;
    private @Nullable ScheduledFuture<?> checks;

    WatchdogLifecycle(EngineWatchdog watchdog) {
        this.watchdog = watchdog;
    }

    @Override
    public synchronized void start() {
        if (executor == null) {
            executor = Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().name("bloomery-watchdog").daemon().factory());
            checks = executor.scheduleWithFixedDelay(watchdog::check, 1, 1, TimeUnit.SECONDS);
        }
    }

    @Override
    public synchronized void stop() {
        if (checks != null && executor != null) {
            checks.cancel(true);
            executor.shutdown();
            executor = null;
        }
    }

    @Override
    public synchronized boolean isRunning() {
        return executor != null;
    }

    @Override
    public boolean isPauseable() {
        return false;
    }
}
