package org.bloomery.javaengine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineClosedException;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineListener;
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

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void awaitUntil(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            LockSupport.parkNanos(1_000_000); // The class's timeout ends it
        }
    }

    @Test
    void noRequestFailsWhileModelsAreSwapped() throws Exception {
        try (Engine engine = Engine.open(OPTIONS, LoadProgress.NONE);
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            AtomicBoolean done = new AtomicBoolean();
            AtomicInteger answers = new AtomicInteger();
            Set<String> open = ConcurrentHashMap.newKeySet();
            engine.addListener(new EngineListener() {
                @Override
                public void queued(String id, Operation operation, int promptTokens) {
                    open.add(id);
                }

                @Override
                public void refused(String id, Operation operation, Refusal reason) {
                    open.remove(id);
                }

                @Override
                public void ended(Ended request) {
                    open.remove(request.id());
                }
            });
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
            assertThat(open).as("requests whose end no listener heard").isEmpty();
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
                    awaitUninterruptibly(closed);
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

    /** Threads that own a model's backend: one for each model that is not freed. */
    private static long liveModels() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("bloomery-scheduler"))
                .count();
    }

    @Test
    void unloadAndReloadAreToldAndWakeWhatWaits() {
        try (Engine engine = Engine.open(OPTIONS, LoadProgress.NONE)) {
            List<EngineState> told = new CopyOnWriteArrayList<>();
            engine.onStateChange(told::add);
            AtomicInteger runs = new AtomicInteger();

            engine.unload(Duration.ofMinutes(1));
            assertThat(engine.state()).isEqualTo(EngineState.CLOSED);
            engine.whenLoaded(runs::incrementAndGet);
            assertThat(runs).hasValue(0);
            engine.swap(OPTIONS, LoadProgress.NONE, Duration.ofMinutes(1));

            assertThat(told).containsExactly(EngineState.CLOSED, EngineState.LOADING, EngineState.READY);
            assertThat(engine.state()).isEqualTo(EngineState.READY);
            assertThat(runs).hasValue(1);
            engine.swap(OPTIONS, LoadProgress.NONE, Duration.ofMinutes(1));
            assertThat(runs).hasValue(1);
            assertThat(told).hasSize(3);
        }
    }

    @Test
    void aModelIsLoadedInPlaceOfAFirstOneThatCouldNotBe() throws Exception {
        EngineOptions missing = EngineOptions.builder(Path.of("none-such.gguf")).build();
        BlockingQueue<EngineState> told = new LinkedBlockingQueue<>();
        CountDownLatch listening = new CountDownLatch(1);
        try (Engine engine = Engine.openInBackground(
                () -> {
                    awaitUninterruptibly(listening);
                    return missing;
                },
                LoadProgress.NONE)) {
            engine.onStateChange(told::add);
            AtomicInteger runs = new AtomicInteger();
            engine.whenLoaded(runs::incrementAndGet);
            listening.countDown();
            assertThat(told.poll(1, TimeUnit.MINUTES)).isEqualTo(EngineState.CLOSED);
            assertThatThrownBy(engine::stats).hasMessageContaining("none-such.gguf");

            assertThatThrownBy(() -> engine.swap(missing, LoadProgress.NONE, Duration.ZERO))
                    .isInstanceOf(EngineException.class);
            engine.swap(OPTIONS, LoadProgress.NONE, Duration.ZERO);

            assertThat(told)
                    .containsExactly(EngineState.LOADING, EngineState.CLOSED, EngineState.LOADING, EngineState.READY);
            assertThat(runs).hasValue(1);
            assertThat(engine.generate(request(), GenerationSink.NONE).text()).isNotBlank();
        }
    }

    @Test
    void anErrorWhileLoadingIsAFailureToLoad() {
        try (Engine engine = Engine.openInBackground(
                () -> {
                    throw new NoClassDefFoundError("missing");
                },
                LoadProgress.NONE)) {
            awaitUntil(() -> engine.state() == EngineState.CLOSED);
            assertThatThrownBy(engine::stats)
                    .isInstanceOf(EngineUnavailableException.class)
                    .hasMessageContaining("could not be loaded");
        }
    }

    @Test
    void aSwapWaitsForTheFirstLoadAndLeaksNoModel() throws Exception {
        long before = liveModels();
        CountDownLatch swapping = new CountDownLatch(1);
        try (Engine engine = Engine.openInBackground(
                        () -> {
                            awaitUninterruptibly(swapping);
                            return OPTIONS;
                        },
                        LoadProgress.NONE);
                ExecutorService operator = Executors.newSingleThreadExecutor()) {
            Future<Boolean> swapped = operator.submit(() -> {
                swapping.countDown();
                return engine.swap(OPTIONS, LoadProgress.NONE, Duration.ofMinutes(1));
            });
            assertThat(swapped.get()).isTrue();
            CountDownLatch loaded = new CountDownLatch(1);
            engine.whenLoaded(loaded::countDown);
            loaded.await();
            // Whichever began first: the first load is done too once this one gets its turn
            engine.swap(OPTIONS, LoadProgress.NONE, Duration.ofMinutes(1));
            assertThat(liveModels()).isEqualTo(before + 1);
        }
        awaitUntil(() -> liveModels() == before);
    }

    @Test
    void whatWaitsForAModelIsDoneExactlyOnce() throws Exception {
        try (Engine engine = Engine.open(OPTIONS, LoadProgress.NONE);
                ExecutorService waiters = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int round = 0; round < SWAPS; round++) {
                engine.unload(Duration.ofMinutes(1));
                AtomicBoolean stop = new AtomicBoolean();
                List<AtomicInteger> runs = new CopyOnWriteArrayList<>();
                List<Future<?>> adding = new ArrayList<>();
                for (int i = 0; i < 2; i++) {
                    adding.add(waiters.submit(() -> {
                        while (!stop.get()) {
                            AtomicInteger ran = new AtomicInteger();
                            engine.whenLoaded(ran::incrementAndGet);
                            if (runs.size() < 20_000) {
                                runs.add(ran);
                            }
                        }
                    }));
                }
                engine.swap(OPTIONS, LoadProgress.NONE, Duration.ofMinutes(1));
                stop.set(true);
                for (Future<?> each : adding) {
                    each.get();
                }
                assertThat(runs).isNotEmpty().allSatisfy(ran -> assertThat(ran).hasValue(1));
            }
        }
    }

    @Test
    void closingDuringASwapFreesBothModels() throws Exception {
        // At its first word of progress the load gives up; after its last one it ends as if nothing were
        for (boolean first : new boolean[] {true, false}) {
            long before = liveModels();
            Engine engine = Engine.open(OPTIONS, LoadProgress.NONE);
            List<EngineState> told = new CopyOnWriteArrayList<>();
            engine.onStateChange(told::add);
            assertThatThrownBy(() -> engine.swap(
                            OPTIONS,
                            fraction -> {
                                if (first || fraction == 1) {
                                    engine.close();
                                }
                            },
                            Duration.ofMinutes(1)))
                    .isInstanceOf(EngineClosedException.class);
            assertThat(engine.state()).isEqualTo(EngineState.CLOSED);
            assertThat(told).containsExactly(EngineState.CLOSED);
            assertThat(liveModels()).isEqualTo(before);
            assertThatThrownBy(() -> engine.swap(OPTIONS, LoadProgress.NONE, Duration.ZERO))
                    .isInstanceOf(EngineClosedException.class);
        }
    }

    @Test
    void closingEndsTheRequestsOfAModelThatWasReplacedToo() throws Exception {
        GenerationOptions endless =
                GenerationOptions.DEFAULT.withMaxTokens(200).withConstraint(new Constraint.Regex("[a-z ]{2000}"));
        Engine engine = Engine.open(OPTIONS, LoadProgress.NONE);
        CountDownLatch writing = new CountDownLatch(1);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        Generation generation = engine.submit(request().withOptions(endless), new GenerationSink() {
            @Override
            public boolean onText(String delta) {
                writing.countDown();
                awaitUninterruptibly(mayGoOn);
                // Slow enough for the close, which is told before it reaches this model
                LockSupport.parkNanos(50_000_000);
                return true;
            }
        });
        writing.await();
        try (ExecutorService operators = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Boolean> swapped =
                    operators.submit(() -> engine.swap(OPTIONS, LoadProgress.NONE, Duration.ofMinutes(1)));
            CountDownLatch replaced = new CountDownLatch(1);
            engine.onStateChange(state -> replaced.countDown());
            awaitUntil(() -> engine.stats().activeSequences() == 0);
            Future<?> closed = operators.submit(engine::close);
            assertThat(replaced.await(1, TimeUnit.MINUTES)).isTrue();
            mayGoOn.countDown();
            assertThat(generation.await().finishReason()).isEqualTo(FinishReason.SHUTDOWN);
            closed.get();
            swapped.get();
        }
        assertThat(engine.state()).isEqualTo(EngineState.CLOSED);
    }

    @Test
    void anAnswerNamesTheModelThatTookItsRequest() throws Exception {
        CountDownLatch writing = new CountDownLatch(1);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        try (Engine engine = Engine.open(OPTIONS, LoadProgress.NONE);
                ExecutorService operators = Executors.newVirtualThreadPerTaskExecutor()) {
            Generation old = engine.submit(request(), new GenerationSink() {
                @Override
                public boolean onText(String delta) {
                    writing.countDown();
                    awaitUninterruptibly(mayGoOn);
                    return true;
                }
            });
            writing.await();
            EngineOptions other = EngineOptions.builder(OPTIONS.model())
                    .contextLength(128)
                    .maxSequences(1)
                    .threads(1)
                    .build();
            Future<Boolean> swapped =
                    operators.submit(() -> engine.swap(other, LoadProgress.NONE, Duration.ofMinutes(1)));
            awaitUntil(() -> engine.model().contextLength() == 128);
            Generation next = engine.submit(request(), GenerationSink.NONE);
            assertThat(requireNonNull(old.model()).info().contextLength()).isEqualTo(256);
            assertThat(requireNonNull(next.model()).info().contextLength()).isEqualTo(128);
            assertThat(requireNonNull(old.model()).digest().get().join())
                    .isEqualTo(engine.modelDigest().join());
            mayGoOn.countDown();
            old.await();
            next.await();
            assertThat(swapped.get()).isTrue();
        }
    }

    @Test
    void aRequestThatFindsNoModelIsTold() {
        try (Engine engine = Engine.open(OPTIONS, LoadProgress.NONE)) {
            List<EngineListener.Refusal> told = new CopyOnWriteArrayList<>();
            engine.addListener(new EngineListener() {
                @Override
                public void refused(String id, Operation operation, Refusal reason) {
                    assertThat(operation).isEqualTo(Operation.CHAT);
                    told.add(reason);
                }
            });
            engine.unload(Duration.ofMinutes(1));
            assertThatThrownBy(() -> engine.submit(request(), GenerationSink.NONE))
                    .isInstanceOf(EngineUnavailableException.class);
            assertThat(told).containsExactly(EngineListener.Refusal.UNAVAILABLE);
        }
    }

    @Test
    void drainingIsTold() {
        try (Engine engine = Engine.open(OPTIONS, LoadProgress.NONE)) {
            List<EngineState> told = new CopyOnWriteArrayList<>();
            engine.onStateChange(told::add);
            engine.drain(Duration.ofMinutes(1));
            assertThat(told).containsExactly(EngineState.CLOSED);
            engine.swap(OPTIONS, LoadProgress.NONE, Duration.ofMinutes(1));
            assertThat(told).containsExactly(EngineState.CLOSED, EngineState.READY);
        }
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
