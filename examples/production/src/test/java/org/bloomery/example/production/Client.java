package org.bloomery.example.production;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** The service over HTTP, as its clients see it. */
record Client(HttpClient http, int port) implements AutoCloseable {

    Client(int port) {
        // Otherwise every connection begins with an offer of HTTP/2 that the service does not take.
        this(HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build(), port);
    }

    /** An account's demo password is its name with an end. */
    HttpRequest.Builder request(@Nullable String account, String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
        if (account != null) {
            byte[] login = (account + ":" + account + "-demo").getBytes(StandardCharsets.UTF_8);
            request.header("Authorization", "Basic " + Base64.getEncoder().encodeToString(login));
        }
        return request;
    }

    HttpRequest question(@Nullable String account, String path, String message) {
        return request(account, path)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"message\":\"" + message + "\"}"))
                .build();
    }

    HttpResponse<String> ask(@Nullable String account, String message) throws IOException, InterruptedException {
        return http.send(question(account, "/api/chat", message), BodyHandlers.ofString());
    }

    HttpResponse<String> stream(@Nullable String account, String message) throws IOException, InterruptedException {
        return http.send(question(account, "/api/chat/stream", message), BodyHandlers.ofString());
    }

    HttpResponse<String> get(@Nullable String account, String path) throws IOException, InterruptedException {
        return http.send(request(account, path).build(), BodyHandlers.ofString());
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
