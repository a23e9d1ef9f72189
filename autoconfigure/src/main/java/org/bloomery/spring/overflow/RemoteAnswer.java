package org.bloomery.spring.overflow;

import io.micrometer.context.ContextSnapshot;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.bloomery.engine.Completion;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.Timings;
import org.bloomery.engine.Usage;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.spring.chat.AnswerOrigin;
import org.bloomery.spring.chat.DeferredSink;
import org.bloomery.spring.overflow.OverflowListener.Outcome;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.Prompt;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;

/** The other model's answer, told as the engine tells its own. It ends once: with an answer, a failure or a cancellation. */
final class RemoteAnswer implements Generation {

    private final String id;
    private final OverflowInterceptor.Target target;
    private final AnswerOrigin origin;
    private final ContextSnapshot context;
    private final long submitted;
    private final DeferredSink answer;
    private final RuntimeException failure;
    private final Consumer<Outcome> outcome;

    private final AtomicReference<@Nullable Runnable> abort = new AtomicReference<>();
    private final AtomicBoolean cancelled = new AtomicBoolean();
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final List<ToolCall> calls = new ArrayList<>();
    private boolean ended;
    private long asked;
    private long firstToken;
    private @Nullable String finish;
    private Usage usage = new Usage(0, 0, 0);

    RemoteAnswer(
            String id,
            OverflowInterceptor.Target target,
            AnswerOrigin origin,
            ContextSnapshot context,
            long submitted,
            DeferredSink answer,
            RuntimeException failure,
            Consumer<Outcome> outcome) {
        this.id = id;
        this.target = target;
        this.origin = origin;
        this.context = context;
        this.submitted = submitted;
        this.answer = answer;
        this.failure = failure;
        this.outcome = outcome;
    }

    /** Asks the other model, and returns when it has answered, or for a stream when it has been asked. */
    void ask(Prompt prompt) {
        synchronized (this) {
            if (ended) {
                return;
            }
            asked = System.nanoTime();
            answer.onStarted();
        }
        ChatModel model = target.model();
        try {
            if (origin.streamed()) {
                stream(model.stream(prompt));
                return;
            }
        } catch (UnsupportedOperationException e) {
            // A model that cannot stream answers in one piece
        } catch (RuntimeException | Error e) {
            fail(e);
            return;
        }
        Thread asking = Thread.currentThread();
        abortBy(asking::interrupt);
        try {
            if (!cancelled.get()) {
                accept(model.call(prompt));
                complete();
            }
        } catch (RuntimeException | Error e) {
            fail(e);
        }
    }

    private void stream(Flux<ChatResponse> pieces) {
        Disposable subscription =
                pieces.contextWrite(context::updateContext).subscribe(this::accept, this::fail, this::complete);
        abortBy(subscription::dispose);
    }

    private void abortBy(Runnable how) {
        abort.set(how);
        if (cancelled.get()) {
            how.run();
        }
    }

    private synchronized void accept(ChatResponse piece) {
        if (ended) {
            return;
        }
        if (firstToken == 0) {
            firstToken = System.nanoTime();
            String named = piece.getMetadata().getModel();
            origin.overflowTo(named == null || named.isBlank() ? target.name() : named);
            answer.onFirstToken();
        }
        org.springframework.ai.chat.metadata.Usage counted = piece.getMetadata().getUsage();
        if (counted != null && counted.getTotalTokens() > 0) {
            Long cached = counted.getCacheReadInputTokens();
            usage = new Usage(
                    counted.getPromptTokens(),
                    counted.getCompletionTokens(),
                    cached == null ? 0 : (int) Math.min(cached, counted.getPromptTokens()));
        }
        var result = piece.getResult();
        if (result == null) {
            return;
        }
        String reason = result.getMetadata().getFinishReason();
        if (reason != null && !reason.isBlank()) {
            finish = reason;
        }
        AssistantMessage message = result.getOutput();
        for (AssistantMessage.ToolCall call : message.getToolCalls()) {
            calls.add(new ToolCall(call.id(), call.name(), call.arguments().isBlank() ? "{}" : call.arguments()));
        }
        boolean more = think(message) && say(message.getText());
        if (!more) {
            cancel();
        }
    }

    private boolean say(@Nullable String delta) {
        if (delta == null || delta.isEmpty()) {
            return true;
        }
        text.append(delta);
        return answer.onText(delta);
    }

    /** OpenAI's model repeats all of the thinking in each piece, Ollama's has what is new. */
    private boolean think(AssistantMessage message) {
        String thought = thought(message);
        if (thought == null || thought.isEmpty()) {
            return true;
        }
        String delta = thought.startsWith(reasoning.toString()) ? thought.substring(reasoning.length()) : thought;
        if (delta.isEmpty()) {
            return true;
        }
        reasoning.append(delta);
        return answer.onReasoning(delta);
    }

    private static @Nullable String thought(AssistantMessage message) {
        for (String key : List.of("reasoningContent", "thinking")) {
            if (message.getMetadata().get(key) instanceof String words) {
                return words;
            }
        }
        return null;
    }

    private synchronized void complete() {
        if (ended) {
            return;
        }
        if (firstToken == 0) {
            fail(new EngineException("The overflow's model '" + target.name() + "' ended without an answer."));
            return;
        }
        end(finishReason(), Outcome.ANSWERED);
    }

    private FinishReason finishReason() {
        if (!calls.isEmpty()) {
            return FinishReason.TOOL_CALLS;
        }
        return switch (String.valueOf(finish).toLowerCase(Locale.ROOT)) {
            case "length", "max_tokens" -> FinishReason.LENGTH;
            case "content_filter" -> FinishReason.GUARD;
            default -> FinishReason.STOP;
        };
    }

    private void end(FinishReason reason, Outcome how) {
        ended = true;
        Completion whole = new Completion(
                id,
                text.toString(),
                reasoning.isEmpty() ? null : reasoning.toString(),
                reason == FinishReason.CANCELLED ? List.of() : calls,
                reason,
                usage,
                timings(),
                List.of());
        try {
            outcome.accept(how);
        } finally {
            answer.complete(whole);
        }
    }

    private Timings timings() {
        long now = System.nanoTime();
        long begun = asked == 0 ? now : asked;
        long first = firstToken == 0 ? now : firstToken;
        return new Timings(
                Duration.ofNanos(begun - submitted),
                Duration.ofNanos(first - submitted),
                Duration.ofNanos(now - submitted));
    }

    /** What the other model did is told as the engine's own failure, until the answer has begun. */
    private synchronized void fail(Throwable error) {
        if (ended) {
            return;
        }
        ended = true;
        RuntimeException told;
        if (text.isEmpty() && reasoning.isEmpty()) {
            failure.addSuppressed(error);
            told = failure;
        } else {
            told = new EngineException(
                    "The overflow's model '" + target.name() + "' broke off its answer after " + text.length()
                            + " characters (" + error.getClass().getName() + "); ask again.",
                    error);
        }
        try {
            outcome.accept(Outcome.FAILED);
        } finally {
            answer.fail(told);
        }
    }

    @Override
    public String id() {
        return id;
    }

    /** Ends at once; whatever the other model still says is not heard. */
    @Override
    public void cancel() {
        cancelled.set(true);
        synchronized (this) {
            if (!ended) {
                end(FinishReason.CANCELLED, Outcome.CANCELLED);
            }
        }
        Runnable how = abort.get();
        if (how != null) {
            how.run();
        }
    }

    @Override
    public Completion await() {
        return answer.generation().await();
    }
}
