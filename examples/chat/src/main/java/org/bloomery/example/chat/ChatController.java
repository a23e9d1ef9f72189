package org.bloomery.example.chat;

import java.time.Duration;
import java.util.regex.Pattern;
import org.bloomery.engine.Engine;
import org.bloomery.engine.ModelInfo;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.codec.ServerSentEvent;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Flux;

/** What the page asks for: the model's name, an answer as server-sent events, the end of an answer. */
@RestController
class ChatController {

    /** Most characters of a message. */
    static final int MESSAGE_LIMIT = 1_000;

    /** What a browser tab calls its conversation: random enough that nobody guesses another's. */
    private static final Pattern CONVERSATION = Pattern.compile("[0-9a-f]{32}");

    /**
     * A client that has gone is noticed when something is written to it, so something is written even while the model
     * reads a long prompt or the request waits its turn.
     */
    private static final Duration HEARTBEAT = Duration.ofSeconds(1);

    private final Chat chat;
    private final Engine engine;

    ChatController(Chat chat, Engine engine) {
        this.chat = chat;
        this.engine = engine;
    }

    /** A message to answer. */
    record Question(@Nullable String message) {}

    /** What the page shows of the model. */
    record ModelCard(String name, long parameters, String quantization, int contextLength, int messageLimit) {}

    @GetMapping("/api/model")
    ModelCard model() {
        ModelInfo model = engine.model();
        return new ModelCard(
                model.name(), model.parameters(), model.quantization(), model.contextLength(), MESSAGE_LIMIT);
    }

    @PostMapping(path = "/api/conversations/{conversation}", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
    Flux<ServerSentEvent<ChatEvent>> answer(@PathVariable String conversation, @RequestBody Question question) {
        requireConversation(conversation);
        String message = question.message();
        if (message == null || message.isBlank()) {
            throw refusal("The message is empty.");
        }
        if (message.length() > MESSAGE_LIMIT) {
            throw refusal(
                    "The message has " + message.length() + " characters; at most " + MESSAGE_LIMIT + " are allowed.");
        }
        return chat.answer(conversation, message)
                .map(ChatController::event)
                .publish(events -> events.mergeWith(heartbeat().takeUntilOther(events.ignoreElements())));
    }

    @DeleteMapping("/api/conversations/{conversation}/answer")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    void stop(@PathVariable String conversation) {
        requireConversation(conversation);
        chat.stop(conversation);
    }

    private static void requireConversation(String conversation) {
        if (!CONVERSATION.matcher(conversation).matches()) {
            throw refusal("A conversation is named by 32 digits 0-9 and a-f.");
        }
    }

    private static ResponseStatusException refusal(String sentence) {
        return new ResponseStatusException(HttpStatus.BAD_REQUEST, sentence);
    }

    private static ServerSentEvent<ChatEvent> event(ChatEvent event) {
        String name = switch (event) {
            case ChatEvent.Delta delta -> "delta";
            case ChatEvent.ToolUse use -> "tool";
            case ChatEvent.End end -> "end";
            case ChatEvent.Failure failure -> "failure";
        };
        return ServerSentEvent.builder(event).event(name).build();
    }

    private static Flux<ServerSentEvent<ChatEvent>> heartbeat() {
        return Flux.interval(HEARTBEAT)
                .onBackpressureDrop()
                .map(beat -> ServerSentEvent.<ChatEvent>builder().comment("").build());
    }
}
