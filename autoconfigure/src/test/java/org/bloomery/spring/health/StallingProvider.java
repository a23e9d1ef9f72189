package org.bloomery.spring.health;

import java.util.concurrent.atomic.AtomicReference;
import org.bloomery.engine.backend.Availability;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.BackendProvider;
import org.bloomery.engine.backend.Backends;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.format.ModelFile;
import org.jspecify.annotations.Nullable;

/** The Java backend, whose steps hang where a test wants it. Runs only while a test has {@link #enable}d it. */
public final class StallingProvider implements BackendProvider {

    private static final AtomicReference<@Nullable StallingBackend> OPENED = new AtomicReference<>();
    private static volatile boolean enabled;

    public static void enable(boolean on) {
        enabled = on;
    }

    /** The backend that was opened last. */
    public static StallingBackend opened() {
        StallingBackend backend = OPENED.get();
        if (backend == null) {
            throw new IllegalStateException("No backend was opened by the name stalling");
        }
        return backend;
    }

    @Override
    public String name() {
        return "stalling";
    }

    @Override
    public Availability probe(DeviceOptions devices) {
        return enabled ? new Availability.Available("a test wants it") : new Availability.Unavailable("For tests.");
    }

    private static BackendProvider java() {
        return Backends.available().stream()
                .filter(provider -> provider.name().equals("java"))
                .findFirst()
                .orElseThrow();
    }

    @Override
    public Availability supports(ModelFile model) {
        return java().supports(model);
    }

    @Override
    public Backend open(ModelFile model, BackendOptions options, LoadProgress progress) {
        StallingBackend backend = new StallingBackend(java().open(model, options, progress));
        OPENED.set(backend);
        return backend;
    }
}
