package org.bloomery.javaengine.tensor;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The compute threads of one backend: splits a range of indexes among daemon platform threads, the caller being one of
 * them. A round costs a few microseconds and no allocation, since a forward pass has hundreds. Belongs to one caller at
 * a time: a second one, or a task that starts a round itself, is refused.
 */
public final class WorkerPool implements AutoCloseable {

    /** Work on the indexes {@code from} to {@code to} (exclusive) by the thread with this number, the caller being 0. */
    @FunctionalInterface
    public interface RangeTask {
        void run(int from, int to, int worker);
    }

    /**
     * How long a thread looks for the next round before it parks. The layers between two products take some ten
     * microseconds, and waking a parked thread takes as long.
     */
    private static final long SPIN_NANOS = 100_000;

    private static final long ROUND = 1L << 32;

    /** Integers of a cache line. */
    private static final int LINE = 16;

    private static final RangeTask NOTHING = (from, to, worker) -> {};

    private final Worker[] workers;
    private final AtomicBoolean busy = new AtomicBoolean();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    /** The next index of each thread's own part of the range, a cache line each. */
    private final AtomicIntegerArray next;

    /**
     * The round's number above bit 32, odd while it is open; below, how many workers are inside. A worker that wakes
     * too late finds the round closed and stays out, so a round never waits for a thread that has no processor.
     */
    private final AtomicLong gate = new AtomicLong();

    private RangeTask task = NOTHING;
    private int count;
    private int grain;
    private volatile @Nullable Thread waiting;
    private volatile boolean closed;

    /**
     * Starts {@code threads - 1} threads, named {@code bloomery-compute-1} and so on.
     *
     * @param threads at least 1, the caller included
     */
    public WorkerPool(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("A pool needs at least 1 thread; found " + threads);
        }
        workers = new Worker[threads - 1];
        next = new AtomicIntegerArray(threads * LINE);
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
        }
        for (Worker worker : workers) {
            worker.thread.start();
        }
    }

    /** Threads that compute, the caller included. */
    public int threads() {
        return workers.length + 1;
    }

    /**
     * Runs {@code task} over 0 to {@code count} in pieces of at most {@code grain} indexes, each index exactly once, and
     * returns when all is done. A range of one piece runs on the caller alone.
     *
     * @throws IllegalStateException if a round is running already, or the pool is closed
     */
    public void forRange(int count, int grain, RangeTask task) {
        if (grain < 1) {
            throw new IllegalArgumentException("A piece needs at least 1 index; found " + grain);
        }
        if (!busy.compareAndSet(false, true)) {
            throw new IllegalStateException(
                    "The compute threads are in a round already: a task must not start another");
        }
        try {
            if (closed) {
                throw new IllegalStateException("The compute threads are closed");
            }
            if (count <= grain || workers.length == 0) {
                for (int from = 0; from < count; from = Math.addExact(from, Math.min(grain, count - from))) {
                    task.run(from, from + Math.min(grain, count - from), 0);
                }
                return;
            }
            runRound(count, grain, task);
        } finally {
            busy.set(false);
        }
    }

    private void runRound(int count, int grain, RangeTask task) {
        this.task = task;
        this.count = count;
        this.grain = grain;
        for (int part = 0; part < threads(); part++) {
            next.set(part * LINE, begin(part));
        }
        gate.addAndGet(ROUND);
        for (Worker worker : workers) {
            if (worker.parked) {
                LockSupport.unpark(worker.thread);
            }
        }
        takePieces(0);
        gate.addAndGet(ROUND);
        awaitWorkers();
        this.task = NOTHING;
        Throwable first = failure.getAndSet(null);
        if (first instanceof Error error) {
            throw error;
        } else if (first != null) {
            // A task declares no checked exception, so whatever it throws is unchecked.
            throw (RuntimeException) first;
        }
    }

    /** The first index of a thread's part. */
    private int begin(int part) {
        return (int) ((long) count * part / threads());
    }

    /**
     * Each thread goes along its own part, so that what it fetched ahead of a piece is what it takes next, and then helps
     * with the others'.
     */
    private void takePieces(int worker) {
        RangeTask task = this.task;
        int grain = this.grain;
        try {
            for (int i = 0; i < threads(); i++) {
                int part = (worker + i) % threads();
                takePieces(task, part * LINE, begin(part + 1), grain, worker);
            }
        } catch (Throwable problem) {
            failure.compareAndSet(null, problem);
            for (int part = 0; part < threads(); part++) {
                next.set(part * LINE, begin(part + 1));
            }
        }
    }

    private void takePieces(RangeTask task, int part, int end, int grain, int worker) {
        while (true) {
            int from = next.get(part);
            if (from >= end) {
                return;
            }
            int to = from + Math.min(grain, end - from);
            if (next.compareAndSet(part, from, to)) {
                task.run(from, to, worker);
            }
        }
    }

    private void awaitWorkers() {
        long deadline = System.nanoTime() + SPIN_NANOS;
        while ((int) gate.get() != 0 && System.nanoTime() - deadline < 0) {
            Thread.onSpinWait();
        }
        if ((int) gate.get() != 0) {
            waiting = Thread.currentThread();
            while ((int) gate.get() != 0) {
                LockSupport.park(this);
            }
            waiting = null;
        }
    }

    /** Ends the threads and waits for them. Not to be called during a round. */
    @Override
    public void close() {
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker.thread);
        }
        boolean interrupted = false;
        for (Worker worker : workers) {
            while (worker.thread.isAlive()) {
                try {
                    worker.thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Worker implements Runnable {

        private final int number;
        private final Thread thread;
        private volatile boolean parked;

        Worker(int number) {
            this.number = number;
            this.thread = Thread.ofPlatform()
                    .name("bloomery-compute-" + number)
                    .daemon()
                    .unstarted(this);
        }

        @Override
        public void run() {
            long done = 0;
            while (!closed) {
                long state = awaitRound(done);
                if (isOpen(state, done) && gate.compareAndSet(state, state + 1)) {
                    done = state >>> 32;
                    takePieces(number);
                    leave();
                }
            }
        }

        private long awaitRound(long done) {
            long deadline = System.nanoTime() + SPIN_NANOS;
            long state = gate.get();
            while (!isOpen(state, done) && System.nanoTime() - deadline < 0) {
                Thread.onSpinWait();
                state = gate.get();
            }
            if (!isOpen(state, done)) {
                parked = true;
                state = gate.get();
                while (!isOpen(state, done) && !closed) {
                    LockSupport.park(WorkerPool.this);
                    state = gate.get();
                }
                parked = false;
            }
            return state;
        }

        private static boolean isOpen(long state, long done) {
            long round = state >>> 32;
            return (round & 1) == 1 && round != done;
        }

        private void leave() {
            long state = gate.decrementAndGet();
            Thread caller = waiting;
            if ((int) state == 0 && caller != null) {
                LockSupport.unpark(caller);
            }
        }
    }
}
