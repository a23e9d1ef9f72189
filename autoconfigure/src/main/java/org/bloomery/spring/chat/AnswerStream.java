package org.bloomery.spring.chat;

import io.micrometer.context.ContextSnapshot;
import io.micrometer.context.ContextSnapshotFactory;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadFactory;
import java.util.function.Function;
import java.util.function.Supplier;
import org.bloomery.engine.Completion;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationSink;
import org.springframework.ai.chat.model.ChatResponse;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;
import reactor.core.publisher.SignalType;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.util.context.ContextView;

/**
 * Carries one answer from the engine's worker to a subscriber. The worker only puts pieces into a queue, so a slow
 * subscriber never holds up other answers; what waits there is bounded by the answer's own length, since max-tokens is
 * always finite. Mapping and everything downstream run on virtual threads, and so does submitting, since rendering and
 * tokenizing a long prompt is no work for an event loop; that thread has the subscriber's thread-bound context.
 */
final class AnswerStream implements GenerationSink {

    private static final ContextSnapshotFactory CONTEXTS =
            ContextSnapshotFactory.builder().build();
    private static final ThreadFactory THREADS =
            Thread.ofVirtual().name("bloomery-stream").factory();
    private static final Scheduler HANDOVER =
            Schedulers.fromExecutor(task -> THREADS.newThread(task).start());

    /** A piece of the answer, waiting for the request's id. */
    private interface Piece {
        ChatResponse with(String id);
    }

    private final ResponseMapper responses;
    private final FluxSink<Piece> subscriber;

    private AnswerStream(ResponseMapper responses, FluxSink<Piece> subscriber) {
        this.responses = responses;
        this.subscriber = subscriber;
    }

    /** Does something with the thread-bound context that a subscriber brings along. */
    static <T> T withContext(ContextView subscriber, Supplier<T> task) {
        return within(CONTEXTS.captureAll(subscriber), task);
    }

    @SuppressWarnings("try") // The scope is only closed
    private static <T> T within(ContextSnapshot context, Supplier<T> task) {
        try (ContextSnapshot.Scope scope = context.setThreadLocals()) {
            return task.get();
        }
    }

    /**
     * Answers a request for one subscriber. Every failure comes through the stream.
     *
     * @param origin who writes the answer
     * @param recording what is told of a refusal, and of a subscriber that goes before anything was asked
     * @param submission submits the request with a sink
     */
    static Flux<ChatResponse> of(
            AnswerOrigin origin,
            RequestRecorder.Recording recording,
            Function<GenerationSink, Generation> submission,
            String modelName) {
        return Flux.deferContextual(context -> {
            // The worker may have pieces ready before submit has returned the generation that knows the id.
            CompletableFuture<String> id = new CompletableFuture<>();
            ResponseMapper responses = new ResponseMapper(modelName, origin);
            ContextSnapshot caller = CONTEXTS.captureAll(context);
            return Flux.<Piece>create(subscriber -> {
                        AnswerStream answer = new AnswerStream(responses, subscriber);
                        try {
                            Generation generation = within(caller, () -> origin.during(() -> submission.apply(answer)));
                            id.complete(generation.id());
                            subscriber.onCancel(generation::cancel);
                        } catch (RuntimeException | Error e) {
                            recording.refused(e);
                            id.complete(""); // For pieces of an answer whose submission failed all the same
                            answer.onError(told(e));
                        }
                    })
                    .subscribeOn(HANDOVER)
                    .doFinally(signal -> end(recording, signal))
                    .publishOn(HANDOVER)
                    .map(piece -> piece.with(id.join()));
        });
    }

    /** A stream that fails once this is accounted for, which may take a disk's time. */
    static Flux<ChatResponse> refused(RequestRecorder.Recording recording, Throwable error) {
        return Flux.<ChatResponse>defer(() -> {
                    recording.refused(error);
                    return Flux.error(told(error));
                })
                .subscribeOn(HANDOVER)
                .doFinally(signal -> end(recording, signal));
    }

    /** Reactor ends the thread for what it takes to be fatal, and the subscriber would wait for ever. */
    private static RuntimeException told(Throwable error) {
        return error instanceof RuntimeException known
                ? known
                : new EngineException(
                        "The request broke off (" + error.getClass().getName() + ").", error);
    }

    private static void end(RequestRecorder.Recording recording, SignalType signal) {
        if (signal == SignalType.CANCEL) {
            recording.cancelled();
        }
    }

    @Override
    public boolean onText(String delta) {
        subscriber.next(id -> responses.text(id, delta));
        return !subscriber.isCancelled();
    }

    @Override
    public boolean onReasoning(String delta) {
        subscriber.next(id -> responses.reasoning(id, delta));
        return !subscriber.isCancelled();
    }

    @Override
    public void onComplete(Completion completion) {
        subscriber.next(id -> responses.last(completion));
        subscriber.complete();
    }

    @Override
    public void onError(RuntimeException error) {
        // After a cancellation nobody listens, and Reactor would log the error as dropped.
        if (!subscriber.isCancelled()) {
            subscriber.error(error);
        }
    }
}
