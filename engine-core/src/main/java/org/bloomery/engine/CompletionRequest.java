package org.bloomery.engine;

import java.util.List;

/**
 * Text to be continued as it stands, without a chat template.
 *
 * @param prompt the text with its origins, at least one span
 * @param options how to sample and when to stop
 */
public record CompletionRequest(List<TextSpan> prompt, GenerationOptions options) implements GenerationRequest {

    public CompletionRequest {
        prompt = List.copyOf(prompt);
    }

    /** A prompt in which control tokens are ordinary text. */
    public CompletionRequest(String prompt, GenerationOptions options) {
        this(List.of(TextSpan.untrusted(prompt)), options);
    }
}
