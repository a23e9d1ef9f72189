package org.bloomery.engine.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.EngineClosedException;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.EngineState;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.grammar.Grammars;
import org.bloomery.engine.grammar.Shape;
import org.bloomery.engine.grammar.TestVocabulary;
import org.bloomery.engine.sampling.Sampler;
import org.bloomery.engine.sampling.SamplingOptions;
import org.bloomery.engine.sampling.SequenceBreakers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SchedulerTest {

    /** Collects a sequence's tokens and its end. */
    private static final class Recorder implements SequenceListener {
        final List<Integer> tokens = new ArrayList<>();
        final CompletableFuture<FinishReason> end = new CompletableFuture<>();
        final CompletableFuture<Integer> first = new CompletableFuture<>();
        volatile int cached = -1;
        int stopAfter = Integer.MAX_VALUE;

        @Override
        public void started(int cachedTokens) {
            cached = cachedTokens;
        }

        @Override
        public boolean token(int token, List<Sampler.Scored> scores) {
            tokens.add(token);
            first.complete(token);
            return tokens.size() < stopAfter;
        }

        @Override
        public void finished(FinishReason reason) {
            end.complete(reason);
        }

        @Override
        public void failed(RuntimeException error) {
            end.completeExceptionally(error);
        }

        FinishReason await() throws Exception {
            return end.get(30, TimeUnit.SECONDS);
        }
    }

    private static Sequence sequence(int[] prompt, int maxTokens, SequenceListener listener) {
        return sequence(prompt, maxTokens, Duration.ofMinutes(5), listener);
    }

    private static Sequence sequence(int[] prompt, int maxTokens, Duration time, SequenceListener listener) {
        Sampler sampler = new Sampler(SamplingOptions.GREEDY, SequenceBreakers.NONE, 1);
        return new Sequence(prompt, maxTokens, System.nanoTime() + time.toNanos(), -1, sampler, listener);
    }

    private static int[] prompt(Random random, int length) {
        return random.ints(length, 1, RecordingBackend.VOCAB).toArray();
    }

    private static Scheduler scheduler(RecordingBackend backend, int queueCapacity) {
        return new Scheduler(backend, token -> token == 0, queueCapacity, 0, true, () -> {});
    }

    @Test
    void answersEachOfManySequencesAsIfItWereAlone() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        try (Scheduler scheduler = scheduler(new RecordingBackend(5, 40, 600, null), 1000)) {
            List<int[]> prompts = new ArrayList<>();
            List<Recorder> recorders = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                // Every other prompt continues an earlier one, as a conversation's next turn does.
                int[] fresh = prompt(random, 1 + random.nextInt(120));
                int[] earlier = i > 10 ? prompts.get(random.nextInt(i)) : new int[0];
                int[] prompt = i % 2 == 0
                        ? fresh
                        : IntStream.concat(IntStream.of(earlier).limit(300), IntStream.of(fresh))
                                .toArray();
                prompts.add(prompt);
                recorders.add(new Recorder());
                scheduler.submit(sequence(prompt, 1 + i % 30, recorders.get(i)));
            }
            for (int i = 0; i < 200; i++) {
                assertThat(recorders.get(i).await()).isEqualTo(FinishReason.LENGTH);
                assertThat(recorders.get(i).tokens)
                        .as("sequence %d, seed %d", i, seed)
                        .isEqualTo(RecordingBackend.expected(prompts.get(i), 1 + i % 30));
            }
            SchedulerStats stats = scheduler.stats();
            assertThat(stats.completed()).isEqualTo(200);
            assertThat(stats.cachedTokens()).isPositive();
            assertThat(stats.active()).isZero();
        }
    }

    @Test
    void decodesSequencesTogetherInOneBatch() throws Exception {
        RecordingBackend backend = new RecordingBackend(4, 64, 100, new Semaphore(0));
        try (Scheduler scheduler = scheduler(backend, 10)) {
            List<Recorder> recorders = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                recorders.add(new Recorder());
                scheduler.submit(sequence(new int[] {i + 1}, 10, recorders.get(i)));
            }
            backend.gate.release(1000);
            for (Recorder recorder : recorders) {
                recorder.await();
            }
            assertThat(backend.batchSizes).contains(4);
        }
    }

    @Test
    void readsALongPromptInChunksBesideOthersThatWrite() throws Exception {
        RecordingBackend backend = new RecordingBackend(2, 512, 3000, new Semaphore(0));
        try (Scheduler scheduler = scheduler(backend, 10)) {
            Recorder writer = new Recorder();
            scheduler.submit(sequence(new int[] {1, 2, 3}, 50, writer));
            backend.gate.release(1);
            writer.first.get(30, TimeUnit.SECONDS);
            Recorder reader = new Recorder();
            int[] longPrompt = prompt(new Random(1), 2000);
            scheduler.submit(sequence(longPrompt, 5, reader));
            backend.gate.release(100_000);
            assertThat(reader.await()).isEqualTo(FinishReason.LENGTH);
            writer.await();
            assertThat(reader.tokens).isEqualTo(RecordingBackend.expected(longPrompt, 5));
            assertThat(backend.batchSizes).allMatch(size -> size <= 512).anyMatch(size -> size > 1 && size < 2000);
        }
    }

    @Test
    void continuesAConversationFromTheCache() throws Exception {
        try (Scheduler scheduler = scheduler(new RecordingBackend(3, 64, 500, null), 10)) {
            int[] first = prompt(new Random(2), 100);
            Recorder one = new Recorder();
            scheduler.submit(sequence(first, 10, one));
            one.await();
            int[] second = IntStream.concat(
                            IntStream.concat(
                                    IntStream.of(first), one.tokens.stream().mapToInt(t -> t)),
                            IntStream.of(prompt(new Random(3), 20)))
                    .toArray();
            Recorder two = new Recorder();
            scheduler.submit(sequence(second, 10, two));
            two.await();
            // The last token of the answer was never fed, so it is not in the cache.
            assertThat(two.cached).isEqualTo(109);
            assertThat(two.tokens).isEqualTo(RecordingBackend.expected(second, 10));
        }
    }

    @Test
    void sharesThePrefixOfASequenceThatIsStillRunning() throws Exception {
        RecordingBackend backend = new RecordingBackend(2, 256, 500, new Semaphore(0));
        try (Scheduler scheduler = scheduler(backend, 10)) {
            int[] system = prompt(new Random(4), 100);
            Recorder one = new Recorder();
            scheduler.submit(sequence(system, 50, one));
            backend.gate.release(3);
            one.first.get(30, TimeUnit.SECONDS);
            int[] other =
                    IntStream.concat(IntStream.of(system), IntStream.of(7, 8)).toArray();
            Recorder two = new Recorder();
            scheduler.submit(sequence(other, 5, two));
            backend.gate.release(1000);
            two.await();
            one.await();
            assertThat(two.cached).isEqualTo(100);
            assertThat(two.tokens).isEqualTo(RecordingBackend.expected(other, 5));
            assertThat(one.tokens).isEqualTo(RecordingBackend.expected(system, 50));
        }
    }

    @Test
    void takesNothingFromTheCacheWhenReuseIsOff() throws Exception {
        try (Scheduler scheduler =
                new Scheduler(new RecordingBackend(2, 64, 500, null), t -> false, 10, 0, false, () -> {})) {
            for (int i = 0; i < 3; i++) {
                Recorder recorder = new Recorder();
                scheduler.submit(sequence(new int[] {1, 2, 3, 4}, 4, recorder));
                recorder.await();
                assertThat(recorder.cached).isZero();
            }
        }
    }

    @Test
    void cancelsBetweenPrefillChunksWithoutTouchingOthers() throws Exception {
        RecordingBackend backend = new RecordingBackend(2, 64, 5000, new Semaphore(0));
        try (Scheduler scheduler = scheduler(backend, 10)) {
            Recorder victim = new Recorder();
            Recorder neighbour = new Recorder();
            Sequence cancelled = sequence(prompt(new Random(5), 4000), 10, victim);
            int[] prompt = prompt(new Random(6), 30);
            scheduler.submit(cancelled);
            scheduler.submit(sequence(prompt, 40, neighbour));
            backend.gate.release(3);
            neighbour.first.get(30, TimeUnit.SECONDS);
            scheduler.cancel(cancelled);
            backend.gate.release(1000);
            assertThat(victim.await()).isEqualTo(FinishReason.CANCELLED);
            assertThat(victim.tokens).isEmpty();
            neighbour.await();
            assertThat(neighbour.tokens).isEqualTo(RecordingBackend.expected(prompt, 40));
            assertThat(scheduler.stats().cancelled()).isEqualTo(1);
        }
    }

    @Test
    void cancelsAtRandomPointsWithoutVictims() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        try (Scheduler scheduler = scheduler(new RecordingBackend(8, 32, 400, null), 10_000)) {
            List<int[]> prompts = new ArrayList<>();
            List<Recorder> recorders = new ArrayList<>();
            for (int i = 0; i < 2000; i++) {
                int[] prompt = prompt(random, 1 + random.nextInt(60));
                prompts.add(prompt);
                Recorder recorder = new Recorder();
                recorders.add(recorder);
                Sequence sequence = sequence(prompt, 20, recorder);
                scheduler.submit(sequence);
                if (i % 2 == 1) {
                    if (random.nextBoolean()) {
                        LockSupport.parkNanos(1000);
                    }
                    scheduler.cancel(sequence);
                }
            }
            for (int i = 0; i < 2000; i++) {
                FinishReason reason = recorders.get(i).await();
                List<Integer> expected = RecordingBackend.expected(prompts.get(i), 20);
                if (i % 2 == 0) {
                    assertThat(reason).isEqualTo(FinishReason.LENGTH);
                    assertThat(recorders.get(i).tokens).as("seed %d", seed).isEqualTo(expected);
                } else {
                    assertThat(reason).isIn(FinishReason.CANCELLED, FinishReason.LENGTH);
                    List<Integer> written = recorders.get(i).tokens;
                    assertThat(written).as("seed %d", seed).isEqualTo(expected.subList(0, written.size()));
                }
            }
            assertThat(scheduler.stats().active()).isZero();
        }
    }

    @Test
    void endsLateSequencesInTheQueueAndInTheirSlots() throws Exception {
        RecordingBackend backend = new RecordingBackend(1, 64, 5000, new Semaphore(0));
        try (Scheduler scheduler = scheduler(backend, 10)) {
            Recorder running = new Recorder();
            Recorder waiting = new Recorder();
            scheduler.submit(sequence(new int[] {1}, 4000, Duration.ofMillis(100), running));
            scheduler.submit(sequence(new int[] {2}, 4000, Duration.ofMillis(50), waiting));
            backend.gate.release(1);
            running.first.get(30, TimeUnit.SECONDS);
            // So slowly that 4000 tokens take far longer than either may
            Thread waiter = Thread.ofVirtual().start(() -> {
                while (!running.end.isDone()) {
                    backend.gate.release(1);
                    LockSupport.parkNanos(1_000_000);
                }
            });
            assertThat(running.await()).isEqualTo(FinishReason.DEADLINE);
            assertThat(waiting.await()).isEqualTo(FinishReason.DEADLINE);
            waiter.join();
            assertThat(waiting.tokens).isEmpty();
            assertThat(scheduler.stats().cutOff()).isEqualTo(2);
            assertThat(scheduler.stats().completed()).isZero();
        }
    }

    @Test
    void refusesWhatItsQueueCannotHold() throws Exception {
        RecordingBackend backend = new RecordingBackend(1, 64, 100, new Semaphore(0));
        try (Scheduler scheduler = scheduler(backend, 2)) {
            List<Recorder> recorders = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                recorders.add(new Recorder());
                scheduler.submit(sequence(new int[] {1}, 3, recorders.get(i)));
            }
            assertThatThrownBy(() -> scheduler.submit(sequence(new int[] {1}, 3, new Recorder())))
                    .isInstanceOf(EngineOverloadedException.class)
                    .hasMessageContaining("queue of 2");
            backend.gate.release(1000);
            for (Recorder recorder : recorders) {
                assertThat(recorder.await()).isEqualTo(FinishReason.LENGTH);
            }
            assertThat(scheduler.stats().refused()).isEqualTo(1);
        }
    }

    @Test
    void aFailedStepFailsItsSequencesAndLeavesTheSchedulerUsable() throws Exception {
        RecordingBackend backend = new RecordingBackend(2, 64, 100, null);
        try (Scheduler scheduler = scheduler(backend, 10)) {
            backend.failure = new IllegalStateException("broken");
            Recorder broken = new Recorder();
            scheduler.submit(sequence(new int[] {1, 2}, 3, broken));
            assertThatThrownBy(broken::await).hasCauseInstanceOf(EngineException.class);
            Recorder next = new Recorder();
            scheduler.submit(sequence(new int[] {1, 2}, 3, next));
            assertThat(next.await()).isEqualTo(FinishReason.LENGTH);
            assertThat(next.tokens).isEqualTo(RecordingBackend.expected(new int[] {1, 2}, 3));
        }
    }

    @Test
    void aListenerThatThrowsEndsOnlyItsOwnSequence() throws Exception {
        try (Scheduler scheduler = scheduler(new RecordingBackend(2, 64, 100, null), 10)) {
            CompletableFuture<RuntimeException> failed = new CompletableFuture<>();
            scheduler.submit(sequence(new int[] {3}, 5, new SequenceListener() {
                @Override
                public boolean token(int token, List<Sampler.Scored> scores) {
                    throw new IllegalStateException("listener");
                }

                @Override
                public void finished(FinishReason reason) {}

                @Override
                public void failed(RuntimeException error) {
                    failed.complete(error);
                }
            }));
            Recorder other = new Recorder();
            scheduler.submit(sequence(new int[] {4}, 30, other));
            assertThat(other.await()).isEqualTo(FinishReason.LENGTH);
            assertThat(failed.get(30, TimeUnit.SECONDS)).hasMessage("listener");
        }
    }

    @Test
    void stopsWhenTheListenerHasEnough() throws Exception {
        try (Scheduler scheduler = scheduler(new RecordingBackend(2, 64, 100, null), 10)) {
            Recorder recorder = new Recorder();
            recorder.stopAfter = 3;
            scheduler.submit(sequence(new int[] {3}, 50, recorder));
            assertThat(recorder.await()).isEqualTo(FinishReason.STOP);
            assertThat(recorder.tokens).hasSize(3);
        }
    }

    @Test
    void closeEndsWhatRunsAndWhatWaits() throws Exception {
        RecordingBackend backend = new RecordingBackend(1, 64, 5000, new Semaphore(0));
        Scheduler scheduler = scheduler(backend, 10);
        Recorder running = new Recorder();
        Recorder waiting = new Recorder();
        scheduler.submit(sequence(new int[] {1}, 4000, running));
        scheduler.submit(sequence(new int[] {2}, 4000, waiting));
        backend.gate.release(2);
        running.first.get(30, TimeUnit.SECONDS);
        Thread closer = Thread.ofPlatform().start(scheduler::close);
        backend.gate.release(100_000);
        closer.join();
        assertThat(running.await()).isEqualTo(FinishReason.SHUTDOWN);
        assertThat(waiting.await()).isEqualTo(FinishReason.SHUTDOWN);
        assertThat(backend.closed).isTrue();
        assertThatThrownBy(() -> scheduler.submit(sequence(new int[] {1}, 1, new Recorder())))
                .isInstanceOf(EngineClosedException.class);
        scheduler.close();
    }

    @Test
    void closeDoesNotWaitForAStepThatNothingEnds() throws Exception {
        RecordingBackend backend = new RecordingBackend(1, 64, 5000, new Semaphore(0));
        Scheduler scheduler = scheduler(backend, 10);
        Recorder running = new Recorder();
        scheduler.submit(sequence(new int[] {1}, 4000, running));
        while (!backend.gate.hasQueuedThreads()) {
            LockSupport.parkNanos(1_000_000); // The class's timeout ends it
        }
        scheduler.close();
        assertThat(running.end).isNotDone();
        assertThat(backend.closed).isFalse();
        backend.gate.release(1);
        assertThat(running.await()).isEqualTo(FinishReason.SHUTDOWN);
    }

    @Test
    void drainLetsRunningSequencesFinishAndRefusesNewOnes() throws Exception {
        RecordingBackend backend = new RecordingBackend(1, 64, 5000, new Semaphore(0));
        try (Scheduler scheduler = scheduler(backend, 10)) {
            Recorder running = new Recorder();
            scheduler.submit(sequence(new int[] {1}, 20, running));
            assertThat(scheduler.drain(Duration.ofMillis(20))).isFalse();
            assertThatThrownBy(() -> scheduler.submit(sequence(new int[] {1}, 1, new Recorder())))
                    .isInstanceOf(EngineClosedException.class);
            backend.gate.release(1000);
            assertThat(scheduler.drain(Duration.ofSeconds(30))).isTrue();
            assertThat(running.await()).isEqualTo(FinishReason.LENGTH);
        }
    }

    @Test
    void requestsWithoutAnAnswerStartOverOnABackendThatWasLostAndTheOthersFail() throws Exception {
        Semaphore gate = new Semaphore(0);
        RecordingBackend backend = new RecordingBackend(2, 64, 500, gate);
        try (Scheduler scheduler = scheduler(backend, 10)) {
            BlockingQueue<EngineState> states = new LinkedBlockingQueue<>();
            scheduler.listen(states::add);
            Random random = new Random(11);
            int[] first = prompt(random, 5);
            Recorder answering = new Recorder();
            scheduler.submit(sequence(first, 50, answering));
            gate.release(2);
            answering.first.get(30, TimeUnit.SECONDS);
            int[] second = prompt(random, 7);
            Recorder reading = new Recorder();
            Recorder waiting = new Recorder();
            scheduler.submit(sequence(second, 3, reading));
            scheduler.submit(sequence(second, 4, waiting));
            backend.failure = new BackendLostException("The worker process ended.", null);
            gate.release(1_000);

            assertThatThrownBy(answering::await).cause().isInstanceOf(BackendLostException.class);
            assertThat(scheduler.stats().state()).isEqualTo(EngineState.RECOVERING);
            Recorder late = new Recorder();
            scheduler.submit(sequence(first, 2, Duration.ofMillis(1), late));
            assertThat(late.await()).isEqualTo(FinishReason.DEADLINE);

            backend.recovery.release();
            assertThat(reading.await()).isEqualTo(FinishReason.LENGTH);
            assertThat(waiting.await()).isEqualTo(FinishReason.LENGTH);
            assertThat(reading.tokens).isEqualTo(RecordingBackend.expected(second, 3));
            assertThat(waiting.tokens).isEqualTo(RecordingBackend.expected(second, 4));
            assertThat(states.poll(30, TimeUnit.SECONDS)).isEqualTo(EngineState.RECOVERING);
            assertThat(states.poll(30, TimeUnit.SECONDS)).isEqualTo(EngineState.READY);
            assertThat(states).isEmpty();
            assertThat(scheduler.stats().promptTokens()).isEqualTo(5 + 7 + 7);
        }
    }

    @Test
    void aBackendLostWhileNothingRunsIsBroughtBackAtOnce() throws Exception {
        RecordingBackend backend = new RecordingBackend(2, 64, 500, null);
        backend.recovery.release();
        try (Scheduler scheduler = scheduler(backend, 10)) {
            BlockingQueue<EngineState> states = new LinkedBlockingQueue<>();
            scheduler.listen(states::add);

            backend.lossListener.accept(new BackendLostException("The worker process ended.", null));

            assertThat(states.poll(30, TimeUnit.SECONDS)).isEqualTo(EngineState.RECOVERING);
            assertThat(states.poll(30, TimeUnit.SECONDS)).isEqualTo(EngineState.READY);
            Recorder after = new Recorder();
            scheduler.submit(sequence(new int[] {1, 2}, 3, after));
            assertThat(after.await()).isEqualTo(FinishReason.LENGTH);
        }
    }

    @Test
    void aRequestThatLosesItsBackendTwiceFails() throws Exception {
        Semaphore gate = new Semaphore(0);
        RecordingBackend backend = new RecordingBackend(1, 64, 500, gate);
        backend.recovery.release(2);
        try (Scheduler scheduler = scheduler(backend, 10)) {
            Recorder fatal = new Recorder();
            Recorder harmless = new Recorder();
            backend.failure = new BackendLostException("The worker process ended.", null);
            scheduler.submit(sequence(new int[] {1, 2}, 3, fatal));
            scheduler.submit(sequence(new int[] {3}, 3, harmless));
            gate.release();
            while (backend.failure != null || scheduler.stats().state() != EngineState.READY) {
                LockSupport.parkNanos(1_000_000);
            }
            backend.failure = new BackendLostException("The worker process ended again.", null);
            gate.release(1_000);

            assertThatThrownBy(fatal::await).cause().hasMessageContaining("again");
            assertThat(harmless.await()).isEqualTo(FinishReason.LENGTH);
        }
    }

    @Test
    void whatWaitsFailsWhereTheBackendCannotBeBroughtBack() throws Exception {
        RecordingBackend backend = new RecordingBackend(1, 64, 500, null);
        backend.failure = new BackendLostException("The worker process ended.", null);
        backend.recoveryFailure = new IllegalStateException("no such file");
        try (Scheduler scheduler = scheduler(backend, 10)) {
            Recorder recorder = new Recorder();
            scheduler.submit(sequence(new int[] {1}, 3, recorder));
            backend.recovery.release();
            assertThatThrownBy(recorder::await).cause().hasMessageContaining("no such file");
            assertThatThrownBy(() -> scheduler.submit(sequence(new int[] {1}, 3, new Recorder())))
                    .isInstanceOf(EngineClosedException.class);
        }
        assertThat(backend.closed).isTrue();
    }

    @Test
    void cancellingTheOnlyRunningSequenceInterruptsItsPass() throws Exception {
        Semaphore gate = new Semaphore(0);
        RecordingBackend backend = new RecordingBackend(2, 64, 500, gate);
        try (Scheduler scheduler = scheduler(backend, 10)) {
            Recorder recorder = new Recorder();
            Sequence sequence = sequence(new int[] {1, 2, 3}, 50, recorder);
            scheduler.submit(sequence);
            while (!gate.hasQueuedThreads()) {
                LockSupport.parkNanos(1_000_000);
            }
            backend.failure = new CancellationException("interrupted");
            scheduler.cancel(sequence);
            assertThat(backend.interrupts).hasValue(1);
            gate.release(1_000);
            assertThat(recorder.await()).isEqualTo(FinishReason.CANCELLED);
            assertThat(recorder.tokens).isEmpty();

            Recorder next = new Recorder();
            scheduler.submit(sequence(new int[] {1, 2, 3}, 4, next));
            assertThat(next.await()).isEqualTo(FinishReason.LENGTH);
            assertThat(next.tokens).isEqualTo(RecordingBackend.expected(new int[] {1, 2, 3}, 4));
        }
    }

    @Test
    void aConstrainedSequenceEndsWhereNothingCanFollow() throws Exception {
        TestVocabulary vocabulary = new TestVocabulary("a", "b", "ba", "c");
        try (Scheduler scheduler = new Scheduler(
                new RecordingBackend(2, 40, 600, null), vocabulary::isEndOfGeneration, 10, 0, true, () -> {})) {
            Recorder whole = new Recorder();
            scheduler.submit(constrained(vocabulary, "a(ba|b|c){7}", 50, whole));
            assertThat(whole.await()).isEqualTo(FinishReason.STOP);
            assertThat(text(vocabulary, whole)).matches("a(ba|b|c){7}");

            Recorder cut = new Recorder();
            scheduler.submit(constrained(vocabulary, "a(ba|b|c){7}", 3, cut));
            assertThat(cut.await()).isEqualTo(FinishReason.LENGTH);
            assertThat(cut.tokens).hasSize(3);
        }
    }

    @Test
    void aConstrainedSequenceKeepsToItsConstraintAfterItStartedOver() throws Exception {
        TestVocabulary vocabulary = new TestVocabulary("a", "b", "ba", "c");
        RecordingBackend backend = new RecordingBackend(2, 40, 600, null);
        backend.failure = new BackendLostException("The worker process ended.", null);
        backend.recovery.release();
        try (Scheduler scheduler = new Scheduler(backend, vocabulary::isEndOfGeneration, 10, 0, true, () -> {})) {
            Recorder recorder = new Recorder();
            scheduler.submit(constrained(vocabulary, "ab{5}c", 50, recorder));
            assertThat(recorder.await()).isEqualTo(FinishReason.STOP);
            assertThat(text(vocabulary, recorder)).isEqualTo("abbbbbc");
        }
    }

    private static Sequence constrained(
            TestVocabulary vocabulary, String pattern, int maxTokens, SequenceListener listener) {
        Sampler sampler = new Sampler(
                SamplingOptions.GREEDY,
                SequenceBreakers.NONE,
                1,
                new Grammars(vocabulary).matcher(new Constraint.Regex(pattern), Shape.ANSWER));
        return new Sequence(new int[] {3, 4}, maxTokens, System.nanoTime() + 60_000_000_000L, -1, sampler, listener);
    }

    private static String text(TestVocabulary vocabulary, Recorder recorder) {
        return recorder.tokens.stream()
                .map(token -> new String(vocabulary.bytes(token), StandardCharsets.UTF_8))
                .collect(Collectors.joining());
    }
}
