package org.bloomery.spring.chat;

import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;

/** What the chat model needs of an engine: {@link org.bloomery.engine.Engine#submit}. */
@FunctionalInterface
interface Answering {

    Generation submit(GenerationRequest request, GenerationSink sink);
}
