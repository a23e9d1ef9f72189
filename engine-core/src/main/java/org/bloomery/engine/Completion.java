package org.bloomery.engine;

import java.util.List;
import org.bloomery.engine.chat.ToolCall;
import org.jspecify.annotations.Nullable;

/**
 * A finished answer.
 *
 * @param id unique among the requests of this engine
 * @param text the answer without reasoning, tool calls and stop string
 * @param reasoning the model's thinking, or null where it showed none
 * @param toolCalls the calls asked for, possibly none
 * @param finishReason why it ended
 * @param usage tokens
 * @param timings where the time went
 * @param logProbabilities one entry a generated token if asked for, else empty
 */
public record Completion(
        String id,
        String text,
        @Nullable String reasoning,
        List<ToolCall> toolCalls,
        FinishReason finishReason,
        Usage usage,
        Timings timings,
        List<TokenLogProbability> logProbabilities) {

    public Completion {
        toolCalls = List.copyOf(toolCalls);
        logProbabilities = List.copyOf(logProbabilities);
    }

    /** Leaves the text out: answers stay out of logs. */
    @Override
    public String toString() {
        return "Completion[" + id + ", " + text.length() + " characters, " + finishReason + ", " + usage + "]";
    }
}
