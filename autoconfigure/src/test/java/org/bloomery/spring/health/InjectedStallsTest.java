package org.bloomery.spring.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.EngineState;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.sampling.SamplingOptions;
import org.bloomery.spring.health.EngineWatchdog.State;
import org.bloomery.spring.health.StallingBackend.End;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;

/** A real engine over the demo model whose steps hang: each time the watchdog sees it, and the engine answers again. */
@Timeout(1200)
class InjectedStallsTest {

    private static final int STALLS = Boolean.getBoolean("bloomery.soak") ? 500 : 20;
    private static final ChatRequest REQUEST = new ChatRequest(
            List.of(ChatMessage.user("Tell me a story.")),
            GenerationOptions.DEFAULT.withMaxTokens(12).withSampling(SamplingOptions.GREEDY));

    private final LoggingSystem logging = LoggingSystem.get(InjectedStallsTest.class.getClassLoader());

    @BeforeEach
    void leaveStacksOutOfTheLog() {
        StallingProvider.enable(true);
        logging.setLogLevel(EngineWatchdog.class.getName(), LogLevel.OFF);
    }

    @AfterEach
    void restore() {
        StallingProvider.enable(false);
        logging.setLogLevel(EngineWatchdog.class.getName(), null);
    }

    private static EngineOptions options() {
        return EngineOptions.builder(Path.of(Objects.requireNonNull(System.getProperty("bloomery.demo.model"))))
                .backend("stalling")
                .contextLength(256)
                .maxSequences(2)
                .threads(1)
                .repack(false) // Its thread would be counted or not
                .build();
    }

    private static long engineThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("bloomery"))
                .count();
    }

    @Test
    void everyStallIsSeenGivenUpAndFollowedByAnswers() throws Exception {
        long seed = System.nanoTime();
        System.out.println("InjectedStallsTest seed " + seed);
        Random random = new Random(seed);
        long threadsBefore = engineThreads();
        try (Engine engine = Engine.open(options(), LoadProgress.NONE)) {
            StallingBackend backend = StallingProvider.opened();
            EngineWatchdog watchdog = EngineWatchdog.of(engine, Duration.ofMillis(100));
            EngineHealthIndicator health = new EngineHealthIndicator(engine, watchdog::state);
            List<State> changes = new ArrayList<>();
            watchdog.onChange(changes::add);
            String answer = engine.generate(REQUEST, GenerationSink.NONE).text();
            long threads = engineThreads();
            int failed = 0;
            long[] seenNanos = new long[STALLS];
            long[] backNanos = new long[STALLS];
            for (int i = 0; i < STALLS; i++) {
                String round = "stall " + i + ", seed " + seed;
                End end = random.nextBoolean() ? End.CANCELLED : End.LOST;
                CountDownLatch hangs = backend.stallAfter(random.nextInt(8), end);
                Generation request = engine.submit(REQUEST, GenerationSink.NONE);
                assertThat(hangs.await(1, TimeUnit.MINUTES)).as(round).isTrue();
                long hung = System.nanoTime();
                await().pollInterval(Duration.ofMillis(5)).until(() -> {
                    watchdog.check();
                    return watchdog.state() == State.STALLED;
                });
                long seen = System.nanoTime();
                assertThat(status(health)).as(round).isEqualTo(Status.DOWN);
                try {
                    assertThat(request.await().text()).as(round).isEqualTo(answer);
                } catch (BackendLostException e) {
                    assertThat(end).as(round).isEqualTo(End.LOST);
                    failed++;
                }
                assertThat(engine.generate(REQUEST, GenerationSink.NONE).text())
                        .as(round)
                        .isEqualTo(answer);
                watchdog.check();
                assertThat(watchdog.state()).as(round).isEqualTo(State.HEALTHY);
                assertThat(status(health)).as(round).isEqualTo(Status.UP);
                seenNanos[i] = seen - hung;
                backNanos[i] = System.nanoTime() - seen;
            }
            assertThat(changes).hasSize(2 * STALLS).doesNotContain(State.BROKEN);
            assertThat(engine.state()).isEqualTo(EngineState.READY);
            assertThat(engine.running()).isEmpty();
            assertThat(engine.stats().failedRequests()).isEqualTo(failed);
            assertThat(engine.stats().completedRequests()).isEqualTo(1 + 2L * STALLS - failed);
            // The worker tells of its cache after a request's end, and a recovery's thread may just be ending
            await().untilAsserted(() -> {
                assertThat(engine.stats().cache().active()).isZero();
                assertThat(engineThreads()).isEqualTo(threads);
            });
            System.out.printf(
                    "InjectedStallsTest: %d stalls seen and given up, %d requests failed with their lost backend, %s after"
                            + " the stall, answered again %s later; %d threads of the engine before and after%n",
                    STALLS, failed, millis(seenNanos), millis(backNanos), threads);
        }
        await().untilAsserted(() -> assertThat(engineThreads()).isEqualTo(threadsBefore));
    }

    @Test
    void closingGivesUpAStepThatHangs() throws Exception {
        for (End end : End.values()) {
            Engine engine = Engine.open(options(), LoadProgress.NONE);
            Generation request;
            try (engine) {
                CountDownLatch hangs = StallingProvider.opened().stallAfter(2, end);
                request = engine.submit(REQUEST, GenerationSink.NONE);
                assertThat(hangs.await(1, TimeUnit.MINUTES)).isTrue();
            }
            assertThat(engine.state()).isEqualTo(EngineState.CLOSED);
            try {
                assertThat(request.await().finishReason()).isEqualTo(FinishReason.SHUTDOWN);
            } catch (BackendLostException e) {
                assertThat(end).isEqualTo(End.LOST);
            }
        }
    }

    private static Status status(EngineHealthIndicator health) {
        return Objects.requireNonNull(health.health(false)).getStatus();
    }

    private static String millis(long[] nanos) {
        long[] sorted = nanos.clone();
        Arrays.sort(sorted);
        return "%d ms (median; most %d ms)"
                .formatted(sorted[sorted.length / 2] / 1_000_000, sorted[sorted.length - 1] / 1_000_000);
    }
}
