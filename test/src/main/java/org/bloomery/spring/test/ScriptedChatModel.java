package org.bloomery.spring.test;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.bloomery.engine.Timings;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.bloomery.spring.chat.BloomeryChatOptions;
import org.bloomery.spring.test.ScriptedAnswer.Step;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.prompt.Prompt;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A chat model that answers what a test tells it to, in the shape of {@link BloomeryChatModel}'s answers: pieces, then one
 * last response with finish reason, usage and tool calls. Tokens are counted as words. Nothing is computed and nothing is
 * random. Safe for use by many threads.
 *
 * <p>A prompt gets the next scripted answer; where none is left, what {@link #answerWith} says; and where there is nothing
 * either, the call fails and says so.
 */
public final class ScriptedChatModel implements ChatModel {

    /** The provider's name, in {@code spring.ai.model.chat}. */
    public static final String PROVIDER = "bloomery-scripted";

    private static final String NAME = "scripted";

    private final Queue<ScriptedAnswer> script = new ArrayDeque<>();
    private final List<Prompt> prompts = new ArrayList<>();
    private final AtomicInteger cancellations = new AtomicInteger();
    private @Nullable Function<Prompt, ScriptedAnswer> otherwise;

    /** The next answer is this text. */
    public ScriptedChatModel answer(String text) {
        return answer(ScriptedAnswer.text(text));
    }

    /** The next answer is this one. */
    public synchronized ScriptedChatModel answer(ScriptedAnswer answer) {
        script.add(answer);
        return this;
    }

    /** The next answer is a call of this tool; script the answer to its result behind it. */
    public ScriptedChatModel callTool(String name, String jsonArguments) {
        return answer(ScriptedAnswer.toolCall(name, jsonArguments));
    }

    /** The next request is refused, as by an engine whose queue is full. */
    public ScriptedChatModel refuse() {
        return answer(ScriptedAnswer.overloaded());
    }

    /** The next request fails. */
    public ScriptedChatModel fail(RuntimeException error) {
        return answer(ScriptedAnswer.failure(error));
    }

    /** Every prompt that finds the script at its end gets what this makes of it. */
    public synchronized ScriptedChatModel answerWith(Function<Prompt, String> text) {
        otherwise = prompt -> ScriptedAnswer.text(text.apply(prompt));
        return this;
    }

    /** Forgets script and prompts. */
    public synchronized void reset() {
        script.clear();
        prompts.clear();
        cancellations.set(0);
        otherwise = null;
    }

    /** What was asked so far, in order. */
    public synchronized List<Prompt> prompts() {
        return List.copyOf(prompts);
    }

    /** The last of {@link #prompts}. */
    public synchronized Prompt lastPrompt() {
        if (prompts.isEmpty()) {
            throw new IllegalStateException("The scripted model was not asked anything yet.");
        }
        return prompts.getLast();
    }

    /** How many answers of the script are left. */
    public synchronized int remaining() {
        return script.size();
    }

    /** How many streams were cancelled by their subscribers before their end. */
    public int cancellations() {
        return cancellations.get();
    }

    @Override
    public ChatResponse call(Prompt prompt) {
        ScriptedAnswer answer = next(prompt);
        List<Step> steps = steps(answer).collectList().blockOptional().orElseThrow();
        return end(prompt, answer, steps, text(steps));
    }

    @Override
    public Flux<ChatResponse> stream(Prompt prompt) {
        return Flux.defer(() -> {
            ScriptedAnswer answer = next(prompt);
            return steps(answer)
                    .map(ScriptedChatModel::piece)
                    .concatWith(Mono.fromSupplier(() -> end(prompt, answer, answer.steps(), "")))
                    .doOnCancel(cancellations::incrementAndGet);
        });
    }

    @Override
    public BloomeryChatOptions getOptions() {
        return BloomeryChatOptions.builder().build();
    }

    private synchronized ScriptedAnswer next(Prompt prompt) {
        prompts.add(prompt);
        ScriptedAnswer answer = script.poll();
        if (answer != null) {
            return answer;
        }
        if (otherwise != null) {
            return otherwise.apply(prompt);
        }
        throw new IllegalStateException("The scripted model has no answer to prompt " + prompts.size()
                + "; say what it answers with answer(…) or answerWith(…).");
    }

    /** Texts and reasoning, at the times that pauses and signals give them. */
    private static Flux<Step> steps(ScriptedAnswer answer) {
        return Flux.fromIterable(answer.steps()).concatMap(step -> switch (step) {
            case Step.Text text -> Mono.just(step);
            case Step.Reasoning reasoning -> Mono.just(step);
            case Step.Signal signal -> Mono.fromCompletionStage(signal.signal()).then(Mono.<Step>empty());
            case Step.Delay delay -> Mono.delay(delay.time()).then(Mono.<Step>empty());
            case Step.Failure failure -> Mono.<Step>error(failure.error());
        });
    }

    private static ChatResponse piece(Step step) {
        AssistantMessage message = switch (step) {
            case Step.Reasoning reasoning ->
                AssistantMessage.builder()
                        .content("")
                        .properties(Map.of(BloomeryChatModel.REASONING, reasoning.piece()))
                        .build();
            case Step.Text text -> new AssistantMessage(text.piece());
            case Step.Signal signal -> new AssistantMessage("");
            case Step.Delay delay -> new AssistantMessage("");
            case Step.Failure failure -> new AssistantMessage("");
        };
        return new ChatResponse(
                List.of(new Generation(message, ChatGenerationMetadata.NULL)),
                ChatResponseMetadata.builder().id(NAME).model(NAME).build());
    }

    private static ChatResponse end(Prompt prompt, ScriptedAnswer answer, List<Step> steps, String text) {
        String reasoning = steps.stream()
                .filter(Step.Reasoning.class::isInstance)
                .map(step -> ((Step.Reasoning) step).piece())
                .collect(Collectors.joining());
        AssistantMessage message = AssistantMessage.builder()
                .content(text)
                .properties(reasoning.isEmpty() ? Map.of() : Map.of(BloomeryChatModel.REASONING, reasoning))
                .toolCalls(answer.toolCalls())
                .build();
        int promptTokens = prompt.getInstructions().stream()
                .map(Message::getText)
                .mapToInt(ScriptedChatModel::words)
                .sum();
        int completionTokens =
                words(text(steps)) + words(reasoning) + answer.toolCalls().size();
        return new ChatResponse(
                List.of(new Generation(
                        message,
                        ChatGenerationMetadata.builder()
                                .finishReason(answer.finishReason().name())
                                .build())),
                ChatResponseMetadata.builder()
                        .id(NAME)
                        .model(NAME)
                        .usage(new DefaultUsage(promptTokens, completionTokens, promptTokens + completionTokens))
                        .keyValue(BloomeryChatModel.TIMINGS, new Timings(Duration.ZERO, Duration.ZERO, Duration.ZERO))
                        .build());
    }

    private static String text(List<Step> steps) {
        return steps.stream()
                .filter(Step.Text.class::isInstance)
                .map(step -> ((Step.Text) step).piece())
                .collect(Collectors.joining());
    }

    private static int words(@Nullable String text) {
        return text == null || text.isBlank() ? 0 : text.strip().split("\\s+").length;
    }
}
