package org.bloomery.spring.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.FinishReason;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage.ToolCall;

/**
 * What a {@link ScriptedChatModel} does with one prompt: pieces of text in their order, pauses between them, and an end.
 * Immutable; each method answers a new one. {@code call} hands out the pieces joined, {@code stream} one by one.
 */
public final class ScriptedAnswer {

    private static final Pattern WORD = Pattern.compile("\\s*\\S+\\s*$|\\s*\\S+|\\s+");

    /** What happens, in this order. */
    sealed interface Step {

        /** A piece of the answer. */
        record Text(String piece) implements Step {}

        /** A piece of the model's thinking. */
        record Reasoning(String piece) implements Step {}

        /** Nothing, until this completes. */
        record Signal(CompletionStage<?> signal) implements Step {}

        /** Nothing, for this long on Reactor's clock. */
        record Delay(Duration time) implements Step {}

        /** The end, as a failure. */
        record Failure(RuntimeException error) implements Step {}
    }

    private static final ScriptedAnswer EMPTY = new ScriptedAnswer(List.of(), List.of(), null);

    private final List<Step> steps;
    private final List<ToolCall> toolCalls;
    private final @Nullable FinishReason finishReason;

    private ScriptedAnswer(List<Step> steps, List<ToolCall> toolCalls, @Nullable FinishReason finishReason) {
        this.steps = steps;
        this.toolCalls = toolCalls;
        this.finishReason = finishReason;
    }

    /** This text, streamed word by word. */
    public static ScriptedAnswer text(String text) {
        return EMPTY.thenText(text);
    }

    /** These pieces, streamed as they are. */
    public static ScriptedAnswer pieces(String... pieces) {
        return EMPTY.thenPieces(pieces);
    }

    /** A call of a tool, which {@code ChatClient} executes before it asks again. */
    public static ScriptedAnswer toolCall(String name, String jsonArguments) {
        return EMPTY.thenToolCall(name, jsonArguments);
    }

    /** A failure before any text. */
    public static ScriptedAnswer failure(RuntimeException error) {
        return EMPTY.thenFailure(error);
    }

    /** A refusal, as of an engine whose queue is full. */
    public static ScriptedAnswer overloaded() {
        return failure(new EngineOverloadedException("The queue of the scripted model is full; try again later."));
    }

    /** An answer that begins with thinking. */
    public static ScriptedAnswer reasoning(String text) {
        return EMPTY.with(new Step.Reasoning(text));
    }

    /** An answer that begins only when this completes. */
    public static ScriptedAnswer after(CompletionStage<?> signal) {
        return EMPTY.thenAwait(signal);
    }

    /** An answer that begins after this time on Reactor's clock, which a test may move. */
    public static ScriptedAnswer after(Duration delay) {
        return EMPTY.thenDelay(delay);
    }

    /** Then this text, word by word. */
    public ScriptedAnswer thenText(String text) {
        Matcher words = WORD.matcher(text);
        return thenPieces(words.results().map(word -> word.group()).toArray(String[]::new));
    }

    /** Then these pieces. */
    public ScriptedAnswer thenPieces(String... pieces) {
        return new ScriptedAnswer(
                Stream.concat(steps.stream(), Stream.of(pieces).map(Step.Text::new))
                        .toList(),
                toolCalls,
                finishReason);
    }

    /** Then nothing until this completes: what a test waits for and when it goes on is its own to say. */
    public ScriptedAnswer thenAwait(CompletionStage<?> signal) {
        return with(new Step.Signal(signal));
    }

    /** Then nothing for this time on Reactor's clock. */
    public ScriptedAnswer thenDelay(Duration delay) {
        return with(new Step.Delay(delay));
    }

    /** Then a failure, behind the text so far. */
    public ScriptedAnswer thenFailure(RuntimeException error) {
        return with(new Step.Failure(error));
    }

    /** And at the end this call of a tool, after those that are there. */
    public ScriptedAnswer thenToolCall(String name, String jsonArguments) {
        List<ToolCall> calls = new ArrayList<>(toolCalls);
        calls.add(new ToolCall("call-" + (calls.size() + 1), "function", name, jsonArguments));
        return new ScriptedAnswer(steps, List.copyOf(calls), finishReason);
    }

    /** Ends for this reason. Unless said, STOP, or TOOL_CALLS where tools are called. */
    public ScriptedAnswer finishReason(FinishReason reason) {
        return new ScriptedAnswer(steps, toolCalls, reason);
    }

    List<Step> steps() {
        return steps;
    }

    List<ToolCall> toolCalls() {
        return toolCalls;
    }

    FinishReason finishReason() {
        if (finishReason != null) {
            return finishReason;
        }
        return toolCalls.isEmpty() ? FinishReason.STOP : FinishReason.TOOL_CALLS;
    }

    private ScriptedAnswer with(Step step) {
        List<Step> more = new ArrayList<>(steps);
        more.add(step);
        return new ScriptedAnswer(List.copyOf(more), toolCalls, finishReason);
    }
}
