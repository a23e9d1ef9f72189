package org.bloomery.example.chat;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.UUID;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineStats;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;

/**
 * How answers end before their end: the model's end-of-turn token is barred here, so that only a stop ends one. The
 * scalar kernels take some ten seconds for the most tokens an answer may have; the fast ones write them all before the
 * server hears that a client has gone.
 */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "bloomery.chat.logit-bias.[2037]=-100",
            "bloomery.chat.logit-bias.[2039]=-100",
            "bloomery.chat.max-tokens=1900",
            "bloomery.engine.kernels=scalar",
            "bloomery.engine.threads=1"
        })
class StopTest {

    /** Each test's own: the one before may be free of its answer a moment later than the engine is. */
    private final String conversation = UUID.randomUUID().toString().replace("-", "");

    @LocalServerPort
    private int port;

    @Autowired
    private Engine engine;

    private final HttpClient http = HttpClient.newHttpClient();

    @AfterEach
    void everySlotIsFree() {
        http.shutdownNow();
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(
                        () -> assertThat(engine.stats().activeSequences()).isZero());
    }

    @Test
    void clientThatDisconnectsFreesItsSlot() throws Exception {
        EngineStats before = engine.stats();

        try (BufferedReader events = ask()) {
            assertThat(nextData(events)).contains("text");
            assertThat(engine.stats().activeSequences()).isEqualTo(1);
        }

        Awaitility.await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            assertThat(engine.stats().activeSequences()).isZero();
            assertThat(engine.stats().cancelledRequests()).isEqualTo(before.cancelledRequests() + 1);
        });
    }

    @Test
    void stopEndsTheStreamAndFreesTheSlot() throws Exception {
        EngineStats before = engine.stats();

        try (BufferedReader events = ask()) {
            nextData(events);
            HttpRequest stop = HttpRequest.newBuilder(uri("/answer")).DELETE().build();
            assertThat(http.send(stop, BodyHandlers.discarding()).statusCode()).isEqualTo(204);
            String last = events.lines()
                    .filter(line -> line.startsWith("data:"))
                    .reduce((earlier, later) -> later)
                    .orElseThrow();
            assertThat(last).contains("\"finishReason\":\"CANCELLED\"");
        }

        assertThat(engine.stats().cancelledRequests()).isEqualTo(before.cancelledRequests() + 1);
    }

    @Test
    void stopButtonAndEscapeStopTheModel() {
        EngineStats before = engine.stats();
        try (Chromium chromium = Chromium.launch()) {
            String address = "http://127.0.0.1:" + port + "/";
            Page page = chromium.open(address, new Browser.NewContextOptions());
            PlaywrightAssertions.assertThat(page.locator("#state")).hasText("ready");

            for (boolean byKey : new boolean[] {false, true}) {
                page.locator("#message").fill("Tell me a story.");
                page.locator("#message").press("Enter");
                Locator answer = page.locator(".turn").last();
                PlaywrightAssertions.assertThat(page.locator("#state")).hasText("answering");
                PlaywrightAssertions.assertThat(answer.locator(".text")).hasText(Pattern.compile("\\w"));
                if (byKey) {
                    page.locator("#message").press("Escape");
                } else {
                    page.locator("#stop").click();
                }
                PlaywrightAssertions.assertThat(page.locator("#state")).hasText("ready");
                PlaywrightAssertions.assertThat(answer.locator(".figures")).containsText("stopped");
                PlaywrightAssertions.assertThat(page.locator("#message")).isFocused();
            }
            chromium.assertQuietAndAlone(address);
        }
        assertThat(engine.stats().cancelledRequests()).isEqualTo(before.cancelledRequests() + 2);
    }

    private BufferedReader ask() throws IOException, InterruptedException {
        HttpRequest question = HttpRequest.newBuilder(uri(""))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"message\":\"Tell me a story.\"}"))
                .build();
        return new BufferedReader(new InputStreamReader(
                http.send(question, BodyHandlers.ofInputStream()).body(), StandardCharsets.UTF_8));
    }

    private static String nextData(BufferedReader events) throws IOException {
        for (String line = events.readLine(); line != null; line = events.readLine()) {
            if (line.startsWith("data:")) {
                return line;
            }
        }
        throw new AssertionError("The stream ended before any event.");
    }

    private URI uri(String end) {
        return URI.create("http://127.0.0.1:" + port + "/api/conversations/" + conversation + end);
    }
}
