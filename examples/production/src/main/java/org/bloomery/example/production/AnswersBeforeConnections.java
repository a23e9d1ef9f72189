package org.bloomery.example.production;

import java.time.Duration;
import org.bloomery.engine.Engine;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * Ends answers before the web server cuts their connections. The server waits for requests under way as long as
 * {@code spring.lifecycle.timeout-per-shutdown-phase} and then cuts them, so a long answer would end in the middle of a
 * word. Beside it, from the same moment on, this gives answers {@code bloomery.engine.shutdown-timeout} to end by
 * themselves and then ends them with the finish reason SHUTDOWN, which their readers still get.
 */
@Component
class AnswersBeforeConnections implements SmartLifecycle {

    /** That of {@code WebServerGracefulShutdownLifecycle}. */
    private static final int PHASE = SmartLifecycle.DEFAULT_PHASE - 1024;

    private final ObjectProvider<Engine> engine;
    private final Duration grace;
    private volatile boolean running;

    AnswersBeforeConnections(
            ObjectProvider<Engine> engine, @Value("${bloomery.engine.shutdown-timeout:20s}") Duration grace) {
        this.engine = engine;
        this.grace = grace;
    }

    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        engine.ifAvailable(e -> {
            e.drain(grace);
            e.close();
        });
    }

    @Override
    public void stop(Runnable callback) {
        Thread.ofVirtual().name("answers-shutdown").start(() -> {
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

    /** An engine that was closed cannot be opened again, which a pause would ask for. */
    @Override
    public boolean isPauseable() {
        return false;
    }

    @Override
    public int getPhase() {
        return PHASE;
    }
}
