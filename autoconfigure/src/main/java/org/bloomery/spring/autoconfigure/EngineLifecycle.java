package org.bloomery.spring.autoconfigure;

import java.time.Duration;
import java.util.function.Predicate;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.bloomery.engine.EngineClosedException;
import org.springframework.context.SmartLifecycle;

/**
 * Ends an engine with its application: refuses new requests, waits for running ones, then frees the model. The engine
 * is opened with its bean and cannot be opened again, so a context that was stopped cannot be started again.
 */
final class EngineLifecycle implements SmartLifecycle {

    /**
     * That of Spring Boot's wait for web requests under way, so that both begin together: an answer that takes too long ends
     * with a finish reason that its reader still gets, before the web server cuts its connection.
     */
    static final int PHASE = SmartLifecycle.DEFAULT_PHASE - 1024;

    private static final Log log = LogFactory.getLog(EngineLifecycle.class);

    private final Predicate<Duration> drain;
    private final Runnable close;
    private final Duration shutdownTimeout;
    private volatile boolean running;
    private volatile boolean stopped;

    /**
     * @param drain refuses new requests, waits this long for running ones and says whether all ended
     * @param close ends what still runs and frees the model
     */
    EngineLifecycle(Predicate<Duration> drain, Runnable close, Duration shutdownTimeout) {
        this.drain = drain;
        this.close = close;
        this.shutdownTimeout = shutdownTimeout;
    }

    @Override
    public void start() {
        if (stopped) {
            throw new EngineClosedException(
                    "The engine was closed when its application context stopped; start a new application context.");
        }
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        stopped = true;
        try {
            if (!drain.test(shutdownTimeout)) {
                log.warn(
                        "Ending the answers that are still being written after " + shutdownTimeout.toSeconds() + " s.");
            }
        } finally {
            close.run();
        }
    }

    /** Stops on a thread of its own, since others of the same phase may stop meanwhile. */
    @Override
    public void stop(Runnable callback) {
        Thread.ofVirtual().name("bloomery-shutdown").start(() -> {
            try {
                stop();
            } finally {
                callback.run();
            }
        });
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** Test contexts that are cached would otherwise lose their model when another one takes over. */
    @Override
    public boolean isPauseable() {
        return false;
    }

    @Override
    public int getPhase() {
        return PHASE;
    }
}
