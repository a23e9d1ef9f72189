package org.bloomery.spring.chat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.bloomery.engine.AnsweringModel;
import org.bloomery.engine.Completion;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.Generation;
import org.jspecify.annotations.Nullable;

/**
 * What an interceptor returns that changes an answer or holds it up: a generation that ends when the interceptor says so.
 * Cancelling it cancels the generation behind it.
 */
public final class DeferredGeneration implements Generation {

    private final CompletableFuture<Completion> answer = new CompletableFuture<>();
    private volatile @Nullable Generation behind;
    private volatile boolean cancelled;

    /** Says which generation is behind this one, once it is known; until then only {@link #id} has to wait. */
    public DeferredGeneration over(Generation generation) {
        behind = generation;
        if (cancelled) {
            generation.cancel();
        }
        return this;
    }

    /** Ends with an answer, unless it has ended. */
    public void complete(Completion completion) {
        answer.complete(completion);
    }

    /** Ends with a failure, unless it has ended. */
    public void fail(RuntimeException error) {
        answer.completeExceptionally(error);
    }

    /** The id of the generation behind this one. */
    @Override
    public String id() {
        Generation generation = behind;
        if (generation == null) {
            throw new IllegalStateException("The generation has no id before it is submitted.");
        }
        return generation.id();
    }

    /** The id, or null where it is not known yet. */
    public @Nullable String idOrNull() {
        Generation generation = behind;
        return generation == null ? null : generation.id();
    }

    /** Null also where it is not known yet. */
    @Override
    public @Nullable AnsweringModel model() {
        Generation generation = behind;
        return generation == null ? null : generation.model();
    }

    @Override
    public void cancel() {
        cancelled = true;
        Generation generation = behind;
        if (generation != null) {
            generation.cancel();
        }
    }

    @Override
    public Completion await() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return answer.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                    cancel();
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof RuntimeException failure) {
                        throw failure;
                    }
                    throw new EngineException("A request ended without an answer.", e);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
