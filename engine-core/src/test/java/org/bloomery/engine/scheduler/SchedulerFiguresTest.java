package org.bloomery.engine.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.CacheUse;
import org.bloomery.engine.EngineListener;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.sampling.Sampler;
import org.bloomery.engine.sampling.SamplingOptions;
import org.bloomery.engine.sampling.SequenceBreakers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the scheduler tells of its steps, its backlog and its cache. */
@Timeout(60)
class SchedulerFiguresTest {

    private static final int CONTEXT = 200;

    private static final class End implements SequenceListener {
        final CompletableFuture<FinishReason> reason = new CompletableFuture<>();

        @Override
        public boolean token(int token, List<Sampler.Scored> scores) {
            return true;
        }

        @Override
        public void finished(FinishReason end) {
            reason.complete(end);
        }

        @Override
        public void failed(RuntimeException error) {
            reason.completeExceptionally(error);
        }
    }

    private static final class Steps implements EngineListener {
        final List<Step> done = new CopyOnWriteArrayList<>();
        final AtomicInteger begun = new AtomicInteger();

        @Override
        public void stepping() {
            begun.incrementAndGet();
        }

        @Override
        public void stepped(Step step) {
            done.add(step);
        }
    }

    private final Semaphore gate = new Semaphore(0);
    private final RecordingBackend backend = new RecordingBackend(2, 64, CONTEXT, gate);
    private final Steps steps = new Steps();

    private Scheduler scheduler() {
        Scheduler scheduler = new Scheduler(backend, token -> token == 0, 10, 0, true, () -> {});
        scheduler.listen(steps);
        return scheduler;
    }

    private static End submit(Scheduler scheduler, int[] prompt, int maxTokens) {
        End end = new End();
        Sampler sampler = new Sampler(SamplingOptions.GREEDY, SequenceBreakers.NONE, 1);
        long deadline = System.nanoTime() + Duration.ofMinutes(5).toNanos();
        scheduler.submit(new Sequence(prompt, maxTokens, deadline, -1, sampler, end));
        return end;
    }

    private static int[] prompt(int length) {
        return prompt(1, length);
    }

    private static int[] prompt(int first, int length) {
        return IntStream.range(0, length).map(i -> (first + i) % 90 + 1).toArray();
    }

    private SchedulerStats await(Scheduler scheduler, Predicate<SchedulerStats> wanted) {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        SchedulerStats stats = scheduler.stats();
        while (!wanted.test(stats)) {
            if (System.nanoTime() > deadline) {
                gate.release(1000); // The scheduler is closed after this, which waits for the backend
                throw new AssertionError("still " + stats);
            }
            LockSupport.parkNanos(1_000_000);
            stats = scheduler.stats();
        }
        return stats;
    }

    @Test
    void stepsTellEachPromptTokenAndEachFurtherTokenOnce() throws Exception {
        try (Scheduler scheduler = scheduler()) {
            gate.release(1000);
            submit(scheduler, prompt(150), 20).reason.get(30, TimeUnit.SECONDS);
            SchedulerStats stats = await(scheduler, s -> steps.done.size() == 3 + 19);

            assertThat(steps.done.stream()
                            .mapToInt(EngineListener.Step::prefillTokens)
                            .sum())
                    .isEqualTo(150);
            // The first token comes out of the prompt's last chunk
            assertThat(steps.done.stream()
                            .mapToInt(EngineListener.Step::decodeTokens)
                            .sum())
                    .isEqualTo(19);
            assertThat(steps.done.stream()
                            .mapToInt(EngineListener.Step::sampledTokens)
                            .sum())
                    .isEqualTo(20);
            assertThat(steps.done).allSatisfy(step -> {
                assertThat(step.sequences()).isEqualTo(1);
                assertThat(step.duration()).isPositive();
            });
            assertThat(steps.done.getFirst().prefillBacklog()).isEqualTo(150 - 64);
            assertThat(steps.done.getFirst().active()).isEqualTo(1);
            assertThat(steps.done.getLast().prefillBacklog()).isZero();
            assertThat(steps.done.getLast().active()).isZero();
            assertThat(steps.begun).hasValue(steps.done.size());
            assertThat(stats.steps()).isEqualTo(3 + 19);
            assertThat(stats.medianStepNanos()).isPositive();
        }
    }

    @Test
    void theBacklogCountsWaitingPromptsAndUnreadPartsOfRunningOnes() throws Exception {
        try (Scheduler scheduler = scheduler()) {
            End first = submit(scheduler, prompt(100), 1);
            End second = submit(scheduler, prompt(2, 50), 1);
            End third = submit(scheduler, prompt(3, 30), 1);
            await(scheduler, s -> s.prefillBacklog() == 180);
            gate.release();
            await(scheduler, s -> s.active() == 2 && s.queued() == 1 && s.prefillBacklog() == 180 - 64);

            gate.release(1000);
            for (End end : List.of(first, second, third)) {
                end.reason.get(30, TimeUnit.SECONDS);
            }
            await(scheduler, s -> s.prefillBacklog() == 0);
        }
    }

    @Test
    void theCacheIsActiveThenReusableAndReuseIsAHit() throws Exception {
        try (Scheduler scheduler = scheduler()) {
            assertThat(scheduler.stats().cache()).isEqualTo(new CacheUse(0, 0, 2 * CONTEXT));
            End first = submit(scheduler, prompt(40), 3);
            gate.release();
            await(scheduler, s -> s.cache().equals(new CacheUse(40, 0, 2 * CONTEXT - 40)));
            gate.release(1000);
            first.reason.get(30, TimeUnit.SECONDS);
            // The last token is never fed
            await(scheduler, s -> s.cache().equals(new CacheUse(0, 42, 2 * CONTEXT - 42)));
            assertThat(scheduler.stats().prefixHits()).isZero();

            submit(scheduler, prompt(60), 1).reason.get(30, TimeUnit.SECONDS);
            assertThat(scheduler.stats().prefixHits()).isEqualTo(1);
            assertThat(scheduler.stats().cachedTokens()).isEqualTo(40);
        }
    }

    @Test
    void timeSinceProgressRunsOnlyWhileThereIsSomethingToDo() throws Exception {
        try (Scheduler scheduler = scheduler()) {
            assertThat(scheduler.stats().sinceProgressNanos()).isZero();
            End end = submit(scheduler, prompt(10), 2);
            long stuck = await(scheduler, s -> s.sinceProgressNanos() > 0).sinceProgressNanos();
            await(scheduler, s -> s.sinceProgressNanos() > stuck);

            gate.release(1000);
            end.reason.get(30, TimeUnit.SECONDS);
            await(scheduler, s -> s.sinceProgressNanos() == 0);
        }
    }

    @Test
    void aStepThatFailsIsNotTold() throws Exception {
        backend.recovery.release();
        try (Scheduler scheduler = scheduler()) {
            backend.failure = new BackendLostException("The worker process ended.", null);
            End end = submit(scheduler, prompt(10), 1);
            gate.release(1000);
            assertThat(end.reason.get(30, TimeUnit.SECONDS)).isEqualTo(FinishReason.LENGTH);
            await(scheduler, s -> s.steps() == 1);
            assertThat(steps.begun).hasValue(2);
            assertThat(scheduler.stats().promptTokens()).isEqualTo(10);
        }
    }
}
