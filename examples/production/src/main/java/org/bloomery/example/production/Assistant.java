package org.bloomery.example.production;

import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import io.github.resilience4j.ratelimiter.RequestNotPermitted;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.stereotype.Service;
import reactor.core.publisher.Flux;

/** Asks the model, as often as a tenant may. How many are answered at once is the engine's to say. */
@Service
class Assistant {

    private final ChatClient client;
    private final RateLimiterRegistry limiters;

    Assistant(ChatClient.Builder builder, RateLimiterRegistry limiters) {
        this.client = builder.build();
        this.limiters = limiters;
    }

    /** @throws RequestNotPermitted if the tenant has asked too often */
    ChatResponse answer(String tenant, String question) {
        admit(tenant);
        ChatResponse response = client.prompt().user(question).call().chatResponse();
        if (response == null) {
            throw new IllegalStateException("The model ended without a response.");
        }
        return response;
    }

    /** @throws RequestNotPermitted if the tenant has asked too often */
    Flux<ChatResponse> stream(String tenant, String question) {
        admit(tenant);
        return client.prompt().user(question).stream().chatResponse();
    }

    private void admit(String tenant) {
        RateLimiter limiter = limiters.rateLimiter(tenant, "tenant");
        if (!limiter.acquirePermission()) {
            throw RequestNotPermitted.createRequestNotPermitted(limiter);
        }
    }
}
