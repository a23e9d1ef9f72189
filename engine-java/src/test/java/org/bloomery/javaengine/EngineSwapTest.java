package org.bloomery.javaengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.EngineState;
import org.bloomery.engine.EngineUnavailableException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.sampling.SamplingOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(900)
class EngineSwapTest {

    /** A full run has 50. */
    private static final int SWAPS = Boolean.getBoolean("bloomery.soak") ? 50 : 5;

    private static final EngineOptions OPTIONS = EngineOptions.builder(
                    Path.of(System.getProperty("bloomery.demo.model")))
            .contextLength(256)
            .maxSequences(4)
            .threads(1)
            .build();

    private static ChatRequest request() {
        return new ChatRequest(
                List.of(ChatMessage.user("Tell me a story about an owl.")),
                GenerationOptions.DEFAULT.withMaxTokens(24).withSampling(SamplingOptions.GREEDY));
    }

    @Test
    void noRequestFailsWhileModelsAreSwapped() throws Exception {
        try (Engine engine = Engine.open(OPTIONS, LoadProgress.NONE);
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            AtomicBoolean done = new AtomicBoolean();
            AtomicInteger answers = new AtomicInteger();
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                running.add(clients.submit(() -> {
                    while (!done.get()) {
                        Completion answer = engine.generate(request(), GenerationSink.NONE);
                        assertThat(answer.finishReason()).isIn(FinishReason.STOP, FinishReason.LENGTH);
                        answers.incrementAndGet();
                    }
                }));
            }
            for (int i = 0; i < SWAPS; i++) {
                assertThat(engine.swap(OPTIONS, LoadProgress.NONE, Duration.ofMinutes(1)))
                        .isTrue();
            }
            done.set(true);
            for (Future<?> each : running) {
                each.get();
            }
            System.out.println(SWAPS + " swaps while " + answers + " requests were answered and none failed");
            assertThat(answers.get()).isPositive();
            assertThat(engine.state()).isEqualTo(EngineState.READY);
        }
    }

    @Test
    void aModelThatCannotBeLoadedChangesNothing() {
        try (Engine engine = Engine.open(OPTIONS, LoadProgress.NONE)) {
            EngineOptions missing =
                    EngineOptions.builder(Path.of("none-such.gguf")).build();
            assertThatThrownBy(() -> engine.swap(missing, LoadProgress.NONE, Duration.ofSeconds(1)))
                    .isInstanceOf(EngineException.class);
            assertThat(engine.generate(request(), GenerationSink.NONE).text()).isNotBlank();
        }
    }

    @Test
    void anEngineInTheBackgroundAnswersOnceItIsLoaded() throws Exception {
        try (Engine engine = Engine.openInBackground(() -> OPTIONS, LoadProgress.NONE)) {
            CountDownLatch loaded = new CountDownLatch(1);
            engine.whenLoaded(loaded::countDown);
            loaded.await();
            assertThat(engine.generate(request(), GenerationSink.NONE).text()).isNotBlank();
            assertThat(engine.loadProgress()).isEqualTo(1);
        }
    }

    @Test
    void closingGivesUpALoad() {
        Engine[] engine = new Engine[1];
        CountDownLatch closed = new CountDownLatch(1);
        engine[0] = Engine.openInBackground(
                () -> {
                    try {
                        closed.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return OPTIONS;
                },
                LoadProgress.NONE);
        assertThat(engine[0].state()).isEqualTo(EngineState.LOADING);
        assertThatThrownBy(() -> engine[0].generate(request(), GenerationSink.NONE))
                .isInstanceOf(EngineUnavailableException.class)
                .hasMessageContaining("still being loaded");
        engine[0].close();
        closed.countDown();
        assertThat(engine[0].state()).isEqualTo(EngineState.CLOSED);
    }

    @Test
    void requestsAreListedAndCancelledById() {
        try (Engine engine = Engine.open(OPTIONS, LoadProgress.NONE)) {
            ChatRequest endless = request().withOptions(GenerationOptions.DEFAULT.withMaxTokens(200));
            Generation generation = engine.submit(endless, GenerationSink.NONE);
            engine.cancel(generation.id());
            assertThat(generation.await().finishReason())
                    .isIn(FinishReason.CANCELLED, FinishReason.STOP, FinishReason.LENGTH);
            assertThat(engine.running()).isEmpty();
            assertThat(engine.cancel("none-such")).isFalse();
        }
    }
}
