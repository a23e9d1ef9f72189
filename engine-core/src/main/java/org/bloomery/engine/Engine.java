package org.bloomery.engine;

import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ToolSpec;
import org.bloomery.engine.telemetry.FlightListener;
import org.bloomery.engine.tokenizer.Tokenizer;
import org.jspecify.annotations.Nullable;

/**
 * The door of the engine: a model that answers, one at a time, in whose place another can be put. Safe for use by many
 * threads; callers wait, they never compute.
 *
 * <p>An engine that was opened in the background refuses requests by {@link EngineUnavailableException} until its model is
 * loaded, and so does everything else that needs the model.
 */
public final class Engine implements AutoCloseable {

    /** Most tokens of an answer whose request names no number. */
    public static final int DEFAULT_MAX_TOKENS = 1024;

    private static final System.Logger LOG = System.getLogger(Engine.class.getName());

    private final Listeners listeners = new Listeners();
    private final Map<String, Generation> running = new ConcurrentHashMap<>();
    private final StateTeller states = new StateTeller(this::state);
    /** What waits for a model. Who takes a task out runs it. */
    private final Queue<Runnable> whenLoaded = new ConcurrentLinkedQueue<>();
    /** One load or unload at a time. */
    private final ReentrantLock loads = new ReentrantLock();

    private volatile @Nullable LoadedModel current;
    /** The model whose last requests end, since it was replaced or unloaded. */
    private volatile @Nullable LoadedModel leaving;
    /** Why there is no model, unless one is being loaded. */
    private volatile @Nullable EngineException failure;

    /** Requests that found no model. */
    private final AtomicLong refused = new AtomicLong();

    private volatile double progress;
    private volatile boolean closed;

    private Engine() {
        // A run-time image may lack the module
        if (ModuleLayer.boot().findModule("jdk.jfr").isPresent()) {
            listeners.add(new FlightListener());
        }
        listeners.add(new EngineListener() {
            @Override
            public void ended(Ended request) {
                running.remove(request.id());
            }
        });
    }

    /**
     * Opens a model with the backend that the options name, or the best available one.
     *
     * @throws EngineException naming what is wrong with the file, the options or the machine
     */
    public static Engine open(EngineOptions options, LoadProgress progress) {
        Engine engine = new Engine();
        engine.loads.lock();
        try {
            engine.put(engine.load(options, progress));
        } finally {
            engine.loads.unlock();
        }
        return engine;
    }

    /**
     * Opens a model on a thread of its own and returns at once. Where the model cannot be opened the engine is {@link
     * EngineState#CLOSED} and says why whenever it is asked.
     *
     * @param options asked for on that thread
     */
    public static Engine openInBackground(Supplier<EngineOptions> options, LoadProgress progress) {
        Engine engine = new Engine();
        Thread.ofPlatform().name("bloomery-load").daemon().start(() -> engine.loadFirst(options, progress));
        return engine;
    }

    private void loadFirst(Supplier<EngineOptions> options, LoadProgress told) {
        loads.lock();
        try {
            if (current == null) {
                put(load(options.get(), told));
            } // Otherwise a swap was faster, with what is wanted now
        } catch (Throwable t) {
            // Errors too: whoever waits for the model must learn that there will be none
            failure = t instanceof EngineException known
                    ? known
                    : new EngineException("The model could not be loaded.", t);
            if (!closed) {
                LOG.log(Level.ERROR, "The model could not be loaded; the engine answers nothing.", t);
            }
            states.changed();
        } finally {
            loads.unlock();
        }
    }

    /** Loads a model beside whatever is there. The caller holds the lock of loads. */
    private LoadedModel load(EngineOptions options, LoadProgress told) {
        if (closed) {
            throw new EngineClosedException("The engine is closed and loads no model.");
        }
        progress = 0;
        listeners.loading();
        LoadedModel model;
        try {
            model = LoadedModel.open(
                    options,
                    fraction -> {
                        if (closed) {
                            throw new CancellationException("The engine was closed.");
                        }
                        progress = fraction;
                        told.loaded(fraction);
                    },
                    listeners);
        } catch (CancellationException e) {
            if (closed) {
                throw new EngineClosedException("The engine was closed while a model was being loaded.", e);
            }
            throw e;
        }
        progress = 1;
        model.onStateChange(state -> states.changed());
        return model;
    }

    /** Lets a model answer from now on. The caller holds the lock of loads. */
    private void put(LoadedModel model) {
        current = model;
        failure = null;
        if (closed) {
            // After the model was there: either this thread sees the close, or the close sees the model
            model.close();
            throw new EngineClosedException("The engine was closed while a model was being loaded.");
        }
        EngineStats stats = model.stats();
        listeners.loaded(new EngineListener.Loaded(
                stats.model().name(), stats.backend().backend(), stats.model().fileBytes(), stats.loadTime()));
        states.changed();
        for (Runnable task = whenLoaded.poll(); task != null; task = whenLoaded.poll()) {
            try {
                task.run();
            } catch (Throwable t) {
                // Errors too: the model is there, whatever an onlooker lacks
                LOG.log(Level.WARNING, "What was to be done once the model is loaded failed.", t);
            }
        }
    }

    private LoadedModel loaded() {
        LoadedModel model = current;
        if (model != null) {
            return model;
        }
        EngineException error = failure;
        if (error != null) {
            throw new EngineUnavailableException(
                    "The engine has no model to answer with: " + error.getMessage(), error);
        }
        if (closed) {
            throw new EngineUnavailableException("The engine was closed and has no model to answer with.");
        }
        throw new EngineUnavailableException("The model is still being loaded, " + Math.round(progress * 100)
                + " % so far; ask again when it is ready.");
    }

    /**
     * Loads another model beside the one that answers, if there is one, and puts it in its place: requests go to the new one from then on,
     * those that the old one has taken end there, and then it is freed. Nothing changes where the other model cannot be
     * loaded.
     *
     * @param grace most time that requests of the old model have; what runs longer ends with {@link FinishReason#SHUTDOWN}
     * @return whether all of them ended by themselves
     * @throws EngineException naming what is wrong with the file, the options or the machine, such as memory for only one
     */
    public boolean swap(EngineOptions options, LoadProgress told, Duration grace) {
        loads.lock();
        try {
            LoadedModel old = current;
            if (old == null) {
                return fill(options, told);
            }
            LoadedModel next = load(options, told);
            leaving = old;
            put(next);
            return end(old, grace);
        } finally {
            loads.unlock();
        }
    }

    /** Loads a model where there is none. */
    private boolean fill(EngineOptions options, LoadProgress told) {
        failure = null;
        states.changed();
        try {
            put(load(options, told));
        } catch (RuntimeException | Error e) {
            failure = e instanceof EngineException known
                    ? known
                    : new EngineException("The model could not be loaded.", e);
            states.changed();
            throw e;
        }
        return true;
    }

    /**
     * Frees the model and leaves the engine without one, until {@link #swap} loads one again.
     *
     * @param grace most time that requests have to end; what runs longer ends with {@link FinishReason#SHUTDOWN}
     * @return whether all of them ended by themselves
     */
    public boolean unload(Duration grace) {
        loads.lock();
        try {
            LoadedModel old = loaded();
            failure = new EngineException("The model was unloaded; load one again.");
            leaving = old;
            current = null;
            states.changed();
            return end(old, grace);
        } finally {
            loads.unlock();
        }
    }

    /** Lets the requests of a model that answers no more end, and frees it. */
    private boolean end(LoadedModel old, Duration grace) {
        old.retire();
        boolean drained = !closed && old.drain(grace);
        old.close();
        leaving = null;
        return drained;
    }

    /** Ids of the requests that wait or run. */
    public List<String> running() {
        return running.keySet().stream().sorted().toList();
    }

    /** Cancels a request by its id; returns whether there was one. */
    public boolean cancel(String id) {
        Generation generation = running.get(id);
        if (generation != null) {
            generation.cancel();
        }
        return generation != null;
    }

    /** Does something once, as soon as a model is loaded: now, or on the thread that loads it. */
    public void whenLoaded(Runnable task) {
        if (current == null) {
            whenLoaded.add(task);
            // A model may have come meanwhile, and its thread may have seen the task or not
            if (current == null || !whenLoaded.remove(task)) {
                return;
            }
        }
        task.run();
    }

    /** Whether the engine can answer. */
    public EngineState state() {
        LoadedModel model = current;
        if (closed) {
            return EngineState.CLOSED;
        }
        if (model != null) {
            return model.state();
        }
        return failure != null ? EngineState.CLOSED : EngineState.LOADING;
    }

    /** How far the latest load is, 0 to 1. */
    public double loadProgress() {
        return progress;
    }

    /**
     * What was loaded.
     *
     * @throws EngineUnavailableException before
     */
    public ModelInfo model() {
        return loaded().model();
    }

    /**
     * The file of the model that answers now, the first of several parts.
     *
     * @throws EngineUnavailableException before one is loaded
     */
    public Path modelFile() {
        return loaded().file();
    }

    /**
     * SHA-256 in hexadecimal of the file of the model that answers now, or of its parts one after the other as {@code cat PARTS
     * | sha256sum} computes it. It is computed once a model, on a thread of its own, from when it is first asked for.
     *
     * @return completes with it, or with an {@link EngineException} that says why it cannot be told: the files cannot be read
     *     any more, were changed after they were loaded, or the model was freed meanwhile
     * @throws EngineUnavailableException before a model is loaded
     */
    public CompletableFuture<String> modelDigest() {
        return loaded().digest();
    }

    /**
     * The model's tokenizer.
     *
     * @throws EngineUnavailableException before it is loaded
     */
    public Tokenizer tokenizer() {
        return loaded().tokenizer();
    }

    /**
     * Figures at this moment, of the model that answers now.
     *
     * @throws EngineUnavailableException before one is loaded
     */
    public EngineStats stats() {
        return loaded().stats();
    }

    /** Tells a listener of everything that happens from now on, beside those that were added before. */
    public void addListener(EngineListener listener) {
        listeners.add(listener);
    }

    /**
     * Tells a listener of every change of {@link #state}, on a thread of the engine's; it must return soon. One listener at
     * a time: a later one takes the place of an earlier.
     */
    public void onStateChange(Consumer<EngineState> listener) {
        states.listener(listener);
    }

    /**
     * A few lines that say what was loaded, how and why.
     *
     * @throws EngineUnavailableException before
     */
    public List<String> report() {
        return loaded().report();
    }

    /** Tokens of the prompt that a request renders to. */
    public int countTokens(GenerationRequest request) {
        return loaded().countTokens(request);
    }

    /**
     * Whether a tool can be offered to this model, before a request offers it: a request leaves out a tool whose name or
     * schema is broken, or whose schema cannot be kept.
     *
     * @return what is wrong with it, in a sentence that names the tool and the path in its schema; empty where nothing is
     */
    public Optional<String> checkTool(ToolSpec tool) {
        return loaded().checkTool(tool);
    }

    /** Starts a request of nobody known, as {@link #submit(GenerationRequest, GenerationSink, Caller)} does. */
    public Generation submit(GenerationRequest request, GenerationSink sink) {
        return submit(request, sink, Caller.ANONYMOUS);
    }

    /**
     * Starts a request. The template, the tokenizer and the compilation of a constraint run on the caller's thread,
     * everything else on the engine's.
     *
     * @param caller on whose behalf it comes
     * @throws ContextLengthExceededException if prompt and max-tokens do not fit the context
     * @throws InvalidOptionException if the prompt is empty
     * @throws EngineOverloadedException if there is no room for it in the queue, or its turn would come too late
     * @throws EngineClosedException if the engine is closed
     * @throws EngineUnavailableException if no model is loaded yet, or none could be
     * @throws org.bloomery.engine.grammar.GrammarException if the constraint is broken, not supported or too large
     * @throws org.bloomery.engine.template.TemplateException if the chat template refuses the conversation
     */
    public Generation submit(GenerationRequest request, GenerationSink sink, Caller caller) {
        try {
            return submitToModel(request, sink, caller);
        } catch (EngineUnavailableException e) {
            listeners.refused(
                    "none-" + refused.incrementAndGet(),
                    LoadedModel.operation(request),
                    EngineListener.Refusal.UNAVAILABLE);
            throw e;
        }
    }

    private Generation submitToModel(GenerationRequest request, GenerationSink sink, Caller caller) {
        while (true) {
            LoadedModel model = loaded();
            try {
                Generation generation = model.submit(request, sink, caller);
                running.put(generation.id(), generation);
                if (generation instanceof Answer answer && answer.hasEnded()) {
                    running.remove(answer.id());
                }
                return generation;
            } catch (EngineClosedException e) {
                if (model == current) {
                    throw e;
                }
                if (current == null) {
                    throw new EngineUnavailableException("The model has just been unloaded.", e);
                }
                // Another model has just taken its place
            }
        }
    }

    /** {@link #submit} and wait: the whole answer. An interrupt cancels the generation. */
    public Completion generate(GenerationRequest request, GenerationSink sink) {
        return submit(request, sink).await();
    }

    /**
     * Makes a backend that gets nowhere give up its step. One in a worker process is killed and started again; one in this
     * process ends the step as soon as it can.
     */
    public void abandonStep() {
        LoadedModel model = current;
        if (model != null) {
            model.abandonStep();
        }
    }

    /**
     * Refuses new requests and waits for those under way.
     *
     * @return whether all ended within the time
     */
    public boolean drain(Duration time) {
        LoadedModel model = current;
        return model == null || model.drain(time);
    }

    /**
     * Stops taking requests, ends running ones with {@link FinishReason#SHUTDOWN} and frees the model; a load that is under
     * way is given up. Idempotent.
     */
    @Override
    public void close() {
        closed = true;
        states.changed();
        LoadedModel model = current;
        if (model != null) {
            model.close();
        }
        LoadedModel old = leaving;
        if (old != null) {
            old.close();
        }
    }
}
