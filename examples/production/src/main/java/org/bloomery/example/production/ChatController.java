package org.bloomery.example.production;

import java.security.Principal;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.metadata.Usage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.codec.ServerSentEvent;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A question and its answer, whole or as server-sent events. */
@RestController
@RequestMapping("/api/chat")
class ChatController {

    /** Most characters of a question. */
    static final int QUESTION_LIMIT = 4_000;

    private final Assistant assistant;

    ChatController(Assistant assistant) {
        this.assistant = assistant;
    }

    /** What is asked. */
    record Question(@Nullable String message) {}

    /** A whole answer. */
    record Answer(String text, End end) {}

    /** A piece of a stream: the event {@code delta}. */
    record Delta(String text) {}

    /**
     * The end of an answer: the event {@code end}. Every stream has one, or the event {@code error}, as its last.
     *
     * @param finishReason STOP where the answer is whole; LENGTH, DEADLINE, SHUTDOWN or GUARD where it was cut short
     */
    record End(String finishReason, int promptTokens, int completionTokens) {}

    /** The end of a stream that failed after it had begun: the event {@code error}. */
    record Failure(int status, String message) {}

    @PostMapping
    Answer answer(@RequestBody Question question, Principal tenant) {
        ChatResponse response = assistant.answer(tenant.getName(), checked(question));
        return new Answer(text(response), Objects.requireNonNull(end(response)));
    }

    @PostMapping(path = "/stream", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
    Flux<ServerSentEvent<Object>> stream(@RequestBody Question question, Principal tenant) {
        AtomicBoolean begun = new AtomicBoolean();
        return assistant.stream(tenant.getName(), checked(question))
                .concatMap(ChatController::events)
                .doOnNext(event -> begun.set(true))
                // Before the first event a failure has a status of its own; after it, nothing but an event can tell.
                .onErrorResume(error -> begun.get(), error -> Mono.just(failure(error)));
    }

    private static String checked(Question question) {
        String message = question.message();
        if (message == null || message.isBlank()) {
            throw new ResponseStatusException(HttpStatus.BAD_REQUEST, "The message is empty.");
        }
        if (message.length() > QUESTION_LIMIT) {
            throw new ResponseStatusException(
                    HttpStatus.CONTENT_TOO_LARGE,
                    "The message has " + message.length() + " characters; at most " + QUESTION_LIMIT + " are allowed.");
        }
        return message;
    }

    private static Flux<ServerSentEvent<Object>> events(ChatResponse response) {
        String text = text(response);
        End end = end(response);
        Flux<ServerSentEvent<Object>> deltas =
                text.isEmpty() ? Flux.empty() : Flux.just(event("delta", new Delta(text)));
        return end == null ? deltas : deltas.concatWithValues(event("end", end));
    }

    private static ServerSentEvent<Object> failure(Throwable error) {
        Refusal refusal = Refusal.of(error);
        return event("error", new Failure(refusal.status().value(), refusal.message()));
    }

    private static ServerSentEvent<Object> event(String name, Object data) {
        return ServerSentEvent.builder(data).event(name).build();
    }

    private static String text(ChatResponse response) {
        Generation generation = response.getResult();
        String text = generation == null ? null : generation.getOutput().getText();
        return text == null ? "" : text;
    }

    private static @Nullable End end(ChatResponse response) {
        Generation generation = response.getResult();
        String reason = generation == null ? null : generation.getMetadata().getFinishReason();
        if (reason == null || reason.isBlank()) {
            return null;
        }
        Usage usage = response.getMetadata().getUsage();
        return new End(reason, usage.getPromptTokens(), usage.getCompletionTokens());
    }
}
