package org.bloomery.engine;

import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** Tells any number of listeners. Safe for use by many threads. */
final class Listeners implements EngineListener {

    private static final System.Logger LOG = System.getLogger(Listeners.class.getName());

    private final List<EngineListener> all = new CopyOnWriteArrayList<>();
    private final Set<EngineListener> faulty = ConcurrentHashMap.newKeySet();

    void add(EngineListener listener) {
        all.add(listener);
    }

    @Override
    public void loading() {
        tell(EngineListener::loading);
    }

    @Override
    public void loaded(Loaded model) {
        tell(listener -> listener.loaded(model));
    }

    @Override
    public void queued(String id, Operation operation, int promptTokens) {
        tell(listener -> listener.queued(id, operation, promptTokens));
    }

    @Override
    public void refused(String id, Operation operation, Refusal reason) {
        tell(listener -> listener.refused(id, operation, reason));
    }

    @Override
    public void started(Started request) {
        tell(listener -> listener.started(request));
    }

    @Override
    public void firstToken(String id) {
        tell(listener -> listener.firstToken(id));
    }

    @Override
    public void ended(Ended request) {
        tell(listener -> listener.ended(request));
    }

    @Override
    public void stepping() {
        tell(EngineListener::stepping);
    }

    @Override
    public void stepped(Step step) {
        tell(listener -> listener.stepped(step));
    }

    private void tell(Consumer<EngineListener> call) {
        for (EngineListener listener : all) {
            try {
                call.accept(listener);
            } catch (Throwable t) {
                // Errors too: a listener's missing class must not end the worker. Once each, since steps are many
                if (faulty.add(listener)) {
                    LOG.log(Level.WARNING, "A listener to the engine threw; what else it throws is not logged.", t);
                }
            }
        }
    }
}
