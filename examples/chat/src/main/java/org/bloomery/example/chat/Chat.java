package org.bloomery.example.chat;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.client.advisor.MessageChatMemoryAdvisor;
import org.springframework.ai.chat.memory.ChatMemory;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.support.ToolCallbacks;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;

/**
 * Conversations with the model, which remember their earlier turns. A conversation is answered one message at a time.
 * Safe for use by many threads.
 */
@Component
class Chat {

    /**
     * A model as small as the demo model calls whatever tool it is offered, so it is offered one only where the message
     * is about it. A larger model chooses well: give it all tools, once, by {@code builder.defaultTools(weather)}.
     */
    private static final Pattern ABOUT_WEATHER = Pattern.compile(
            "\\b(weather|forecast|temperature|umbrella|rain\\w*|snow\\w*|sunny|warm)\\b", Pattern.CASE_INSENSITIVE);

    private final ChatClient client;
    private final ChatMemory memory;
    private final List<ToolCallback> tools;
    private final Map<String, Sinks.Empty<Void>> stops = new ConcurrentHashMap<>();

    Chat(ChatClient.Builder builder, ChatMemory memory, WeatherStation weather) {
        this.client = builder.defaultAdvisors(
                        MessageChatMemoryAdvisor.builder(memory).build())
                .build();
        this.memory = memory;
        this.tools = List.of(ToolCallbacks.from(weather));
    }

    /** Answers a message. Cancelling the subscription stops the model; the conversation keeps what was said so far. */
    Flux<ChatEvent> answer(String conversation, String message) {
        return Flux.defer(() -> {
            Sinks.Empty<Void> stop = Sinks.empty();
            if (stops.putIfAbsent(conversation, stop) != null) {
                return Flux.just(new ChatEvent.Failure(
                        "This conversation is still being answered; stop that answer or wait for its end."));
            }
            Answer answer = new Answer();
            // Eager, so that the next message is welcome as soon as this stream has ended.
            return Flux.using(
                    () -> answer,
                    a -> a.events(request(conversation, message, a), stop.asMono()),
                    a -> {
                        a.completeTurn(memory, conversation);
                        stops.remove(conversation, stop);
                    },
                    true);
        });
    }

    /** Ends the answer that the conversation is waiting for, if any. */
    void stop(String conversation) {
        Sinks.Empty<Void> stop = stops.get(conversation);
        if (stop != null) {
            stop.tryEmitEmpty();
        }
    }

    private ChatClient.StreamResponseSpec request(String conversation, String message, Answer answer) {
        ChatClient.ChatClientRequestSpec request = client.prompt()
                .messages(new UserMessage(message))
                .advisors(spec ->
                        spec.param(ChatMemory.CONVERSATION_ID, conversation).advisors(answer.counting()));
        if (ABOUT_WEATHER.matcher(message).find()) {
            request = request.tools(tools.stream().map(answer::reporting).toArray());
        }
        return request.stream();
    }
}
