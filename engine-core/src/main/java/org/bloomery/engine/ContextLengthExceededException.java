package org.bloomery.engine;

/** A prompt and its answer do not fit the context: refused before any computation, never truncated. */
public final class ContextLengthExceededException extends EngineException {

    private final int promptTokens;
    private final int maxTokens;
    private final int contextLength;

    public ContextLengthExceededException(int promptTokens, int maxTokens, int contextLength) {
        super("The prompt has " + promptTokens + " tokens and max-tokens is " + maxTokens + ", together "
                + ((long) promptTokens + maxTokens) + ", but the context holds " + contextLength
                + " tokens; shorten the conversation, lower max-tokens or raise the context length.");
        this.promptTokens = promptTokens;
        this.maxTokens = maxTokens;
        this.contextLength = contextLength;
    }

    /** Tokens of the rendered prompt. */
    public int promptTokens() {
        return promptTokens;
    }

    /** Tokens the request wanted to generate at most. */
    public int maxTokens() {
        return maxTokens;
    }

    /** Tokens the context of one sequence holds. */
    public int contextLength() {
        return contextLength;
    }
}
