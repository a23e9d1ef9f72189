package org.bloomery.example.chat;

/** What happens while a message is answered, in this order: deltas and tool uses, then one end or one failure. */
sealed interface ChatEvent {

    /** A piece of the answer. */
    record Delta(String text) implements ChatEvent {}

    /**
     * The model called a tool.
     *
     * @param arguments JSON, as the model wrote it
     * @param result JSON, as the tool answered it
     */
    record ToolUse(String tool, String arguments, String result) implements ChatEvent {}

    /**
     * The answer has ended.
     *
     * @param finishReason {@code STOP}, {@code LENGTH}, {@code CANCELLED}…
     * @param promptTokens tokens read, those of a tool's round included
     * @param completionTokens tokens written, those of a tool call included
     * @param tokensPerSecond tokens a second after the first, without the time of tools; 0 where there were no more
     * @param firstTokenMillis from the message to the first token of the text
     */
    record End(
            String finishReason, int promptTokens, int completionTokens, double tokensPerSecond, long firstTokenMillis)
            implements ChatEvent {}

    /**
     * There will be no answer, or no more of it.
     *
     * @param message one sentence for the reader
     */
    record Failure(String message) implements ChatEvent {}
}
