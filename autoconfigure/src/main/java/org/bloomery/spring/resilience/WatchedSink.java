package org.bloomery.spring.resilience;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.bloomery.engine.Completion;
import org.bloomery.engine.GenerationSink;
import org.bloomery.spring.chat.ForwardingSink;

/** A sink that first tells somebody how the answer ended: who asks again as soon as one has ended finds its permit free. */
final class WatchedSink extends ForwardingSink {

    private final Consumer<Completion> answered;
    private final Consumer<RuntimeException> failed;
    private final AtomicBoolean ended = new AtomicBoolean();

    /**
     * @param sink what takes the answer
     * @param answered told of an answer, whole or cut short
     * @param failed told of a failure
     */
    WatchedSink(GenerationSink sink, Consumer<Completion> answered, Consumer<RuntimeException> failed) {
        super(sink);
        this.answered = answered;
        this.failed = failed;
    }

    /** Whether nobody was told of an end yet; whoever asks tells of one. */
    boolean ends() {
        return ended.compareAndSet(false, true);
    }

    @Override
    public void onComplete(Completion completion) {
        try {
            if (ends()) {
                answered.accept(completion);
            }
        } finally {
            sink.onComplete(completion);
        }
    }

    @Override
    public void onError(RuntimeException error) {
        try {
            if (ends()) {
                failed.accept(error);
            }
        } finally {
            sink.onError(error);
        }
    }
}
