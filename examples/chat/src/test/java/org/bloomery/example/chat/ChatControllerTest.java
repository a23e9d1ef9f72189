package org.bloomery.example.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Locale;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;

/** The page's HTTP interface over the real model. */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT)
class ChatControllerTest {

    private static final String CONVERSATION = "00112233445566778899aabbccddeeff";

    @LocalServerPort
    private int port;

    private final String conversation = UUID.randomUUID().toString().replace("-", "");
    private final HttpClient http = HttpClient.newHttpClient();

    @AfterEach
    void close() {
        http.shutdownNow();
    }

    @Test
    void tellsWhichModelIsLoaded() throws Exception {
        assertThat(get("/api/model").body())
                .contains("\"quantization\":\"Q8_0\"", "\"contextLength\":2048", "\"messageLimit\":1000");
    }

    @Test
    void streamsServerSentEventsThatEndWithTheFigures() throws Exception {
        HttpResponse<String> response = ask(conversation, BodyPublishers.ofString("{\"message\":\"Hello\"}"));

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith("text/event-stream"));
        assertThat(response.body().lines().filter(line -> line.startsWith("event:")))
                .hasSizeGreaterThan(2)
                .endsWith("event:end")
                .startsWith("event:delta");
        assertThat(response.body())
                .contains("\"finishReason\":\"STOP\"", "\"tokensPerSecond\":", "\"firstTokenMillis\":");
    }

    @Test
    void callsTheWeatherTool() throws Exception {
        assertThat(ask(conversation, BodyPublishers.ofString("{\"message\":\"What is the weather in Oslo?\"}"))
                        .body())
                .contains("event:tool\ndata:{\"tool\":\"getWeather\"", "snowy", "event:end");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/chat.js", "/chat.css", "/logo.svg", "/api/model", "/nothing"})
    void everyResponseSaysThatNothingElseMayRun(String path) throws Exception {
        assertThat(get(path).headers().firstValue("Content-Security-Policy"))
                .hasValueSatisfying(policy -> assertThat(policy)
                        .contains("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'")
                        .doesNotContain("unsafe"));
    }

    static Stream<Arguments> refusals() {
        return Stream.of(
                Arguments.of(CONVERSATION, "{\"message\":\"  \"}", 400, "The message is empty."),
                Arguments.of(CONVERSATION, "{}", 400, "The message is empty."),
                Arguments.of(
                        CONVERSATION,
                        "{\"message\":\"" + "a".repeat(1001) + "\"}",
                        400,
                        "The message has 1001 characters; at most 1000 are allowed."),
                Arguments.of("short", "{\"message\":\"Hello\"}", 400, "A conversation is named by"),
                Arguments.of(CONVERSATION.toUpperCase(Locale.ROOT), "{\"message\":\"Hello\"}", 400, "0-9"),
                Arguments.of(CONVERSATION, "{\"message\":", 400, "\"status\":400"),
                Arguments.of(CONVERSATION, "[".repeat(5000), 400, "\"status\":400"),
                Arguments.of(CONVERSATION, "{\"message\":\"" + "a".repeat(20_000) + "\"}", 413, ""));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void refusesWhatIsNoMessage(String name, String body, int status, String sentence) throws Exception {
        HttpResponse<String> response = ask(name, BodyPublishers.ofString(body));

        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(response.body()).contains(sentence).doesNotContain("Exception", "at org.");
    }

    @Test
    void refusesABodyOfUnknownLength() throws Exception {
        BodyPublisher chunked = BodyPublishers.fromPublisher(BodyPublishers.ofString("{\"message\":\"Hello\"}"));

        assertThat(ask(conversation, chunked).statusCode()).isEqualTo(413);
    }

    @Test
    void acceptsTheLongestMessage() throws Exception {
        assertThat(ask(conversation, BodyPublishers.ofString("{\"message\":\"" + "a ".repeat(500) + "\"}"))
                        .statusCode())
                .isEqualTo(200);
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return http.send(HttpRequest.newBuilder(uri(path)).build(), BodyHandlers.ofString());
    }

    private HttpResponse<String> ask(String conversation, BodyPublisher body) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(uri("/api/conversations/" + conversation))
                        .header("Content-Type", "application/json")
                        .header("Accept", "text/event-stream, application/problem+json")
                        .POST(body)
                        .build(),
                BodyHandlers.ofString());
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }
}
