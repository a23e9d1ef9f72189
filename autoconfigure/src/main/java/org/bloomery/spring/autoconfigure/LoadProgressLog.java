package org.bloomery.spring.autoconfigure;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.apache.commons.logging.Log;
import org.bloomery.engine.backend.LoadProgress;

/** Says how far a model is loaded, at most once in an interval, so that a short load says nothing. */
final class LoadProgressLog implements LoadProgress {

    private static final Duration INTERVAL = Duration.ofSeconds(3);

    private final Log log;
    private final String model;
    private final LongSupplier nanoTime;
    private long lastNanos;

    LoadProgressLog(Log log, String model, LongSupplier nanoTime) {
        this.log = log;
        this.model = model;
        this.nanoTime = nanoTime;
        this.lastNanos = nanoTime.getAsLong();
    }

    @Override
    public synchronized void loaded(double fraction) {
        long now = nanoTime.getAsLong();
        if (now - lastNanos >= INTERVAL.toNanos()) {
            lastNanos = now;
            log.info("Loading " + model + ": " + Math.round(fraction * 100) + " %");
        }
    }
}
