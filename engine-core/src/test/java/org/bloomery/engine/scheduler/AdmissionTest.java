package org.bloomery.engine.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.bloomery.engine.Caller;
import org.bloomery.engine.Caller.Priority;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.EngineOverloadedException.Reason;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.sampling.Sampler;
import org.bloomery.engine.sampling.SamplingOptions;
import org.bloomery.engine.sampling.SequenceBreakers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who may wait, whose turn it is, and who gets what from the cache. */
@Timeout(60)
class AdmissionTest {

    private static final AtomicInteger STARTS = new AtomicInteger();

    /** What became of one sequence. */
    private static final class Fate implements SequenceListener {
        final CompletableFuture<FinishReason> end = new CompletableFuture<>();
        volatile int cached = -1;
        volatile int turn = -1;

        @Override
        public void started(int cachedTokens) {
            cached = cachedTokens;
            turn = STARTS.getAndIncrement();
        }

        @Override
        public boolean token(int token, List<Sampler.Scored> scores) {
            return true;
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

    private static Sequence sequence(Caller caller, int[] prompt, int maxTokens, Duration time, Fate fate) {
        Sampler sampler = new Sampler(SamplingOptions.GREEDY, SequenceBreakers.NONE, 1);
        return new Sequence(caller, prompt, maxTokens, System.nanoTime() + time.toNanos(), -1, sampler, fate);
    }

    private static Fate submit(Scheduler scheduler, Caller caller, int[] prompt, int maxTokens) {
        Fate fate = new Fate();
        scheduler.submit(sequence(caller, prompt, maxTokens, Duration.ofMinutes(5), fate));
        return fate;
    }

    private static EngineOverloadedException refusal(Scheduler scheduler, int[] prompt, Duration time) {
        return catchThrowableOfType(
                EngineOverloadedException.class,
                () -> scheduler.submit(sequence(Caller.ANONYMOUS, prompt, 3, time, new Fate())));
    }

    private static Scheduler scheduler(RecordingBackend backend, int queueCapacity, long queueTokens) {
        return new Scheduler(backend, token -> token == 0, queueCapacity, queueTokens, true, () -> {});
    }

    private static Caller tenant(String name) {
        return new Caller(name, Priority.NORMAL);
    }

    private static int[] prompt(int length) {
        return new Random(length).ints(length, 1, RecordingBackend.VOCAB).toArray();
    }

    @Test
    void aTenantGetsItsOwnTextFromTheCacheAndNobodyElses() throws Exception {
        try (Scheduler scheduler = scheduler(new RecordingBackend(4, 64, 500, null), 10, 0)) {
            int[] secret = prompt(100);
            assertThat(submit(scheduler, tenant("a"), secret, 5).await()).isEqualTo(FinishReason.LENGTH);

            Fate stranger = submit(scheduler, tenant("b"), secret, 5);
            stranger.await();
            assertThat(stranger.cached).isZero();

            Fate own = submit(scheduler, tenant("a"), secret, 5);
            own.await();
            assertThat(own.cached).isEqualTo(99);

            Fate anonymous = submit(scheduler, Caller.ANONYMOUS, secret, 5);
            anonymous.await();
            assertThat(anonymous.cached).isZero();
        }
    }

    @Test
    void aRunningSequenceSharesItsBeginningWithItsTenantOnly() throws Exception {
        RecordingBackend backend = new RecordingBackend(3, 256, 500, new Semaphore(0));
        try (Scheduler scheduler = scheduler(backend, 10, 0)) {
            int[] secret = prompt(100);
            Fate running = submit(scheduler, tenant("a"), secret, 300);
            backend.gate.release(5);
            while (scheduler.stats().completionTokens() == 0) {
                Thread.onSpinWait();
            }
            Fate stranger = submit(scheduler, tenant("b"), secret, 3);
            Fate own = submit(scheduler, tenant("a"), secret, 3);
            backend.gate.release(10_000);
            stranger.await();
            own.await();
            assertThat(stranger.cached).isZero();
            assertThat(own.cached).isEqualTo(99);
            running.await();
        }
    }

    @Test
    void tenantsTakeTurns() throws Exception {
        RecordingBackend backend = new RecordingBackend(1, 64, 500, new Semaphore(0));
        try (Scheduler scheduler = scheduler(backend, 100, 0)) {
            Fate first = submit(scheduler, tenant("many"), prompt(20), 5);
            List<Fate> many = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                many.add(submit(scheduler, tenant("many"), prompt(20), 5));
            }
            Fate single = submit(scheduler, tenant("single"), prompt(20), 5);
            backend.gate.release(100_000);
            first.await();
            for (Fate fate : many) {
                assertThat(fate.await()).isEqualTo(FinishReason.LENGTH);
            }
            single.await();
            assertThat(single.turn - first.turn).isLessThanOrEqualTo(2);
        }
    }

    @Test
    void refusesPromptsOfMoreTokensThanMayWait() throws Exception {
        RecordingBackend backend = new RecordingBackend(1, 64, 500, new Semaphore(0));
        try (Scheduler scheduler = scheduler(backend, 100, 150)) {
            // What finds a free slot does not wait, however long it is.
            Fate running = submit(scheduler, Caller.ANONYMOUS, prompt(200), 3);
            Fate waiting = submit(scheduler, Caller.ANONYMOUS, prompt(100), 3);
            EngineOverloadedException refusal = refusal(scheduler, prompt(51), Duration.ofMinutes(1));
            assertThat(refusal.reason()).isEqualTo(Reason.QUEUE_TOKENS);
            assertThat(refusal).hasMessageContaining("100 tokens").hasMessageContaining("queue-tokens");
            assertThat(refusal.retryAfter()).isEqualTo(Duration.ofSeconds(1));
            Fate fits = submit(scheduler, Caller.ANONYMOUS, prompt(50), 3);
            backend.gate.release(100_000);
            assertThat(running.await()).isEqualTo(FinishReason.LENGTH);
            assertThat(waiting.await()).isEqualTo(FinishReason.LENGTH);
            assertThat(fits.await()).isEqualTo(FinishReason.LENGTH);
            assertThat(scheduler.stats().refused()).isEqualTo(1);
            assertThat(scheduler.stats().prefillBacklog()).isZero();
        }
    }

    @Test
    void refusesWhoseTurnWouldComeTooLate() {
        WaitingRequests queue = new WaitingRequests();
        Throughput throughput = new Throughput();
        Admission admission = new Admission(queue, throughput, 1, 100, 0);
        long now = System.nanoTime();
        for (int i = 0; i < 20; i++) {
            throughput.stepped(10, 100_000_000); // 100 tokens a second
        }
        Sequence waiting = sequence(Caller.ANONYMOUS, prompt(400), 1, Duration.ofMinutes(5), new Fate());
        admission.add(waiting, 1, now);

        Sequence hasty = sequence(Caller.ANONYMOUS, prompt(10), 1, Duration.ofSeconds(2), new Fate());
        EngineOverloadedException refusal = Objects.requireNonNull(admission.refusal(hasty, 1, now));
        assertThat(refusal.reason()).isEqualTo(Reason.DEADLINE);
        assertThat(refusal.retryAfter()).isBetween(Duration.ofMillis(1900), Duration.ofMillis(2100));
        assertThat(refusal).hasMessageContaining("wait about 4000 ms");

        Sequence patient = sequence(Caller.ANONYMOUS, prompt(10), 1, Duration.ofSeconds(5), new Fate());
        assertThat(admission.refusal(patient, 1, now)).isNull();
        // Another tenant does not wait for all of that, and a free slot for nothing.
        Sequence stranger = sequence(tenant("b"), prompt(10), 1, Duration.ofSeconds(2), new Fate());
        assertThat(admission.refusal(stranger, 1, now)).isNull();
        queue.take(now);
        assertThat(admission.refusal(hasty, 0, now)).isNull();
    }

    @Test
    void aFullQueueSaysWhenItWillBeEmpty() {
        WaitingRequests queue = new WaitingRequests();
        Throughput throughput = new Throughput();
        Admission admission = new Admission(queue, throughput, 1, 2, 0);
        long now = System.nanoTime();
        throughput.answered(100);
        for (int i = 0; i < 20; i++) {
            throughput.stepped(10, 1_000_000_000); // 10 tokens a second
        }
        for (int i = 0; i < 2; i++) {
            admission.add(sequence(Caller.ANONYMOUS, prompt(50), 1000, Duration.ofHours(1), new Fate()), 1, now);
        }
        Sequence next = sequence(Caller.ANONYMOUS, prompt(50), 1000, Duration.ofHours(1), new Fate());
        EngineOverloadedException refusal = Objects.requireNonNull(admission.refusal(next, 1, now));
        assertThat(refusal.reason()).isEqualTo(Reason.QUEUE_FULL);
        // Two prompts of 50 and two answers of about 100
        assertThat(refusal.retryAfter()).isBetween(Duration.ofMillis(29_900), Duration.ofMillis(30_100));
    }
}
