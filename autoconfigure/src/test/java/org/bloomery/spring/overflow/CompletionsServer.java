package org.bloomery.spring.overflow;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A server of OpenAI's chat completions in this JVM, that says what it is told to. */
public final class CompletionsServer implements AutoCloseable {

    /** What the server does with a request. */
    public enum Conduct {
        ANSWERS,
        CALLS_A_TOOL,
        FAILS,
        BREAKS_OFF,
        NEVER_ANSWERS
    }

    public final List<JsonNode> requests = new CopyOnWriteArrayList<>();
    public volatile Conduct conduct = Conduct.ANSWERS;
    public volatile List<String> pieces = List.of("From ", "the ", "cluster");

    private final CountDownLatch closed = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpServer server;

    public CompletionsServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    public String url() {
        return "http://" + server.getAddress().getHostString() + ":"
                + server.getAddress().getPort() + "/v1";
    }

    /** A client of this server that gives up early. */
    public OpenAiChatModel client(String apiKey, ObservationRegistry observations) {
        return OpenAiChatModel.builder()
                .observationRegistry(observations)
                .options(OpenAiChatOptions.builder()
                        .baseUrl(url())
                        .apiKey(apiKey)
                        .model("big-model")
                        .maxRetries(0)
                        .timeout(Duration.ofSeconds(3))
                        .build())
                .build();
    }

    private void handle(HttpExchange exchange) throws IOException {
        JsonNode request = JsonMapper.shared().readTree(exchange.getRequestBody());
        requests.add(request);
        switch (conduct) {
            case FAILS -> send(exchange, 500, "application/json", "{\"error\":{\"message\":\"out of order\"}}");
            case NEVER_ANSWERS -> waitForEnd();
            case ANSWERS, CALLS_A_TOOL, BREAKS_OFF -> {
                if (request.path("stream").asBoolean(false)) {
                    stream(exchange);
                } else {
                    send(exchange, 200, "application/json", whole());
                }
            }
        }
    }

    private void waitForEnd() {
        try {
            closed.await(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private String whole() {
        String message = conduct == Conduct.CALLS_A_TOOL
                ? "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call-1\",\"type\":\"function\","
                        + "\"function\":{\"name\":\"weather\",\"arguments\":\"{\\\"city\\\":\\\"Ulm\\\"}\"}}]}"
                : "{\"role\":\"assistant\",\"content\":" + quoted(String.join("", pieces)) + "}";
        return "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"big-model\","
                + "\"choices\":[{\"index\":0,\"message\":" + message + ",\"finish_reason\":\""
                + (conduct == Conduct.CALLS_A_TOOL ? "tool_calls" : "stop")
                + "\"}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3,\"total_tokens\":8}}";
    }

    private void stream(HttpExchange exchange) throws IOException {
        exchange.getResponseHeaders().add("Content-Type", "text/event-stream");
        exchange.sendResponseHeaders(200, 0);
        OutputStream out = exchange.getResponseBody();
        for (String piece : pieces) {
            event(out, chunk("{\"role\":\"assistant\",\"content\":" + quoted(piece) + "}", "null", ""));
        }
        if (conduct == Conduct.BREAKS_OFF) {
            // Without the end of a chunked body
            throw new IOException("broken off");
        }
        event(
                out,
                chunk("{}", "\"stop\"", ",\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3,\"total_tokens\":8}"));
        event(out, "[DONE]");
        exchange.close();
    }

    private static String chunk(String delta, String reason, String usage) {
        return "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"big-model\","
                + "\"choices\":[{\"index\":0,\"delta\":" + delta + ",\"finish_reason\":" + reason + "}]" + usage + "}";
    }

    private static void event(OutputStream out, String data) throws IOException {
        out.write(("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    private static void send(HttpExchange exchange, int status, String type, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("Content-Type", type);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private static String quoted(String text) {
        return JsonMapper.shared().writeValueAsString(text);
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
        threads.close();
    }
}
