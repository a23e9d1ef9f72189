package org.bloomery.spring.chat;

import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.springframework.ai.chat.prompt.Prompt;

/**
 * Accompanies every request of a chat model from its coming to its end, outside all interceptors: also those that the chat
 * model itself refuses, and streams whose subscriber goes before anything was asked. Safe for use by many threads.
 */
@FunctionalInterface
public interface RequestRecorder {

    /** Keeps no account. */
    RequestRecorder NONE = prompt -> Recording.NONE;

    /**
     * A request has come: a call, or a stream's subscription. Called with the caller's thread-bound context; it must not
     * throw.
     */
    Recording begin(Prompt prompt);

    /** One request. What is told after its end changes nothing. */
    interface Recording {

        /** Of a request that nobody keeps account of. */
        Recording NONE = new Recording() {
            @Override
            public Generation submit(GenerationRequest request, GenerationSink sink, Answering next) {
                return next.submit(request, sink);
            }

            @Override
            public void refused(Throwable error) {}

            @Override
            public void cancelled() {}
        };

        /**
         * The request is understood and goes its way, as far as {@link #cancelled} was not first.
         *
         * @throws RuntimeException if it is refused, of which {@link #refused} is told by whoever called this
         */
        Generation submit(GenerationRequest request, GenerationSink sink, Answering next);

        /** The request came to nothing before it had a generation. */
        void refused(Throwable error);

        /** Nobody wants an answer any more. A request that is on its way ends by itself. Does not block. */
        void cancelled();
    }
}
