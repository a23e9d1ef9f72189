package org.bloomery.example.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.messages.UserMessage;

class RecentConversationsTest {

    @Test
    void forgetsTheLeastRecentlyUsedWhenThereAreTooMany() {
        RecentConversations conversations = new RecentConversations(2);
        conversations.saveAll("a", List.of(new UserMessage("first")));
        conversations.saveAll("b", List.of(new UserMessage("second")));
        conversations.findByConversationId("a");

        conversations.saveAll("c", List.of(new UserMessage("third")));

        assertThat(conversations.findConversationIds()).containsExactlyInAnyOrder("a", "c");
        assertThat(conversations.findByConversationId("b")).isEmpty();
    }

    @Test
    void forgetsWhatIsDeleted() {
        RecentConversations conversations = new RecentConversations(2);
        conversations.saveAll("a", List.of(new UserMessage("first")));

        conversations.deleteByConversationId("a");

        assertThat(conversations.findConversationIds()).isEmpty();
    }
}
