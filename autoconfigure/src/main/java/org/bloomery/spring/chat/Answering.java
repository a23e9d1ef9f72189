package org.bloomery.spring.chat;

import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;

/** What answers a chat model's requests: {@link org.bloomery.engine.Engine#submit}, or what stands before it. */
@FunctionalInterface
public interface Answering {

    /**
     * Starts a request.
     *
     * @param sink takes the answer as it is written, on a thread of the engine's; it must not block
     * @throws org.bloomery.engine.EngineException if the request is refused
     */
    Generation submit(GenerationRequest request, GenerationSink sink);
}
