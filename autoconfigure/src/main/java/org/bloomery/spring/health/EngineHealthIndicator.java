package org.bloomery.spring.health;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineState;
import org.bloomery.engine.EngineStats;
import org.bloomery.engine.EngineUnavailableException;
import org.bloomery.engine.ModelInfo;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/**
 * An engine's health, from its own figures: nothing is ever generated for it. Out of service while the model is being loaded
 * or the backend brought back, down where the engine is closed or stalled, otherwise up, however busy it is.
 */
public final class EngineHealthIndicator extends AbstractHealthIndicator {

    private final Engine engine;
    private final Supplier<EngineWatchdog.State> watchdog;

    /** @param watchdog what it last found */
    public EngineHealthIndicator(Engine engine, Supplier<EngineWatchdog.State> watchdog) {
        super("The engine's figures could not be read");
        this.engine = engine;
        this.watchdog = watchdog;
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        EngineState state = engine.state();
        builder.withDetail("state", state.name());
        EngineStats stats;
        try {
            stats = engine.stats();
        } catch (EngineUnavailableException e) {
            if (state == EngineState.LOADING) {
                builder.outOfService().withDetail("loaded", Math.round(engine.loadProgress() * 100) + " %");
            } else {
                builder.down().withDetail("reason", String.valueOf(e.getMessage()));
            }
            return;
        }
        EngineWatchdog.State progress = watchdog.get();
        if (progress != EngineWatchdog.State.HEALTHY || state == EngineState.CLOSED) {
            builder.down();
        } else if (state == EngineState.READY) {
            builder.up();
        } else {
            builder.outOfService();
        }
        ModelInfo model = stats.model();
        builder.withDetail("progress", progress.name())
                .withDetail("backend", stats.backend().backend())
                .withDetail("kernels", stats.backend().kernels())
                .withDetail("model", model.name())
                .withDetail("digest", digest())
                .withDetail("templateHash", String.valueOf(model.templateHash()))
                .withDetail("activeSequences", stats.activeSequences())
                .withDetail("maxSequences", stats.backend().maxSequences())
                .withDetail("queuedRequests", stats.queuedRequests())
                .withDetail("cacheTokensActive", stats.cache().active())
                .withDetail("cacheTokensReusable", stats.cache().reusable())
                .withDetail("cacheTokensFree", stats.cache().free());
    }

    /** SHA-256 of the model file, or why it is not known. A probe never waits for it. */
    private String digest() {
        CompletableFuture<String> digest = engine.modelDigest();
        return switch (digest.state()) {
            case RUNNING -> "being computed";
            case SUCCESS -> digest.resultNow();
            case FAILED -> "unknown: " + digest.exceptionNow().getMessage();
            case CANCELLED -> "unknown";
        };
    }
}
