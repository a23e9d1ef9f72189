package org.bloomery.spring.health;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendInfo;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.Logits;
import org.jspecify.annotations.Nullable;

/** A backend that hangs in a step until the step is given up. */
public final class StallingBackend implements Backend {

    /** What becomes of the step that is given up. */
    public enum End {
        /** As in this process: the step ends, and the cache is as before. */
        CANCELLED,
        /** As in a worker process: it is killed, and the cache lost. */
        LOST
    }

    /** @param left steps before the one that hangs */
    private record Stall(int left, End end, CountDownLatch hangs, CountDownLatch abandoned) {

        Stall later() {
            return new Stall(left - 1, end, hangs, abandoned);
        }
    }

    private final Backend java;
    private volatile @Nullable Stall stall;

    StallingBackend(Backend java) {
        this.java = java;
    }

    /** Has the backend hang after so many more steps; the latch opens once it does. */
    public CountDownLatch stallAfter(int steps, End end) {
        CountDownLatch hangs = new CountDownLatch(1);
        stall = new Stall(steps, end, hangs, new CountDownLatch(1));
        return hangs;
    }

    /** Whether a stall is still to come. */
    public boolean isPending() {
        return stall != null;
    }

    @Override
    public Logits forward(Batch batch) {
        Stall now = stall;
        if (now == null) {
            return java.forward(batch);
        }
        if (now.left() > 0) {
            stall = now.later();
            return java.forward(batch);
        }
        now.hangs().countDown();
        try {
            if (!now.abandoned().await(1, TimeUnit.MINUTES)) {
                throw new IllegalStateException("Nobody gave the step up");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        stall = null;
        if (now.end() == End.LOST) {
            throw new BackendLostException("The test took the backend away.", null);
        }
        throw new CancellationException("given up");
    }

    @Override
    public void abandon() {
        Stall now = stall;
        if (now != null && now.hangs().getCount() == 0) {
            now.abandoned().countDown();
        } else {
            java.abandon();
        }
    }

    /** Does not help a step that hangs. */
    @Override
    public void interrupt() {
        java.interrupt();
    }

    @Override
    public void recover() {
        for (int sequence = 0; sequence < java.info().maxSequences(); sequence++) {
            java.truncate(sequence, 0);
        }
    }

    @Override
    public BackendInfo info() {
        return java.info();
    }

    @Override
    public void truncate(int sequence, int from) {
        java.truncate(sequence, from);
    }

    @Override
    public void copyPrefix(int source, int target, int length) {
        java.copyPrefix(source, target, length);
    }

    @Override
    public void close() {
        java.close();
    }
}
