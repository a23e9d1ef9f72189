package org.bloomery.example.production;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.bloomery.engine.audit.AuditVerifier;
import org.bloomery.example.production.Load.Asked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ten times as many questions as the service can answer, from two tenants at once: what is admitted is answered to its end, and
 * the rest is turned away with a word when to come back. A full run, over minutes, also holds what this may cost.
 */
class OverloadTest {

    private static final boolean SOAK = Boolean.getBoolean("bloomery.soak");
    private static final int FACTOR = 10;
    /** Of every answer: its end is barred, so that all questions cost alike. */
    private static final int ANSWER_TOKENS = SOAK ? 256 : 32;
    /** Twice the sequences, so that one is never free for want of a client. */
    private static final int ENOUGH_CLIENTS = 16;

    /** The example's own in a full run. In a short one the door lets in more than the engine takes, so that both refuse. */
    private static final int QUEUE = SOAK ? 32 : 24;

    private static final Duration WARM_UP = Duration.ofSeconds(SOAK ? 30 : 2);
    private static final Duration PEAK = Duration.ofSeconds(SOAK ? 60 : 3);
    private static final Duration OVERLOAD = Duration.ofSeconds(SOAK ? 300 : 8);

    /** What Assistant's limit of requests says; the rest of the refusals are the engine's. */
    private static final String TOO_OFTEN = "This account has asked too often";

    /** What Door says. */
    private static final String NO_ROOM = "Too many requests are being served at once";

    private static final Pattern RECORD = Pattern.compile(
            "\"type\":\"request\".*?(?:\"request\":\"([^\"]+)\".*?)?\"tenant\":\"(\\w+)\".*?\"outcome\":\"(\\w+)\"");

    /** What two looks at a process that does the same differ by. */
    private static final long HEAP_NOISE = 16 << 20;

    private static final long RESIDENT_NOISE = 32 << 20;

    @TempDir
    Path folder = Path.of("");

    /** Memory of the service, in bytes. */
    private record Memory(long heap, long resident) {}

    /** Processor time, in seconds: the clients take it from the service, whose machine they share. */
    private record Work(double wall, double service, double clients) {

        static Work of(ServiceProcess service) {
            return new Work(
                    System.nanoTime() / 1e9, seconds(service.process().toHandle()), seconds(ProcessHandle.current()));
        }

        private static double seconds(ProcessHandle process) {
            return process.info().totalCpuDuration().orElse(Duration.ZERO).toMillis() / 1e3;
        }

        Work since(Work before) {
            return new Work(wall - before.wall, service - before.service, clients - before.clients);
        }

        @Override
        public String toString() {
            return "the service took %.2f and its clients %.2f processors".formatted(service / wall, clients / wall);
        }
    }

    @Test
    void whatIsAdmittedIsAnsweredAndTheRestIsTurnedAway() throws Exception {
        long seed = System.nanoTime();
        System.out.println("Seed of the arrivals: " + seed);
        List<Asked> everything = new ArrayList<>();
        try (ServiceProcess service = ServiceProcess.start(
                folder,
                List.of("-Xms384m", "-Xmx384m", "-XX:+AlwaysPreTouch", "-XX:+ExitOnOutOfMemoryError"),
                "--bloomery.chat.max-tokens=" + ANSWER_TOKENS,
                "--bloomery.engine.queue-capacity=" + QUEUE,
                // Short answers on a fast machine come faster than an account may ask; here the engine sets the pace
                "--resilience4j.ratelimiter.configs.tenant.limit-for-period=1000000")) {
            Load load = new Load(service.client());
            everything.addAll(load.closed(ENOUGH_CLIENTS, WARM_UP));
            Work before = Work.of(service);
            List<Asked> peak = load.closed(ENOUGH_CLIENTS, PEAK);
            Work atPeak = Work.of(service).since(before);
            double arrivals = FACTOR * tokensPerSecond(peak, PEAK) / ANSWER_TOKENS;
            everything.addAll(peak);
            assertThat(peak)
                    .as("what just enough clients ask is answered")
                    .allMatch(each -> each.reply().whole());

            Queue<Integer> readiness = new ConcurrentLinkedQueue<>();
            Queue<Memory> memory = new ConcurrentLinkedQueue<>();
            List<Asked> overload;
            Work underOverload;
            try (ScheduledExecutorService watch = Executors.newScheduledThreadPool(1)) {
                Future<?> probe =
                        watch.scheduleAtFixedRate(() -> readiness.add(readiness(service)), 0, 1, TimeUnit.SECONDS);
                Future<?> samples = watch.scheduleAtFixedRate(
                        () -> memory.add(memory(service)), SOAK ? 60 : 3, SOAK ? 30 : 2, TimeUnit.SECONDS);
                before = Work.of(service);
                overload = load.open(arrivals, OVERLOAD, new Random(seed));
                underOverload = Work.of(service).since(before);
                assertThat(probe.isDone() || samples.isDone()).isFalse();
            }
            everything.addAll(overload);

            assertThat(readiness)
                    .as("readiness while the queue is full")
                    .isNotEmpty()
                    .containsOnly(200);
            assertThat(overload)
                    .as("replies, with the seed " + seed)
                    .allMatch(each -> each.reply().whole() || each.reply().refused())
                    .anyMatch(each -> each.reply().whole())
                    .anyMatch(each -> atTheDoor(each.reply()))
                    .anyMatch(each -> SOAK || byEngine(each.reply()));
            answersAreTheSame(everything);
            serverCountsTheSame(service, everything);
            auditHasEveryRequestOnce(service.audit(), everything);
            assertThat(Files.readString(service.log())).doesNotContain("ERROR", "Exception");
            System.out.println("At the peak " + atPeak + "; under overload " + underOverload);
            // The machine's own pace changes over minutes, so the peak is what it is before and after
            List<Asked> after = load.closed(ENOUGH_CLIENTS, PEAK);
            costs((tokensPerSecond(peak, PEAK) + tokensPerSecond(after, PEAK)) / 2, overload, List.copyOf(memory));
        }
    }

    private static boolean byEngine(Reply reply) {
        return reply.refused() && !reply.text().contains(TOO_OFTEN) && !atTheDoor(reply);
    }

    private static boolean atTheDoor(Reply reply) {
        return reply.refused() && reply.text().contains(NO_ROOM);
    }

    /** Nothing is random at temperature 0, so an answer is whole where it is the one that was given without a crowd. */
    private static void answersAreTheSame(List<Asked> asked) {
        Map<String, Set<String>> texts = asked.stream()
                .filter(each -> each.reply().whole())
                .collect(Collectors.groupingBy(
                        Asked::question, Collectors.mapping(each -> each.reply().text(), Collectors.toSet())));
        assertThat(texts)
                .hasSize(Load.QUESTIONS.size())
                .allSatisfy(
                        (question, answers) -> assertThat(answers).as(question).hasSize(1));
    }

    private static void serverCountsTheSame(ServiceProcess service, List<Asked> asked) {
        long whole = asked.stream().filter(each -> each.reply().whole()).count();
        long byEngine = asked.stream().filter(each -> byEngine(each.reply())).count();
        // A response is counted when it has been written, which its reader may see before.
        Awaitility.await().untilAsserted(() -> {
            String requests = "bloomery_requests_total";
            assertThat(service.metric(requests, "outcome=\"completed\"")).isEqualTo(whole);
            assertThat(service.metric(requests, "outcome=\"refused\"")).isEqualTo(byEngine);
            assertThat(service.metric(requests)).isEqualTo(whole + byEngine);
            String responses = "http_server_requests_seconds_count";
            assertThat(service.metric(responses, "uri=\"/api/chat", "status=\"200\""))
                    .isEqualTo(whole);
            long turnedAway =
                    asked.stream().filter(each -> atTheDoor(each.reply())).count();
            assertThat(service.metric("example_door_turned_away_total")).isEqualTo(turnedAway);
            assertThat(service.metric(responses, "uri=\"/api/chat")).isEqualTo(asked.size() - turnedAway);
            assertThat(service.metric("example_door_inside")).isZero();
            for (String tenant : Load.TENANTS) {
                String permissions = "resilience4j_ratelimiter_available_permissions";
                assertThat(service.metric(permissions, "name=\"" + tenant + "\""))
                        .isPositive();
            }
            assertThat(service.metric("bloomery_sequences_active")).isZero();
            assertThat(service.metric("bloomery_queue_depth")).isZero();
        });
    }

    /** One record for each request that came to the model; what the limit of requests stops never does. */
    private static void auditHasEveryRequestOnce(Path file, List<Asked> asked) throws IOException {
        Map<String, Long> expected = new HashMap<>();
        for (Asked each : asked) {
            if (each.reply().whole() || byEngine(each.reply())) {
                String outcome = each.reply().whole() ? "COMPLETED" : "REFUSED";
                expected.merge(each.tenant() + " " + outcome, 1L, Long::sum);
            }
        }
        Map<String, Long> recorded = new HashMap<>();
        List<String> requests = new ArrayList<>();
        try (Stream<String> lines = Files.lines(file)) {
            lines.forEach(line -> {
                Matcher fields = RECORD.matcher(line);
                assertThat(fields.find()).as(line).isTrue();
                requests.add(fields.group(1) == null ? line.substring(0, 20) : fields.group(1));
                recorded.merge(fields.group(2) + " " + fields.group(3), 1L, Long::sum);
            });
        }
        assertThat(recorded).isEqualTo(expected);
        assertThat(requests).doesNotHaveDuplicates();
        AuditVerifier.Report chain = AuditVerifier.verify(file, null);
        assertThat(chain.intact()).isTrue();
        assertThat(chain.records()).isEqualTo(requests.size());
    }

    private static int readiness(ServiceProcess service) {
        try {
            return service.client().get(null, "/actuator/health/readiness").statusCode();
        } catch (IOException e) {
            return 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 0;
        }
    }

    /** What is live, after a collection that is asked for. */
    private static Memory memory(ServiceProcess service) {
        try {
            String pid = Long.toString(service.process().pid());
            Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
            new ProcessBuilder(jcmd.toString(), pid, "GC.run").start().waitFor();
            long heap = service.metric("jvm_memory_used_bytes", "area=\"heap\"");
            String resident = Files.readAllLines(Path.of("/proc", pid, "status")).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .map(line -> line.replaceAll("\\D", ""))
                    .findFirst()
                    .orElseThrow();
            return new Memory(heap, Long.parseLong(resident) << 10);
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** What overload takes from those who are answered, from those who are refused and from the machine. */
    private static void costs(double peakRate, List<Asked> overload, List<Memory> memory) {
        double goodput = tokensPerSecond(overload, OVERLOAD);
        double[] refused = overload.stream()
                .filter(each -> each.reply().refused())
                .mapToDouble(Asked::millis)
                .sorted()
                .toArray();
        double p99 = refused[(int) (refused.length * 0.99)];
        System.out.printf(
                "Peak %.1f tokens/s, goodput %.1f (%.1f %%); %d asked, %d refused, %d of them by the engine, %d at the door, in p50"
                        + " %.1f, p99 %.1f, longest %.1f ms%n",
                peakRate,
                goodput,
                100 * goodput / peakRate,
                overload.size(),
                refused.length,
                overload.stream().filter(each -> byEngine(each.reply())).count(),
                overload.stream().filter(each -> atTheDoor(each.reply())).count(),
                refused[refused.length / 2],
                p99,
                refused[refused.length - 1]);
        memory.forEach(
                each -> System.out.printf("Heap %d KiB, resident %d KiB%n", each.heap() >> 10, each.resident() >> 10));
        if (SOAK) {
            // The demo model's steps take a millisecond, and hundreds of clients a second share their processors
            assertThat(goodput).as("tokens a second under overload").isGreaterThanOrEqualTo(0.66 * peakRate);
            assertThat(p99)
                    .as("the 99th percentile of the refusals, in milliseconds")
                    .isLessThanOrEqualTo(50);
            Memory first = memory.getFirst();
            Memory last = memory.getLast();
            assertThat(last.heap() - first.heap()).as("growth of the heap").isLessThan(HEAP_NOISE);
            assertThat(last.resident() - first.resident())
                    .as("growth of the process")
                    .isLessThan(RESIDENT_NOISE);
        }
    }

    /** Tokens a second of answers that were whole within a time. */
    private static double tokensPerSecond(List<Asked> asked, Duration time) {
        long end = asked.stream().mapToLong(Asked::plannedNanos).min().orElseThrow() + time.toNanos();
        return asked.stream()
                        .filter(each -> each.reply().whole() && each.endNanos() <= end)
                        .mapToInt(each -> each.reply().tokens())
                        .sum()
                / (time.toMillis() / 1e3);
    }
}
