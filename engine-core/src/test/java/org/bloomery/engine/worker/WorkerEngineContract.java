package org.bloomery.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.EngineState;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.backend.Isolation;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.sampling.SamplingOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an engine keeps whose backend runs in a child JVM. A backend's test extends this. */
public abstract class WorkerEngineContract {

    private static final Path MODEL = Path.of(System.getProperty("bloomery.demo.model"));
    private static final boolean SOAK = Boolean.getBoolean("bloomery.soak");
    private static final int KILLS = SOAK ? 200 : 4;
    private static final int CALLERS = 4;
    private static final GenerationOptions GREEDY =
            GenerationOptions.DEFAULT.withSampling(SamplingOptions.GREEDY).withMaxTokens(60);

    /** The backend's name. */
    protected abstract String backend();

    private Engine open(Isolation isolation) {
        return Engine.open(
                EngineOptions.builder(MODEL)
                        .backend(backend())
                        .contextLength(1024)
                        .isolation(isolation)
                        .build(),
                LoadProgress.NONE);
    }

    private static Completion ask(Engine engine, String question) {
        return engine.generate(new ChatRequest(List.of(ChatMessage.user(question)), GREEDY), GenerationSink.NONE);
    }

    @Test
    @Timeout(120)
    void answersAsInThisProcess() {
        try (Engine here = open(Isolation.IN_PROCESS);
                Engine there = open(Isolation.WORKER)) {
            String question = "What is the capital of France?";
            assertThat(ask(there, question).text())
                    .isEqualTo(ask(here, question).text());
            assertThat(there.report()).anyMatch(line -> line.contains("in worker process"));
        }
    }

    /** Every request ends with an answer or with the one error that says it may be sent again. */
    @Test
    @Timeout(value = 30, unit = TimeUnit.MINUTES)
    void killedWorkersLoseNoRequestSilently() throws Exception {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        Queue<EngineState> states = new ConcurrentLinkedQueue<>();
        long longestNanos = 0;
        int answers = 0;
        int losses = 0;
        try (Engine engine = open(Isolation.WORKER);
                ExecutorService callers = Executors.newFixedThreadPool(CALLERS)) {
            engine.onStateChange(states::add);
            for (int kill = 0; kill < KILLS; kill++) {
                CountDownLatch running = new CountDownLatch(1);
                List<Future<Long>> ends = new ArrayList<>();
                for (int i = 0; i < CALLERS; i++) {
                    int caller = i;
                    ends.add(callers.submit(() -> endOf(engine, "Tell me story " + caller, running)));
                }
                assertThat(running.await(60, TimeUnit.SECONDS))
                        .as("seed " + seed)
                        .isTrue();
                TimeUnit.MICROSECONDS.sleep(random.nextInt(30_000));
                long killed = System.nanoTime();
                Workers.kill(Workers.processId(engine.stats().backend()));
                for (Future<Long> end : ends) {
                    long lostAt = end.get(60, TimeUnit.SECONDS);
                    if (lostAt == 0) {
                        answers++;
                    } else {
                        losses++;
                        longestNanos = Math.max(longestNanos, lostAt - killed);
                    }
                }
                assertThat(ask(engine, "Hello!").text()).as("seed " + seed).isNotBlank();
            }
        }
        assertThat(answers + losses).isEqualTo(KILLS * CALLERS);
        // The last one may be told just when the engine is closed
        assertThat(states.stream().filter(EngineState.RECOVERING::equals).count())
                .isEqualTo(KILLS);
        assertThat(states.stream().filter(EngineState.READY::equals).count()).isBetween(KILLS - 1L, (long) KILLS);
        System.out.println("Killed " + KILLS + " workers under load (seed " + seed + "): " + answers + " answers, "
                + losses + " typed errors, the latest " + longestNanos / 1_000_000 + " ms after the kill");
    }

    /** Returns 0 for an answer, or the time at which the loss of the backend was told. */
    private static long endOf(Engine engine, String question, CountDownLatch running) {
        try {
            Completion completion =
                    engine.generate(new ChatRequest(List.of(ChatMessage.user(question)), GREEDY), new GenerationSink() {
                        @Override
                        public boolean onText(String delta) {
                            running.countDown();
                            return true;
                        }
                    });
            assertThat(completion.text()).isNotBlank();
            running.countDown();
            return 0;
        } catch (BackendLostException e) {
            return System.nanoTime();
        }
    }
}
