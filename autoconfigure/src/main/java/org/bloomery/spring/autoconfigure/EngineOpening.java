package org.bloomery.spring.autoconfigure;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.store.ModelReference;
import org.bloomery.engine.store.ResolvedModel;
import org.bloomery.spring.health.StartupProbe;
import org.bloomery.spring.security.ModelChecks;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.core.io.ResourceLoader;

/** Opens the engine as the configuration says, and knows how to open another model like it. */
final class EngineOpening implements DisposableBean {

    private static final Log log = LogFactory.getLog(EngineOpening.class);

    private final BloomeryChatProperties chat;
    private final BloomeryEngineProperties engine;
    private final BloomeryAdmissionProperties admission;
    private final ClassLoader loader;
    private final ObjectProvider<ModelChecks> checks;
    /** By their locations, copies out of archives, which are deleted after the engine is closed: archives do not change. */
    private final Map<String, ResolvedModel> copies = new HashMap<>();

    private volatile @Nullable StartupProbe startupProbe;

    EngineOpening(
            BloomeryChatProperties chat,
            BloomeryEngineProperties engine,
            BloomeryAdmissionProperties admission,
            ResourceLoader resources,
            ObjectProvider<ModelChecks> checks) {
        this.chat = chat;
        this.engine = engine;
        this.admission = admission;
        ClassLoader own = resources.getClassLoader();
        this.loader = own == null ? ClassLoader.getSystemClassLoader() : own;
        this.checks = checks;
        chat.toOptions(); // Refuses a bad option before gigabytes are read for it.
    }

    Engine open() {
        log.info("Loading " + chat.model());
        if (engine.startup() == Startup.BACKGROUND) {
            EngineOptions options = unchecked(null);
            Engine opened = Engine.openInBackground(() -> checked(options), progress());
            opened.whenLoaded(() -> report(opened));
            return opened;
        }
        Engine opened = OptionNames.under(BloomeryEngineProperties.PREFIX, this::openUntilShutdown);
        report(opened);
        return opened;
    }

    private void report(Engine opened) {
        StartupProbe took = StartupProbe.now();
        startupProbe = took;
        List<String> lines = new ArrayList<>(opened.report());
        lines.add(took.toString());
        log.info(String.join(System.lineSeparator() + "  ", lines));
    }

    /** What a startup probe needs, or null before there is a model. */
    @Nullable
    StartupProbe startupProbe() {
        return startupProbe;
    }

    /**
     * Gives a load up when the JVM is told to stop: its shutdown waits for the context, whose start waits for the load. An
     * interrupt ends what tells no progress, such as the digest of a file.
     */
    private Engine openUntilShutdown() {
        AtomicBoolean stopping = new AtomicBoolean();
        Thread starting = Thread.currentThread();
        Thread hook = Thread.ofPlatform().name("bloomery-load-stop").unstarted(() -> {
            stopping.set(true);
            starting.interrupt();
        });
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            // The options on this thread, since it may hold locks of the context's that checks need
            return load(options(null), stopping);
        } catch (RuntimeException e) {
            throw stopping.get() && !(e instanceof CancellationException) ? givenUp(e) : e;
        } finally {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                log.debug("The JVM is stopping.", e);
            }
        }
    }

    /** Waits for a thread that loads, and leaves it behind when it is told to stop: no memory can be had interruptibly. */
    private Engine load(EngineOptions options, AtomicBoolean stopping) {
        LoadProgress told = progress();
        FutureTask<Engine> loading = new FutureTask<>(() -> {
            Engine opened = Engine.open(options, fraction -> {
                if (stopping.get()) {
                    throw givenUp(null);
                }
                told.loaded(fraction);
            });
            if (stopping.get()) {
                opened.close();
            }
            return opened;
        });
        Thread.ofPlatform().name("bloomery-load").daemon().start(loading);
        try {
            return loading.get();
        } catch (InterruptedException e) {
            stopping.set(true);
            loading.cancel(true);
            Thread.currentThread().interrupt();
            throw givenUp(null);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e.getCause() instanceof RuntimeException known
                    ? known
                    : new EngineException("The model could not be loaded.", e.getCause());
        }
    }

    private static CancellationException givenUp(@Nullable RuntimeException cause) {
        CancellationException givenUp =
                new CancellationException("The application was told to stop while the model was being loaded.");
        givenUp.initCause(cause);
        return givenUp;
    }

    private LoadProgress progress() {
        return new LoadProgressLog(log, String.valueOf(chat.model()), System::nanoTime);
    }

    /**
     * How to open a model, which was checked.
     *
     * @param model as in {@code bloomery.chat.model}, or null for what that names
     */
    EngineOptions options(@Nullable String model) {
        return checked(unchecked(model));
    }

    private EngineOptions unchecked(@Nullable String model) {
        String location = model == null ? String.valueOf(chat.model()) : model;
        ResolvedModel known = copyOf(location);
        if (known == null) {
            // Not under the lock: copying may take long, and the end of the application waits for nothing
            known = keep(
                    location,
                    OptionNames.under(
                            BloomeryChatProperties.PREFIX,
                            () -> ModelReference.parse(location).resolve(loader)));
        }
        return admission.limit(engine.toOptions(known.path()));
    }

    private @Nullable ResolvedModel copyOf(String location) {
        synchronized (copies) {
            ResolvedModel copy = copies.get(location);
            return copy != null && copy.isCopy() ? copy : null;
        }
    }

    /** What is used of a location: this file, or a copy that somebody else has made at the same time. */
    private ResolvedModel keep(String location, ResolvedModel file) {
        synchronized (copies) {
            ResolvedModel other = copyOf(location);
            if (other != null) {
                file.close();
                return other;
            }
            if (file.isCopy()) {
                ResolvedModel broken = copies.put(location, file);
                if (broken != null) {
                    broken.close();
                }
            }
            return file;
        }
    }

    private EngineOptions checked(EngineOptions options) {
        checks.ifAvailable(all -> all.check(options.model(), options.chatTemplate()));
        return options;
    }

    @Override
    public void destroy() {
        synchronized (copies) {
            copies.values().forEach(ResolvedModel::close);
        }
    }
}
