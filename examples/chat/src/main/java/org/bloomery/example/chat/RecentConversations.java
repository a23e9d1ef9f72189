package org.bloomery.example.chat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.ai.chat.memory.ChatMemoryRepository;
import org.springframework.ai.chat.messages.Message;

/**
 * Conversations in memory, the least recently used of which is forgotten when there are too many: a page that anyone
 * can open must not fill the heap. Safe for use by many threads.
 */
final class RecentConversations implements ChatMemoryRepository {

    private final Map<String, List<Message>> conversations;

    /** @param most how many conversations are remembered */
    RecentConversations(int most) {
        this.conversations = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, List<Message>> eldest) {
                return size() > most;
            }
        };
    }

    @Override
    public synchronized List<String> findConversationIds() {
        return List.copyOf(conversations.keySet());
    }

    @Override
    public synchronized List<Message> findByConversationId(String conversationId) {
        return conversations.getOrDefault(conversationId, List.of());
    }

    @Override
    public synchronized void saveAll(String conversationId, List<Message> messages) {
        conversations.put(conversationId, List.copyOf(messages));
    }

    @Override
    public synchronized void deleteByConversationId(String conversationId) {
        conversations.remove(conversationId);
    }
}
