package org.bloomery.example.production;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SIGTERM while answers are being written: every reader is told how the answer ended, and the process ends in time. */
class ShutdownTest {

    private static final int STREAMS = 20;
    private static final int GRACE_SECONDS = 1;
    private static final int ROUNDS = Boolean.getBoolean("bloomery.soak") ? 200 : 3;
    private static final Pattern PORT = Pattern.compile("Tomcat started on port (\\d+)");
    private static final Pattern QUEUED_OR_ACTIVE =
            Pattern.compile("(?m)^bloomery_(?:sequences_active|queue_depth)\\{.*} (\\d+)");

    @TempDir
    Path folder = Path.of("");

    @Test
    void everyOpenStreamEndsWithAReason() throws Exception {
        for (int round = 1; round <= ROUNDS; round++) {
            Process service = start();
            try (BufferedReader log = service.inputReader();
                    Client client = new Client(port(log))) {
                // Its output must not fill the pipe.
                Thread drained = Thread.ofVirtual().start(() -> log.lines().forEach(line -> {}));
                List<CompletableFuture<HttpResponse<String>>> streams = new ArrayList<>();
                for (int i = 0; i < STREAMS; i++) {
                    streams.add(client.http()
                            .sendAsync(
                                    client.question(
                                            i % 2 == 0 ? "acme" : "globex", "/api/chat/stream", "Tell me a story."),
                                    BodyHandlers.ofString()));
                }
                Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> underWay(client) == STREAMS);

                service.destroy();

                assertThat(service.waitFor(GRACE_SECONDS + 2, TimeUnit.SECONDS))
                        .as("round %d: the process ends within grace and two seconds", round)
                        .isTrue();
                int cut = 0;
                for (CompletableFuture<HttpResponse<String>> stream : streams) {
                    HttpResponse<String> response = stream.get(10, TimeUnit.SECONDS);
                    String end = end(response);
                    assertThat(end)
                            .as("round %d: the last word of a stream", round)
                            .matches("event:end data:\\{\"finishReason\":\"(SHUTDOWN|STOP|LENGTH)\".*"
                                    + "|event:error data:.*|503");
                    cut += end.contains("SHUTDOWN") ? 1 : 0;
                }
                assertThat(cut)
                        .as("round %d: answers that the end of the service cut short", round)
                        .isPositive();
                drained.join();
            } finally {
                service.destroyForcibly().waitFor();
            }
        }
    }

    /** Answers never end by themselves within the grace: the model's end-of-turn tokens are barred, its kernels slow. */
    private Process start() throws IOException {
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                ProductionApplication.class.getName(),
                "--server.port=0",
                "--server.address=127.0.0.1",
                "--bloomery.audit.file=" + folder.resolve("audit.jsonl"),
                "--bloomery.chat.logit-bias.[2037]=-100",
                "--bloomery.chat.logit-bias.[2039]=-100",
                "--bloomery.chat.max-tokens=1900",
                "--bloomery.engine.kernels=scalar",
                "--bloomery.engine.shutdown-timeout=" + GRACE_SECONDS + "s");
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static int port(BufferedReader log) throws IOException {
        StringBuilder seen = new StringBuilder();
        for (String line = log.readLine(); line != null; line = log.readLine()) {
            Matcher port = PORT.matcher(line);
            if (port.find()) {
                return Integer.parseInt(port.group(1));
            }
            seen.append(line).append('\n');
        }
        throw new AssertionError("The service did not start: " + seen);
    }

    private static int underWay(Client client) throws IOException, InterruptedException {
        Matcher gauges = QUEUED_OR_ACTIVE.matcher(
                client.get("prometheus", "/actuator/prometheus").body());
        int sum = 0;
        while (gauges.find()) {
            sum += Integer.parseInt(gauges.group(1));
        }
        return sum;
    }

    private static String end(HttpResponse<String> response) {
        if (response.statusCode() != 200) {
            return Integer.toString(response.statusCode());
        }
        List<String> lines =
                response.body().lines().filter(line -> !line.isBlank()).toList();
        return String.join(" ", lines.subList(Math.max(0, lines.size() - 2), lines.size()));
    }
}
