package org.bloomery.example.production;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.util.List;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.ContextLengthExceededException;
import org.bloomery.engine.EngineClosedException;
import org.bloomery.spring.security.PromptBlockedException;
import org.bloomery.spring.test.InferenceTest;
import org.bloomery.spring.test.ScriptedAnswer;
import org.bloomery.spring.test.ScriptedChatModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;

/** What a client sees of the model's answers and failures, with a scripted model. */
@InferenceTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "resilience4j.ratelimiter.instances.globex.base-config=tenant",
            "resilience4j.ratelimiter.instances.globex.limit-for-period=1",
            "resilience4j.ratelimiter.instances.globex.limit-refresh-period=1h"
        })
class RefusalsTest {

    @Autowired
    private ScriptedChatModel model;

    @LocalServerPort
    private int port;

    private Client client = new Client(0);

    @BeforeEach
    void open() {
        client = new Client(port);
    }

    @AfterEach
    void close() {
        client.close();
    }

    @Test
    void answersWholeOrAsEvents() throws Exception {
        model.answer("Good morning.").answer(ScriptedAnswer.pieces("Good ", "morning."));

        assertThat(client.ask("acme", "Hello").body())
                .isEqualTo("{\"text\":\"Good morning.\",\"end\":{\"finishReason\":\"STOP\",\"promptTokens\":1,"
                        + "\"completionTokens\":2}}");
        assertThat(client.stream("acme", "Hello").body().lines().filter(line -> !line.isEmpty()))
                .containsExactly(
                        "event:delta",
                        "data:{\"text\":\"Good \"}",
                        "event:delta",
                        "data:{\"text\":\"morning.\"}",
                        "event:end",
                        "data:{\"finishReason\":\"STOP\",\"promptTokens\":1,\"completionTokens\":2}");
    }

    @Test
    void fullQueueIs503WithRetryAfter() throws Exception {
        model.refuse().refuse();

        for (HttpResponse<String> response : List.of(client.ask("acme", "Hello"), client.stream("acme", "Hello"))) {
            assertThat(response.statusCode()).isEqualTo(503);
            assertThat(response.headers().firstValue("Retry-After")).hasValue("1");
            assertThat(response.headers().firstValue("Content-Type")).hasValue("application/problem+json");
            assertThat(response.body()).contains("The queue of the scripted model is full; try again later.");
        }
    }

    @Test
    void accountThatAsksTooOftenIs429() throws Exception {
        model.answerWith(prompt -> "Good morning.");

        assertThat(client.ask("globex", "Hello").statusCode()).isEqualTo(200);
        HttpResponse<String> second = client.ask("globex", "Hello");
        assertThat(second.statusCode()).isEqualTo(429);
        assertThat(second.headers().firstValue("Retry-After")).hasValue("1");
        assertThat(client.ask("acme", "Hello").statusCode()).isEqualTo(200);
    }

    @Test
    void engineThatCannotAnswerIs503() throws Exception {
        model.fail(new EngineClosedException("The engine is closed."))
                .fail(new BackendLostException("The worker has died.", null));

        HttpResponse<String> closed = client.ask("acme", "Hello");
        assertThat(closed.statusCode()).isEqualTo(503);
        assertThat(closed.headers().firstValue("Retry-After")).hasValue("10");
        assertThat(client.stream("acme", "Hello").statusCode()).isEqualTo(503);
    }

    @Test
    void guardThatIsLateIs503() throws Exception {
        model.fail(new PromptBlockedException("slow", "guard-timeout"));

        HttpResponse<String> late = client.ask("acme", "Hello");
        assertThat(late.statusCode()).isEqualTo(503);
        assertThat(late.headers().firstValue("Retry-After")).hasValue("10");
    }

    @Test
    void questionThatCannotBeAnsweredIsTheClientsFault() throws Exception {
        model.fail(new ContextLengthExceededException(3000, 256, 2048))
                .fail(new PromptBlockedException("pii", "personal-data"));

        assertThat(client.ask("acme", "Hello").statusCode()).isEqualTo(413);
        assertThat(client.ask("acme", "Hello").statusCode()).isEqualTo(422);
        assertThat(client.ask("acme", " ").statusCode()).isEqualTo(400);
        assertThat(client.ask("acme", "x".repeat(ChatController.QUESTION_LIMIT + 1))
                        .statusCode())
                .isEqualTo(413);
    }

    @Test
    void failureInTheMiddleOfAStreamIsItsLastEvent() throws Exception {
        model.answer(
                ScriptedAnswer.pieces("Good ").thenFailure(new BackendLostException("The worker has died.", null)));

        assertThat(client.stream("acme", "Hello").body().lines().filter(line -> !line.isEmpty()))
                .endsWith("event:error", "data:{\"status\":503,\"message\":\"The worker has died.\"}");
    }
}
