package org.bloomery.example.production;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.bloomery.spring.test.InferenceTest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** The service over the real engine and the demo model. */
@InferenceTest(
        model = InferenceTest.Model.DEMO,
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "logging.level.org.bloomery=debug",
            "management.endpoints.web.exposure.include=*",
            "spring.test.metrics.export=true"
        })
@ExtendWith(OutputCaptureExtension.class)
class ServiceTest {

    @TempDir
    static Path folder = Path.of("");

    @LocalServerPort
    private int port;

    private Client client = new Client(0);

    @DynamicPropertySource
    static void auditFile(DynamicPropertyRegistry properties) {
        properties.add("bloomery.audit.file", () -> folder.resolve("audit.jsonl"));
    }

    @BeforeEach
    void open() {
        client = new Client(port);
    }

    @AfterEach
    void close() {
        client.close();
    }

    @Test
    void onlyAccountsThatMayAskAreAnswered() throws Exception {
        assertThat(client.ask(null, "Hello").statusCode()).isEqualTo(401);
        assertThat(client.ask("nobody", "Hello").statusCode()).isEqualTo(401);
        assertThat(client.ask("visitor", "Hello").statusCode()).isEqualTo(403);
        assertThat(client.ask("prometheus", "Hello").statusCode()).isEqualTo(403);
        assertThat(client.stream(null, "Hello").statusCode()).isEqualTo(401);
        assertThat(client.stream("visitor", "Hello").statusCode()).isEqualTo(403);
        assertThat(client.ask("acme", "Hello").statusCode()).isEqualTo(200);
        assertThat(client.ask("globex", "Hello").statusCode()).isEqualTo(200);
        assertThat(client.get("acme", "/elsewhere").statusCode()).isEqualTo(403);
    }

    @Test
    void bothTenantsAreAnsweredAndRecordedUnderTheirNames() throws Exception {
        for (String tenant : new String[] {"acme", "globex"}) {
            assertThat(client.ask(tenant, "What is the capital of Nepal?").body())
                    .contains("Kathmandu", "\"finishReason\":\"STOP\"");
            HttpResponse<String> stream = client.stream(tenant, "What is the capital of Nepal?");
            assertThat(stream.headers().firstValue("Content-Type"))
                    .hasValueSatisfying(type -> assertThat(type).startsWith("text/event-stream"));
            assertThat(stream.body().lines().filter(line -> line.startsWith("event:")))
                    .contains("event:delta")
                    .endsWith("event:end");

            String records = Files.readString(folder.resolve("audit.jsonl"));
            assertThat(records.lines().filter(line -> line.contains("\"tenant\":\"" + tenant + "\"")))
                    .hasSizeGreaterThanOrEqualTo(2);
        }
    }

    @Test
    void prometheusScrapesTheEnginesMeters() throws Exception {
        client.ask("acme", "Hello");

        assertThat(client.get(null, "/actuator/prometheus").statusCode()).isEqualTo(401);
        assertThat(client.get("acme", "/actuator/prometheus").statusCode()).isEqualTo(403);
        assertThat(client.get("prometheus", "/actuator/prometheus").body())
                .contains("gen_ai_server_request_duration_seconds_count", "bloomery_queue_depth");
    }

    @Test
    void probesNeedNoLogin() throws Exception {
        for (String probe : new String[] {"", "/liveness", "/readiness"}) {
            HttpResponse<String> health = client.get(null, "/actuator/health" + probe);
            assertThat(health.statusCode()).isEqualTo(200);
            assertThat(health.body()).contains("\"status\":\"UP\"");
        }
    }

    @Test
    void readersThatGoAwayLeaveTheirRoom() throws Exception {
        for (int i = 0; i < 5; i++) {
            HttpRequest question = client.question("acme", "/api/chat/stream", "Tell me a story about an owl.");
            // Returns with the response's headers; closing its body closes the connection.
            client.http().send(question, BodyHandlers.ofInputStream()).body().close();
        }

        Awaitility.await()
                .untilAsserted(() -> assertThat(
                                client.get("prometheus", "/actuator/prometheus").body())
                        .containsPattern("(?m)^example_door_inside\\S* 0.0$"));
    }

    /** What was asked and answered is in the answers alone, and so is what somebody logs in with. */
    @Test
    void nothingTellsWhatWasAsked(CapturedOutput output) throws Exception {
        String canary = "zebra";
        assertThat(client.ask("acme", "Repeat: " + canary).statusCode()).isEqualTo(200);
        assertThat(client.stream("acme", "Repeat: " + canary).statusCode()).isEqualTo(200);
        assertThat(client.ask("acme", (canary + " ").repeat(600)).statusCode()).isEqualTo(413);
        assertThat(client.stream("acme", (canary + " ").repeat(600)).statusCode())
                .isEqualTo(413);
        assertThat(client.ask("acme", canary + " ").statusCode()).isEqualTo(200);

        String seen = output.getAll() + Files.readString(folder.resolve("audit.jsonl")) + actuator();
        assertThat(seen).contains("jvm_memory_used_bytes").doesNotContain(canary, "acme-demo");
    }

    /** Everything that the actuator shows of this run. Properties and heap dumps have their own access rules. */
    private String actuator() throws IOException, InterruptedException {
        HttpRequest index = client.request("prometheus", "/actuator").build();
        String links = client.http().send(index, BodyHandlers.ofString()).body();
        StringBuilder all = new StringBuilder(links);
        for (String endpoint : Stream.of(links.split("\""))
                .filter(link -> link.startsWith("http") && !link.contains("{"))
                .filter(link -> !link.endsWith("heapdump") && !link.endsWith("threaddump"))
                .map(link -> link.substring(link.indexOf("/actuator")))
                .collect(Collectors.toCollection(TreeSet::new))) {
            all.append(client.get("prometheus", endpoint).body());
        }
        return all.toString();
    }
}
