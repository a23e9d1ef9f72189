package org.bloomery.spring.chat;

import org.bloomery.engine.Completion;
import org.bloomery.engine.GenerationSink;

/** A sink that passes everything on. An interceptor's own sink overrides only what it does more with. */
public abstract class ForwardingSink implements GenerationSink {

    /** What takes the answer. */
    protected final GenerationSink sink;

    protected ForwardingSink(GenerationSink sink) {
        this.sink = sink;
    }

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
        sink.onComplete(completion);
    }

    @Override
    public void onError(RuntimeException error) {
        sink.onError(error);
    }
}
