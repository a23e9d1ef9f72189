package org.bloomery.spring.resilience;

import java.util.function.Consumer;
import org.bloomery.engine.Completion;
import org.bloomery.engine.GenerationSink;

/**
 * A sink that first tells somebody how the answer ended: who asks again as soon as one has ended finds its permit free.
 *
 * @param sink what takes the answer
 * @param answered told of an answer, whole or cut short
 * @param failed told of a failure
 */
record WatchedSink(GenerationSink sink, Consumer<Completion> answered, Consumer<RuntimeException> failed)
        implements GenerationSink {

    @Override
    public void onStarted() {
        sink.onStarted();
    }

    @Override
    public void onFirstToken() {
        sink.onFirstToken();
    }

    @Override
    public boolean onText(String delta) {
        return sink.onText(delta);
    }

    @Override
    public boolean onReasoning(String delta) {
        return sink.onReasoning(delta);
    }

    @Override
    public void onComplete(Completion completion) {
        try {
            answered.accept(completion);
        } finally {
            sink.onComplete(completion);
        }
    }

    @Override
    public void onError(RuntimeException error) {
        try {
            failed.accept(error);
        } finally {
            sink.onError(error);
        }
    }
}
