package org.bloomery.engine.telemetry;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bloomery.engine.EngineListener;

/** Writes what an engine does into flight recordings that run meanwhile. Needs the module {@code jdk.jfr}. */
public final class FlightListener implements EngineListener {

    private final Map<String, FlightEvents.Request> requests = new ConcurrentHashMap<>();
    private final Map<String, FlightEvents.Prefill> prefills = new ConcurrentHashMap<>();
    private final FlightEvents.ModelLoad load = new FlightEvents.ModelLoad();
    private FlightEvents.Step step = new FlightEvents.Step();

    /** To be called when the model begins to be loaded. */
    public FlightListener() {
        load.begin();
    }

    /** The model is loaded. */
    public void loaded(String model, String backend, long fileBytes) {
        load.end();
        if (load.shouldCommit()) {
            load.model = model;
            load.backend = backend;
            load.fileBytes = fileBytes;
            load.commit();
        }
    }

    @Override
    public void queued(String id, Operation operation, int promptTokens) {
        FlightEvents.Request event = new FlightEvents.Request();
        if (event.isEnabled()) {
            event.begin();
            requests.put(id, event);
        }
    }

    @Override
    public void refused(String id, Operation operation, Refusal reason) {
        requests.remove(id);
    }

    @Override
    public void started(Started request) {
        FlightEvents.Prefill event = new FlightEvents.Prefill();
        if (event.isEnabled()) {
            event.id = request.id();
            event.promptTokens = request.promptTokens();
            event.cachedTokens = request.cachedTokens();
            event.begin();
            prefills.put(request.id(), event);
        }
    }

    @Override
    public void firstToken(String id) {
        FlightEvents.Prefill event = prefills.remove(id);
        if (event != null) {
            event.commit();
        }
    }

    @Override
    public void ended(Ended request) {
        prefills.remove(request.id());
        FlightEvents.Request event = requests.remove(request.id());
        if (event == null) {
            return;
        }
        event.end();
        if (event.shouldCommit()) {
            event.id = request.id();
            event.operation = request.operation().name();
            event.finishReason = request.finishReason() == null
                    ? null
                    : request.finishReason().name();
            event.error = request.error() == null ? null : request.error().getName();
            event.promptTokens = request.usage().promptTokens();
            event.cachedTokens = request.usage().cachedTokens();
            event.completionTokens = request.usage().completionTokens();
            event.queued = request.timings().queued().toNanos();
            event.prefill = request.timings().prefill().toNanos();
            event.decode = request.timings().decode().toNanos();
            event.grammar = request.grammar().toNanos();
            event.commit();
        }
    }

    @Override
    public void stepping() {
        step = new FlightEvents.Step();
        step.begin();
    }

    @Override
    public void stepped(Step done) {
        step.end();
        if (step.shouldCommit()) {
            step.prefillTokens = done.prefillTokens();
            step.decodeTokens = done.decodeTokens();
            step.sequences = done.sequences();
            step.active = done.active();
            step.waiting = done.waiting();
            step.prefillBacklog = done.prefillBacklog();
            step.commit();
        }
    }
}
