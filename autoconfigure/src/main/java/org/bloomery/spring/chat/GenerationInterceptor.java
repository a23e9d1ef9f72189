package org.bloomery.spring.chat;

import java.util.ArrayDeque;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;

/**
 * Stands between a chat model and its engine, for every request of {@code call()} and {@code stream()}: it may refuse a
 * request by an exception, change it, look at the answer through a sink of its own, or answer it by itself. Beans of this
 * type are put into the auto-configured chat model in Spring's order, the first outermost. Safe for use by many threads.
 *
 * <p>It runs with the caller's thread-bound context (security, observation), on the caller's own thread for a
 * {@code call()} and on one that carries its context for a {@code stream()}. Whoever replaces the sink passes every call
 * on, whoever changes the answer's text returns a {@link Generation} whose completion has the same text, and whoever answers by
 * itself tells the end to the sink as well as by its generation.
 */
@FunctionalInterface
public interface GenerationInterceptor {

    /**
     * Takes a request on its way.
     *
     * @param next the rest of the way; not calling it means that the engine never sees the request
     * @throws org.bloomery.engine.EngineException to refuse the request
     */
    Generation submit(GenerationRequest request, GenerationSink sink, Answering next);

    /** The way through interceptors to an engine, the first of them outermost. */
    static Answering chain(Iterable<GenerationInterceptor> interceptors, Answering engine) {
        Answering way = engine;
        ArrayDeque<GenerationInterceptor> innermostFirst = new ArrayDeque<>();
        interceptors.forEach(innermostFirst::push);
        for (GenerationInterceptor each : innermostFirst) {
            Answering next = way;
            way = (request, sink) -> each.submit(request, sink, next);
        }
        return way;
    }
}
