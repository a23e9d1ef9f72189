package org.bloomery.example.production;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.bloomery.engine.audit.AuditVerifier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGTERM while answers are being written: every reader is told how the answer ended, and the process ends. A full run, of 200
 * rounds, also holds how long that may take.
 */
class ShutdownTest {

    private static final boolean SOAK = Boolean.getBoolean("bloomery.soak");
    private static final int STREAMS = 20;
    private static final int GRACE_SECONDS = 1;
    private static final int ROUNDS = SOAK ? 200 : 2;
    /** How long the streams run before the SIGTERM, at most. */
    private static final int LATEST_MILLIS = SOAK ? 3_000 : 300;
    /** Of a full run. */
    private static final int LONGEST_MILLIS = (GRACE_SECONDS + 2) * 1_000;

    private static final Set<String> ENDS = Set.of("SHUTDOWN", "STOP", "LENGTH", "error");

    @TempDir
    Path folder = Path.of("");

    @Test
    void everyOpenStreamEndsWithAReason() throws Exception {
        long seed = System.nanoTime();
        System.out.println("Seed of the moments of SIGTERM: " + seed);
        Random random = new Random(seed);
        List<Long> millis = new ArrayList<>();
        List<String> late = new ArrayList<>();
        for (int round = 1; round <= ROUNDS; round++) {
            int pause = random.nextInt(LATEST_MILLIS);
            String label =
                    "seed " + seed + ", round " + round + ", SIGTERM " + pause + " ms after the last stream began";
            try (ServiceProcess service = start()) {
                List<CompletableFuture<HttpResponse<String>>> streams = open(service.client());
                Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> underWay(service) == STREAMS);
                Awaitility.await().pollDelay(Duration.ofMillis(pause)).until(() -> true);

                millis.add(terminate(service, label));
                if (SOAK) {
                    System.out.println("Round " + round + ": " + millis.getLast() + " ms");
                }
                if (millis.getLast() > LONGEST_MILLIS) {
                    late.add(label + ": " + millis.getLast() + " ms\n" + Files.readString(service.log()));
                }
                everyReaderIsTold(streams, label);
                AuditVerifier.Report audit = AuditVerifier.verify(service.audit(), null);
                assertThat(audit.intact())
                        .as("%s: the chain of the audit file holds", label)
                        .isTrue();
                assertThat(audit.records())
                        .as("%s: records of all rounds so far", label)
                        .isEqualTo((long) round * STREAMS);
            }
        }
        millis.sort(Comparator.naturalOrder());
        System.out.printf(
                "%d SIGTERMs with %d open streams each: from SIGTERM to the end of the process p50 %d, longest %d ms, of which"
                        + " %d s grace%n",
                ROUNDS, STREAMS, millis.get(ROUNDS / 2), millis.getLast(), GRACE_SECONDS);
        if (SOAK) {
            assertThat(late).as("ends later than grace and two seconds").isEmpty();
        }
    }

    private static List<CompletableFuture<HttpResponse<String>>> open(Client client) {
        List<CompletableFuture<HttpResponse<String>>> streams = new ArrayList<>();
        for (int i = 0; i < STREAMS; i++) {
            String tenant = i % 2 == 0 ? "acme" : "globex";
            streams.add(client.http()
                    .sendAsync(
                            client.question(tenant, "/api/chat/stream", "Tell me a story."), BodyHandlers.ofString()));
        }
        return streams;
    }

    /** Milliseconds until the process has ended. One that is late leaves the stacks of its threads in its log. */
    private static long terminate(ServiceProcess service, String label) throws IOException, InterruptedException {
        long start = System.nanoTime();
        service.process().destroy();
        if (!service.process().waitFor(LONGEST_MILLIS, TimeUnit.MILLISECONDS)) {
            new ProcessBuilder("kill", "-QUIT", Long.toString(service.process().pid()))
                    .start()
                    .waitFor();
        }
        assertThat(service.process().waitFor(1, TimeUnit.MINUTES))
                .as("%s: the process ends; its log: %s", label, service.log())
                .isTrue();
        return (System.nanoTime() - start) / 1_000_000;
    }

    private static void everyReaderIsTold(List<CompletableFuture<HttpResponse<String>>> streams, String label)
            throws Exception {
        List<Reply> replies = new ArrayList<>();
        for (CompletableFuture<HttpResponse<String>> stream : streams) {
            replies.add(Reply.of(stream.get(10, TimeUnit.SECONDS)));
        }
        assertThat(replies)
                .as("%s: every stream has a last word, or a status that says when to come back", label)
                .allMatch(reply -> ENDS.contains(reply.end()) || reply.refused())
                .as("%s: answers that the end of the service cut short", label)
                .anyMatch(reply -> reply.end().equals("SHUTDOWN"));
        // All ask the same without randomness, so a longer answer begins with every shorter one.
        List<Reply> written = replies.stream()
                .filter(reply -> reply.tokens() > 0)
                .sorted(Comparator.comparingInt(Reply::tokens))
                .toList();
        for (int i = 1; i < written.size(); i++) {
            assertThat(written.get(i).text())
                    .as("%s: the text of %d tokens", label, written.get(i).tokens())
                    .startsWith(written.get(i - 1).text());
        }
    }

    /** With slow kernels, so that answers do not end within the grace; without C2, which a process that ends soon is worse for. */
    private ServiceProcess start() throws IOException {
        return ServiceProcess.start(
                folder,
                List.of("-Xmx512m", "-XX:TieredStopAtLevel=1"),
                "--bloomery.chat.max-tokens=1900",
                "--bloomery.engine.kernels=scalar",
                "--bloomery.engine.shutdown-timeout=" + GRACE_SECONDS + "s");
    }

    private static long underWay(ServiceProcess service) throws IOException, InterruptedException {
        return service.metric("bloomery_sequences_active") + service.metric("bloomery_queue_depth");
    }
}
