package org.bloomery.spring.chat;

import org.bloomery.engine.Completion;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationSink;

/**
 * The sink of an interceptor that changes an answer or holds it up, with the generation that the interceptor returns in
 * place of the one behind it: it ends when the sink is told the end.
 */
public abstract class DeferredSink extends ForwardingSink {

    private final DeferredGeneration generation = new DeferredGeneration();

    protected DeferredSink(GenerationSink sink) {
        super(sink);
    }

    /** The generation to return. */
    public final DeferredGeneration generation() {
        return generation;
    }

    /** The generation to return, once it is known which is behind it. */
    public final Generation over(Generation behind) {
        return generation.over(behind);
    }

    /** Tells the sink an answer and ends the generation with it, also where the sink throws. */
    public final void complete(Completion completion) {
        try {
            sink.onComplete(completion);
        } finally {
            generation.complete(completion);
        }
    }

    /** Tells the sink a failure and ends the generation with it, also where the sink throws. */
    public final void fail(RuntimeException error) {
        try {
            sink.onError(error);
        } finally {
            generation.fail(error);
        }
    }

    /** As {@link #fail}, with whatever was thrown on a thread where nobody else would hear of it. */
    public final void broken(Throwable thrown) {
        fail(
                thrown instanceof RuntimeException known
                        ? known
                        : new EngineException(
                                "An answer broke off (" + thrown.getClass().getName() + ").", thrown));
    }

    @Override
    public void onComplete(Completion completion) {
        complete(completion);
    }

    @Override
    public void onError(RuntimeException error) {
        fail(error);
    }
}
