package org.bloomery.example.chat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bloomery.engine.ContextLengthExceededException;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Timings;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.client.ChatClientRequest;
import org.springframework.ai.chat.client.ChatClientResponse;
import org.springframework.ai.chat.client.advisor.api.StreamAdvisor;
import org.springframework.ai.chat.client.advisor.api.StreamAdvisorChain;
import org.springframework.ai.chat.memory.ChatMemory;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.metadata.Usage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.model.ToolContext;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.definition.ToolDefinition;
import org.springframework.core.Ordered;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/**
 * One answer under way: turns the model's stream into events and keeps count. For one subscriber, who may cancel it on
 * another thread.
 */
final class Answer {

    private static final Logger log = LoggerFactory.getLogger(Answer.class);

    private final long startNanos = System.nanoTime();
    private final StringBuilder text = new StringBuilder();
    private final Sinks.Many<ChatEvent> toolUses = Sinks.many().unicast().onBackpressureBuffer();
    private long firstTokenNanos;
    private @Nullable String finishReason;
    private int promptTokens;
    private int completionTokens;
    private int decodedTokens;
    private long decodeNanos;

    /** The stream as events; the stop signal ends it early, as an answer that was cancelled. */
    Flux<ChatEvent> events(ChatClient.StreamResponseSpec stream, Publisher<Void> stop) {
        Flux<ChatEvent> deltas = stream.chatResponse()
                .takeUntilOther(stop)
                .<ChatEvent>mapNotNull(this::delta)
                .doOnTerminate(toolUses::tryEmitComplete);
        return Flux.merge(toolUses.asFlux(), deltas)
                .concatWith(Mono.fromSupplier(this::end))
                .onErrorResume(error -> Mono.just(new ChatEvent.Failure(sentence(error))));
    }

    /** The tool, reporting what it is called with and what it answers. */
    ToolCallback reporting(ToolCallback tool) {
        return new ReportedTool(tool, toolUses);
    }

    /** Counts tokens and time of every round: one for the answer and one for each time that tools are called. */
    StreamAdvisor counting() {
        return new RoundCounter();
    }

    /**
     * Chat memory has the user's message from the start, but the answer only if it ended by itself. An answer that was
     * stopped is remembered as far as it went; a message without any answer is taken back, since the turns of a
     * conversation must alternate.
     */
    synchronized void completeTurn(ChatMemory memory, String conversation) {
        List<Message> turns = memory.get(conversation);
        if (turns.isEmpty() || !(turns.getLast() instanceof UserMessage)) {
            return;
        }
        if (!text.isEmpty()) {
            memory.add(conversation, new AssistantMessage(text.toString()));
            return;
        }
        memory.clear(conversation);
        if (turns.size() > 1) {
            memory.add(conversation, turns.subList(0, turns.size() - 1));
        }
    }

    private synchronized @Nullable ChatEvent delta(ChatResponse response) {
        Generation generation = response.getResult();
        if (generation == null) {
            return null;
        }
        String reason = generation.getMetadata().getFinishReason();
        if (reason != null && !reason.isBlank()) {
            finishReason = reason;
        }
        String piece = generation.getOutput().getText();
        if (piece == null || piece.isEmpty()) {
            return null;
        }
        if (text.isEmpty()) {
            firstTokenNanos = System.nanoTime();
        }
        text.append(piece);
        return new ChatEvent.Delta(piece);
    }

    private synchronized void count(ChatResponse response) {
        if (response.getMetadata().get(BloomeryChatModel.TIMINGS) instanceof Timings timings) {
            Usage usage = response.getMetadata().getUsage();
            promptTokens += usage.getPromptTokens();
            completionTokens += usage.getCompletionTokens();
            decodedTokens += Math.max(0, usage.getCompletionTokens() - 1);
            decodeNanos += timings.total().minus(timings.timeToFirstToken()).toNanos();
        }
    }

    private synchronized ChatEvent end() {
        String reason = finishReason;
        return new ChatEvent.End(
                reason == null ? FinishReason.CANCELLED.name() : reason,
                promptTokens,
                completionTokens,
                decodeNanos == 0 ? 0 : decodedTokens * 1e9 / decodeNanos,
                text.isEmpty() ? 0 : TimeUnit.NANOSECONDS.toMillis(firstTokenNanos - startNanos));
    }

    /** What the reader is told; the log knows more. The engine's own messages are made to be read. */
    private static String sentence(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof ContextLengthExceededException tooLong) {
                return tooLong.getMessage() + " A new chat starts from nothing.";
            }
            if (cause instanceof EngineException refused) {
                log.warn("An answer failed: {}", refused.getMessage());
                return String.valueOf(refused.getMessage());
            }
            // Spring AI has no exception of its own for this; the message holds the model's words, so it is not logged.
            if (cause instanceof IllegalStateException
                    && String.valueOf(cause.getMessage()).startsWith("No ToolCallback found")) {
                return "The model called a tool that it was not given; other words may help.";
            }
        }
        log.error("An answer failed", error);
        return "This answer failed; the application's log says why.";
    }

    /** Next to the model, since Spring AI's tool loop above adds up usage but not time. */
    private final class RoundCounter implements StreamAdvisor {

        @Override
        public Flux<ChatClientResponse> adviseStream(ChatClientRequest request, StreamAdvisorChain chain) {
            return chain.nextStream(request).doOnNext(response -> {
                ChatResponse answered = response.chatResponse();
                if (answered != null) {
                    count(answered);
                }
            });
        }

        @Override
        public String getName() {
            return "round-counter";
        }

        @Override
        public int getOrder() {
            return Ordered.LOWEST_PRECEDENCE - 1;
        }
    }

    private record ReportedTool(ToolCallback tool, Sinks.Many<ChatEvent> uses) implements ToolCallback {

        @Override
        public ToolDefinition getToolDefinition() {
            return tool.getToolDefinition();
        }

        @Override
        public String call(String arguments) {
            return call(arguments, null);
        }

        @Override
        public String call(String arguments, @Nullable ToolContext context) {
            String result = tool.call(arguments, context);
            uses.emitNext(
                    new ChatEvent.ToolUse(getToolDefinition().name(), arguments, result),
                    Sinks.EmitFailureHandler.busyLooping(Duration.ofSeconds(1)));
            return result;
        }
    }
}
