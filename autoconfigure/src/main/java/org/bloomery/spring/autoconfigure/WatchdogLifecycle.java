package org.bloomery.spring.autoconfigure;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.bloomery.spring.health.EngineWatchdog;
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;

/** Has the watchdog look every second while the application runs. */
final class WatchdogLifecycle implements SmartLifecycle {

    private static final Log log = LogFactory.getLog(WatchdogLifecycle.class);

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
            checks = executor.scheduleWithFixedDelay(this::check, 1, 1, TimeUnit.SECONDS);
        }
    }

    /** What a check throws would end all later ones, unheard. */
    private void check() {
        try {
            watchdog.check();
        } catch (RuntimeException e) {
            log.error("The watchdog could not look after the engine; it tries again.", e);
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
