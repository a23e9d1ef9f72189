package org.bloomery.engine.scheduler;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.EngineClosedException;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineListener;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.EngineState;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.Logits;
import org.bloomery.engine.sampling.Sampler;
import org.jspecify.annotations.Nullable;

/**
 * Runs many sequences over one backend: continuous batching with chunked prefill, a bounded queue, deadlines,
 * cancellation between steps, prefix reuse. {@link #submit} and {@link Sequence#cancel} are safe from any thread and
 * never compute; one worker thread owns the backend and everything else here.
 */
public final class Scheduler implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(Scheduler.class.getName());

    /** How soon a deadline is seen in a queue that nothing leaves. */
    private static final long DEADLINE_CHECK_NANOS = 100_000_000;

    /** A step that was interrupted ends much sooner unless it hangs. */
    private static final Duration LONGEST_STEP_AT_CLOSE = Duration.ofSeconds(5);

    private final Backend backend;
    private final IntPredicate endOfGeneration;
    private final int slots;
    private final int vocabSize;
    private final Runnable afterEnd;
    private final Thread worker;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition wake = lock.newCondition();
    private final Condition idle = lock.newCondition();
    private final WaitingRequests queue = new WaitingRequests();
    private final Throughput throughput = new Throughput();
    private final Admission admission;
    private boolean refusing;
    private boolean closing;
    private boolean recovering;
    private @Nullable BackendLostException loss;
    private @Nullable EngineException unrecoverable;
    private int activeCount;
    private volatile Consumer<EngineState> stateListener = state -> {};
    private volatile EngineListener stepListener = new EngineListener() {};
    private final Progress progress = new Progress();

    private final List<Sequence> active = new ArrayList<>();
    private final CacheSlots cache;
    private final StepPlan plan;
    private final float[] logits;
    private final Totals totals = new Totals();

    /**
     * Starts the worker. The backend belongs to it from now on and is closed with it.
     *
     * @param endOfGeneration whether a token ends an answer
     * @param queueCapacity sequences that may wait beyond those in slots
     * @param queueTokens tokens that the prompts of waiting sequences may have, 0 for no limit
     * @param prefixReuse whether a prompt may continue from what an earlier sequence of its tenant left in the cache
     * @param afterEnd runs once the backend is closed: frees what it stood on
     */
    public Scheduler(
            Backend backend,
            IntPredicate endOfGeneration,
            int queueCapacity,
            long queueTokens,
            boolean prefixReuse,
            Runnable afterEnd) {
        this.backend = backend;
        this.endOfGeneration = endOfGeneration;
        this.afterEnd = afterEnd;
        this.slots = backend.info().maxSequences();
        this.vocabSize = backend.info().vocabSize();
        this.admission = new Admission(queue, throughput, slots, queueCapacity, queueTokens);
        this.cache = new CacheSlots(backend, prefixReuse);
        this.plan = new StepPlan(backend.info().maxBatchTokens());
        this.logits = new float[vocabSize];
        this.worker = Thread.ofPlatform().name("bloomery-scheduler").daemon().unstarted(this::work);
        look();
        backend.onLoss(this::noticeLoss);
        worker.start();
    }

    private void noticeLoss(BackendLostException error) {
        lock.lock();
        try {
            loss = error;
            wake.signal();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Queues a sequence; the worker calls its listener from now on.
     *
     * @throws EngineOverloadedException if there is no room for it in the queue, or its turn would come too late
     * @throws EngineClosedException if the scheduler is closing
     */
    public void submit(Sequence sequence) {
        lock.lock();
        try {
            if (refusing) {
                totals.refused.incrementAndGet();
                throw new EngineClosedException("The engine is shutting down and takes no new request.");
            }
            long now = System.nanoTime();
            EngineOverloadedException refusal = admission.refusal(sequence, activeCount, now);
            if (refusal != null) {
                totals.refused.incrementAndGet();
                throw refusal;
            }
            if (queue.isEmpty() && activeCount == 0) {
                progress.touch();
            }
            admission.add(sequence, activeCount, now);
            wake.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Wakes the worker, so that a cancelled sequence ends at once, in the queue or running alone. */
    public void cancel(Sequence sequence) {
        sequence.cancel();
        boolean alone;
        lock.lock();
        try {
            wake.signal();
            alone = activeCount == 1;
        } finally {
            lock.unlock();
        }
        if (alone && sequence.isRunning()) {
            backend.interrupt();
        }
    }

    /** Tells a listener of every change of state, on a thread of the scheduler's; it must return soon. */
    public void listen(Consumer<EngineState> listener) {
        stateListener = listener;
    }

    /** Whether sequences are taken and run. */
    public EngineState state() {
        lock.lock();
        try {
            return stateNow();
        } finally {
            lock.unlock();
        }
    }

    /** The caller holds the lock. */
    private EngineState stateNow() {
        return refusing ? EngineState.CLOSED : recovering ? EngineState.RECOVERING : EngineState.READY;
    }

    private void tell(EngineState state) {
        try {
            stateListener.accept(state);
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "A listener to the engine's state threw.", e);
        }
    }

    /** Tells a listener of every step, on the worker. It must return at once and throw nothing. */
    public void listen(EngineListener listener) {
        stepListener = listener;
    }

    /** Figures at this moment. */
    public SchedulerStats stats() {
        lock.lock();
        try {
            boolean atWork = !recovering && (activeCount > 0 || !queue.isEmpty());
            return totals.stats(
                    stateNow(),
                    activeCount,
                    queue.size(),
                    backlog(),
                    progress,
                    atWork ? progress.nanosSinceTouch() : 0);
        } finally {
            lock.unlock();
        }
    }

    /** Prompt tokens that are still to be read. The caller holds the lock. */
    private long backlog() {
        return progress.held().unread() + queue.promptTokens();
    }

    /** Lets others know what only the worker may look at. */
    private void look() {
        long unread = 0;
        for (Sequence sequence : active) {
            unread += sequence.prefilling() ? sequence.promptLength() - sequence.cached() : 0;
        }
        progress.hold(new Progress.Held(unread, cache.use()));
    }

    /**
     * Refuses new sequences and waits for the others.
     *
     * @return whether all ended within the time
     */
    public boolean drain(Duration time) {
        long left = time.toNanos();
        if (refuse()) {
            tell(EngineState.CLOSED);
        }
        lock.lock();
        try {
            while (activeCount > 0 || !queue.isEmpty()) {
                if (left <= 0 || !worker.isAlive()) {
                    return false;
                }
                left = idle.awaitNanos(left);
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** Takes no sequence any more; returns whether it took some until now. */
    private boolean refuse() {
        lock.lock();
        try {
            boolean first = !refusing;
            refusing = true;
            return first;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends every sequence with {@link FinishReason#SHUTDOWN}, stops the worker and closes the backend; a step that hangs is
     * given up. What does not end even then is not waited for: the backend is closed when it does. Idempotent.
     */
    @Override
    public void close() {
        lock.lock();
        try {
            refusing = true;
            closing = true;
            wake.signal();
        } finally {
            lock.unlock();
        }
        backend.interrupt();
        if (Thread.currentThread() == worker) {
            // A listener closes the engine it is called by: the worker ends after this step.
            return;
        }
        boolean interrupted = false;
        boolean abandoned = false;
        while (worker.isAlive()) {
            try {
                if (worker.join(LONGEST_STEP_AT_CLOSE)) {
                    break;
                }
                if (abandoned) {
                    LOG.log(
                            Level.ERROR,
                            "The backend does not end its step although it was given up; its memory is not freed"
                                    + " before it does.");
                    break;
                }
                LOG.log(Level.WARNING, "The backend does not end its step for the engine's close; it is given up.");
                backend.abandon();
                abandoned = true;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void work() {
        try {
            while (awaitWork()) {
                look();
                step();
                look();
                progress.touch();
            }
        } catch (Throwable t) {
            LOG.log(Level.ERROR, "The engine's worker ended; no further request is taken.", t);
            failEverything(
                    t instanceof EngineException known
                            ? known
                            : new EngineException("The engine's worker ended unexpectedly; restart the engine.", t));
        } finally {
            endEverything();
            look();
            try {
                backend.close();
            } finally {
                afterEnd.run();
                tell(EngineState.CLOSED);
            }
        }
    }

    /** Waits for something to do and admits what is queued. Returns false when the worker is to end. */
    private boolean awaitWork() throws InterruptedException {
        List<Sequence> ended = new ArrayList<>();
        List<Sequence> admitted = new ArrayList<>();
        BackendLostException lostIdle = null;
        lock.lock();
        try {
            while (true) {
                if (closing) {
                    return false;
                }
                if (unrecoverable != null) {
                    throw unrecoverable;
                }
                long now = System.nanoTime();
                ended.addAll(queue.removeEnded(now));
                active.forEach(this::account);
                if (loss != null && !recovering && active.isEmpty()) {
                    lostIdle = loss;
                    break;
                }
                while (!recovering && activeCount < slots && !queue.isEmpty()) {
                    admitted.add(admission.take(now));
                    activeCount++;
                }
                if (!active.isEmpty() || !admitted.isEmpty() || !ended.isEmpty()) {
                    break;
                }
                idle.signalAll();
                wake.awaitNanos(queue.isEmpty() ? Long.MAX_VALUE : DEADLINE_CHECK_NANOS);
            }
        } finally {
            lock.unlock();
        }
        for (Sequence sequence : ended) {
            tellEnd(sequence, stopReason(sequence));
        }
        if (lostIdle != null) {
            lose(lostIdle);
        }
        for (int i = 0; i < admitted.size(); i++) {
            try {
                admit(admitted.get(i));
            } catch (BackendLostException e) {
                active.addAll(admitted.subList(i + 1, admitted.size()));
                lose(e);
                break;
            }
        }
        return true;
    }

    /** Adds what was written of an answer to what its tenant was served. The caller holds the lock. */
    private void account(Sequence sequence) {
        queue.serve(sequence.caller(), sequence.unaccounted());
    }

    private static FinishReason stopReason(Sequence sequence) {
        FinishReason reason = sequence.stopReason(System.nanoTime());
        return reason != null ? reason : FinishReason.CANCELLED;
    }

    private void admit(Sequence sequence) {
        active.add(sequence);
        try {
            int shared = cache.occupy(sequence);
            if (!sequence.restarted()) {
                totals.started(sequence.promptLength(), shared);
            }
            sequence.listener().started(shared);
        } catch (BackendLostException e) {
            throw e;
        } catch (RuntimeException e) {
            fail(sequence, e);
        }
    }

    private void step() {
        long now = System.nanoTime();
        for (Sequence sequence : List.copyOf(active)) {
            FinishReason reason = sequence.stopReason(now);
            if (reason != null) {
                finish(sequence, reason);
            }
        }
        if (active.isEmpty()) {
            return;
        }
        plan.fill(active);
        long sampledBefore = totals.completionTokens.get();
        int prefillTokens = plan.prefillTokens();
        stepListener.stepping();
        long start = System.nanoTime();
        Logits result;
        try {
            result = backend.forward(plan.batch());
        } catch (CancellationException e) {
            // Interrupted for a sequence that was cancelled, or at the end: the next round sees which
            return;
        } catch (BackendLostException e) {
            lose(e);
            return;
        } catch (RuntimeException e) {
            EngineException error = e instanceof EngineException known
                    ? known
                    : new EngineException(
                            "The backend failed in a step of " + plan.batch().size() + " tokens.", e);
            for (Sequence sequence : List.copyOf(active)) {
                fail(sequence, error);
            }
            return;
        }
        plan.done(System.nanoTime() - start);

        int row = 0;
        List<Sequence> stepped = plan.sequences();
        for (int i = 0; i < stepped.size(); i++) {
            Sequence sequence = stepped.get(i);
            if (plan.chunk(i) == 0) {
                continue;
            }
            sequence.fed(plan.chunk(i));
            cache.update(sequence);
            if (sequence.pending() == 0) {
                int sequenceRow = row++;
                try {
                    sampleNext(sequence, result, sequenceRow);
                } catch (RuntimeException e) {
                    fail(sequence, e);
                }
            }
        }
        tellStep(System.nanoTime() - start, prefillTokens, (int) (totals.completionTokens.get() - sampledBefore));
    }

    private void tellStep(long nanos, int prefillTokens, int sampledTokens) {
        int tokens = plan.batch().size();
        progress.stepped(nanos);
        look();
        EngineListener.Step step;
        lock.lock();
        try {
            throughput.stepped(tokens, nanos);
            step = new EngineListener.Step(
                    Duration.ofNanos(nanos),
                    prefillTokens,
                    tokens - prefillTokens,
                    sampledTokens,
                    plan.working(),
                    activeCount,
                    queue.size(),
                    backlog());
        } finally {
            lock.unlock();
        }
        stepListener.stepped(step);
    }

    private void sampleNext(Sequence sequence, Logits result, int row) {
        result.copyRow(row, logits);
        float[] untouched = sequence.logProbabilities() >= 0 ? logits.clone() : logits;
        int token = sequence.sample(logits, vocabSize);
        totals.completionTokens.incrementAndGet();
        if (endOfGeneration.test(token)) {
            finish(sequence, FinishReason.STOP);
            return;
        }
        List<Sampler.Scored> scores = sequence.logProbabilities() >= 0
                ? Sampler.logProbabilities(untouched, vocabSize, token, sequence.logProbabilities())
                : List.of();
        sequence.append(token);
        if (!sequence.listener().token(token, scores) || sequence.complete()) {
            finish(sequence, FinishReason.STOP);
        } else if (sequence.full()) {
            finish(sequence, FinishReason.LENGTH);
        }
    }

    private void finish(Sequence sequence, FinishReason reason) {
        release(sequence, true);
        tellEnd(sequence, reason);
    }

    private void tellEnd(Sequence sequence, FinishReason reason) {
        totals.ended(reason);
        try {
            sequence.listener().finished(reason);
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "A request's listener threw at its end.", e);
        }
    }

    private void fail(Sequence sequence, RuntimeException error) {
        release(sequence, false);
        tellFailure(sequence, error);
    }

    private void tellFailure(Sequence sequence, RuntimeException error) {
        totals.failed.incrementAndGet();
        try {
            sequence.listener().failed(error);
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "A request's listener threw at its end.", e);
        }
    }

    /**
     * The backend has died and the cache with it: sequences that have not answered anything go back to the head of the
     * queue, the others fail, and the backend is brought back on a thread of its own, so that what waits can still be
     * cancelled.
     */
    private void lose(BackendLostException error) {
        LOG.log(
                Level.WARNING,
                "The backend was lost with {0} running requests: {1}",
                active.size(),
                error.getMessage());
        List<Sequence> again = new ArrayList<>();
        List<Sequence> ended = new ArrayList<>();
        for (Sequence sequence : active) {
            (cache.restart(sequence) ? again : ended).add(sequence);
        }
        active.removeAll(again);
        lock.lock();
        try {
            activeCount -= again.size();
            queue.putBack(again);
            recovering = true;
            loss = null;
        } finally {
            lock.unlock();
        }
        ended.forEach(sequence -> fail(sequence, error));
        cache.forget();
        tell(EngineState.RECOVERING);
        Thread.ofPlatform().name("bloomery-recovery").daemon().start(this::recover);
    }

    private void recover() {
        EngineException failure = null;
        try {
            backend.recover();
        } catch (Throwable t) {
            // Errors too: nobody else would end what waits
            failure = new EngineException(
                    "The backend was lost and could not be brought back; restart the engine. " + t.getMessage(), t);
        }
        boolean ready;
        lock.lock();
        try {
            recovering = false;
            progress.touch();
            unrecoverable = failure;
            ready = failure == null && !refusing;
            wake.signal();
        } finally {
            lock.unlock();
        }
        if (ready) {
            tell(EngineState.READY);
        }
    }

    /** Frees the slot; what it holds stays for later prompts unless it cannot be trusted. */
    private void release(Sequence sequence, boolean keep) {
        if (!active.remove(sequence)) {
            return;
        }
        cache.release(sequence, keep);
        lock.lock();
        try {
            activeCount--;
            account(sequence);
            if (keep) {
                throughput.answered(sequence.generated());
            }
        } finally {
            lock.unlock();
        }
    }

    private void failEverything(EngineException error) {
        for (Sequence sequence : List.copyOf(active)) {
            fail(sequence, error);
        }
        for (Sequence sequence : takeQueue()) {
            tellFailure(sequence, error);
        }
    }

    private void endEverything() {
        for (Sequence sequence : List.copyOf(active)) {
            finish(sequence, FinishReason.SHUTDOWN);
        }
        for (Sequence sequence : takeQueue()) {
            tellEnd(sequence, FinishReason.SHUTDOWN);
        }
    }

    private List<Sequence> takeQueue() {
        lock.lock();
        try {
            refusing = true;
            List<Sequence> waiting = queue.removeAll();
            idle.signalAll();
            return waiting;
        } finally {
            lock.unlock();
        }
    }
}
