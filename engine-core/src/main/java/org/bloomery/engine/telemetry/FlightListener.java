package org.bloomery.engine.telemetry;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bloomery.engine.EngineListener;
import org.jspecify.annotations.Nullable;

/** Writes what an engine does into flight recordings that run meanwhile. Needs the module {@code jdk.jfr}. */
public final class FlightListener implements EngineListener {

    private final Map<String, FlightEvents.Request> requests = new ConcurrentHashMap<>();
    private final Map<String, FlightEvents.Prefill> prefills = new ConcurrentHashMap<>();
    /** By the worker that makes them: while a model takes another's place there are two. */
    private final Map<Thread, FlightEvents.Step> steps = new ConcurrentHashMap<>();
    /** Guarded by the engine, which loads one model at a time. */
    private FlightEvents.@Nullable ModelLoad load;

    @Override
    public void loading() {
        FlightEvents.ModelLoad event = new FlightEvents.ModelLoad();
        event.begin();
        load = event;
    }

    @Override
    public void loaded(Loaded model) {
        FlightEvents.ModelLoad event = load;
        load = null;
        if (event == null) {
            return;
        }
        event.end();
        if (event.shouldCommit()) {
            event.model = model.model();
            event.backend = model.backend();
            event.fileBytes = model.fileBytes();
            event.commit();
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
        FlightEvents.Step event = new FlightEvents.Step();
        event.begin();
        steps.put(Thread.currentThread(), event);
    }

    @Override
    public void stepped(Step done) {
        FlightEvents.Step event = steps.remove(Thread.currentThread());
        if (event == null) {
            return;
        }
        event.end();
        if (event.shouldCommit()) {
            event.prefillTokens = done.prefillTokens();
            event.decodeTokens = done.decodeTokens();
            event.sequences = done.sequences();
            event.active = done.active();
            event.waiting = done.waiting();
            event.prefillBacklog = done.prefillBacklog();
            event.commit();
        }
    }
}
