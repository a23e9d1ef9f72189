package org.bloomery.spring.test;

import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;

/** An application as a user would have it. */
@SpringBootApplication
class Application {

    /** What the application asks its model. */
    @Component
    static class Assistant {

        record City(String name, String country) {}

        static final class Clock {
            @Tool(description = "Get the time")
            String time() {
                return "twelve";
            }
        }

        private final ChatClient client;

        Assistant(ChatClient.Builder builder) {
            this.client = builder.defaultSystem("Be brief.").build();
        }

        String answer(String question) {
            return String.valueOf(client.prompt().user(question).call().content());
        }

        Flux<String> stream(String question) {
            return client.prompt().user(question).stream().content();
        }

        City city(String text) {
            City city = client.prompt().user(text).call().entity(City.class);
            if (city == null) {
                throw new IllegalStateException("The answer had no city.");
            }
            return city;
        }

        String withClock(String question) {
            return String.valueOf(
                    client.prompt().user(question).tools(new Clock()).call().content());
        }
    }
}
