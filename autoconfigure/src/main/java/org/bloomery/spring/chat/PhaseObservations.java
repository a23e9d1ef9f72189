package org.bloomery.spring.chat;

import io.micrometer.common.KeyValue;
import io.micrometer.common.KeyValues;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.bloomery.engine.Completion;
import org.bloomery.engine.GenerationSink;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.prompt.ChatOptions;

/**
 * One answer's way through the engine as observations, one after the other, each a child of the chat's: {@code
 * bloomery.queue}, {@code bloomery.prefill}, {@code bloomery.decode}. The engine's worker starts and stops them as it
 * goes; they hold no text.
 */
final class PhaseObservations extends ForwardingSink {

    private final Observation parent;
    private final ObservationRegistry registry;
    private final String model;
    private @Nullable Observation current;

    private PhaseObservations(Observation parent, ObservationRegistry registry, String model, GenerationSink sink) {
        super(sink);
        this.parent = parent;
        this.registry = registry;
        this.model = model;
    }

    /** The same engine, whose answers are observed as parts of whatever is observed where a request is submitted. */
    static Answering of(Answering engine, ObservationRegistry registry) {
        if (registry.isNoop()) {
            return engine;
        }
        return (request, sink) -> {
            Observation parent = registry.getCurrentObservation();
            if (parent == null || parent.isNoop()) {
                return engine.submit(request, sink);
            }
            PhaseObservations phases = new PhaseObservations(parent, registry, model(parent), sink);
            phases.enter("bloomery.queue", "queue");
            try {
                return engine.submit(request, phases);
            } catch (RuntimeException e) {
                phases.leave(e);
                throw e;
            }
        };
    }

    private static String model(Observation parent) {
        ChatOptions options = parent.getContext() instanceof ChatModelObservationContext chat
                ? chat.getRequest().getOptions()
                : null;
        String model = options == null ? null : options.getModel();
        return model == null ? KeyValue.NONE_VALUE : model;
    }

    private synchronized void enter(String name, String contextualName) {
        leave(null);
        current = Observation.createNotStarted(name, registry)
                .contextualName(contextualName)
                .parentObservation(parent)
                .lowCardinalityKeyValues(KeyValues.of("gen_ai.request.model", model))
                .start();
    }

    private synchronized void leave(@Nullable RuntimeException error) {
        Observation phase = current;
        if (phase == null) {
            return;
        }
        current = null;
        if (error != null) {
            phase.error(error);
        }
        phase.stop();
    }

    @Override
    public void onStarted() {
        enter("bloomery.prefill", "prefill");
        sink.onStarted();
    }

    @Override
    public void onFirstToken() {
        enter("bloomery.decode", "decode");
        sink.onFirstToken();
    }

    @Override
    public void onComplete(Completion completion) {
        try {
            leave(null);
        } finally {
            sink.onComplete(completion); // Also where an observation handler throws: somebody waits for it
        }
    }

    @Override
    public void onError(RuntimeException error) {
        try {
            leave(error);
        } finally {
            sink.onError(error);
        }
    }
}
