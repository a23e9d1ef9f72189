package org.bloomery.example.chat;

import org.springframework.ai.chat.memory.ChatMemoryRepository;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** Starts the chat page. */
@SpringBootApplication
public class ChatApplication {

    /** Conversations that are remembered; an older one is forgotten when there are more. */
    private static final int CONVERSATIONS = 1_000;

    public static void main(String[] args) {
        SpringApplication.run(ChatApplication.class, args);
    }

    @Bean
    ChatMemoryRepository chatMemoryRepository() {
        return new RecentConversations(CONVERSATIONS);
    }
}
