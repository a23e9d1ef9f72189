package org.bloomery.engine;

/** What {@link Engine#generate} takes: a conversation or a plain prompt. */
public sealed interface GenerationRequest permits ChatRequest, CompletionRequest {

    /** How to sample and when to stop. */
    GenerationOptions options();
}
