package org.bloomery.engine;

import java.util.List;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.tokenizer.Tokenizer;

/**
 * A model ready to answer: the door of the engine. Safe for use by many threads; callers wait, they never compute.
 */
public final class Engine implements AutoCloseable {

    private Engine() {}

    /**
     * Opens a model with the backend that the options name, or the best available one.
     *
     * @throws EngineException naming what is wrong with the file, the options or the machine
     */
    public static Engine open(EngineOptions options, LoadProgress progress) {
        throw new EngineException("This build has no engine yet.");
    }

    /** What was loaded. */
    public ModelInfo model() {
        throw new EngineException("This build has no engine yet.");
    }

    /** The model's tokenizer. */
    public Tokenizer tokenizer() {
        throw new EngineException("This build has no engine yet.");
    }

    /** Figures at this moment. */
    public EngineStats stats() {
        throw new EngineException("This build has no engine yet.");
    }

    /** A few lines that say what was loaded, how and why. */
    public List<String> report() {
        throw new EngineException("This build has no engine yet.");
    }

    /** Tokens of the prompt that a request renders to. */
    public int countTokens(GenerationRequest request) {
        throw new EngineException("This build has no engine yet.");
    }

    /**
     * Starts a request. The template and the tokenizer run on the caller's thread, everything else on the engine's.
     *
     * @throws ContextLengthExceededException if prompt and max-tokens do not fit the context
     * @throws EngineOverloadedException if the queue is full
     * @throws EngineClosedException if the engine is closed
     * @throws org.bloomery.engine.template.TemplateException if the chat template refuses the conversation
     */
    public Generation submit(GenerationRequest request, GenerationSink sink) {
        throw new EngineException("This build has no engine yet.");
    }

    /** {@link #submit} and wait: the whole answer. An interrupt cancels the generation. */
    public Completion generate(GenerationRequest request, GenerationSink sink) {
        return submit(request, sink).await();
    }

    /** Stops taking requests, ends running ones with {@link FinishReason#SHUTDOWN} and frees the model. */
    @Override
    public void close() {}
}
