package org.bloomery.engine.worker;

import java.lang.System.Logger.Level;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendInfo;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.backend.Logits;

/** A backend that lives in a worker process; a lost process is replaced by {@link #recover}. */
final class WorkerBackend implements Backend {

    private static final System.Logger LOG = System.getLogger(WorkerBackend.class.getName());

    private static final int RECOVERY_TRIES = 3;
    private static final long CLOSE_SECONDS = 10;

    private final Messages.Order order;
    private final ReentrantLock calls = new ReentrantLock();
    private volatile Consumer<BackendLostException> lossListener = loss -> {};
    private volatile WorkerProcess process;
    private volatile boolean closed;

    WorkerBackend(Messages.Order order, LoadProgress progress) {
        this.order = order;
        this.process = WorkerProcess.start(loss -> lossListener.accept(loss));
        process.open(order, progress);
    }

    @Override
    public BackendInfo info() {
        return process.info();
    }

    @Override
    public Logits forward(Batch batch) {
        return call(() -> process.forward(batch));
    }

    @Override
    public void truncate(int sequence, int from) {
        call(() -> process.truncate(sequence, from));
    }

    @Override
    public void copyPrefix(int source, int target, int length) {
        call(() -> process.copyPrefix(source, target, length));
    }

    private <T> T call(Supplier<T> call) {
        calls.lock();
        try {
            refuseIfClosed();
            return call.get();
        } finally {
            calls.unlock();
        }
    }

    private void refuseIfClosed() {
        if (closed) {
            throw new IllegalStateException("The backend is closed.");
        }
    }

    @Override
    public void interrupt() {
        process.interrupt();
    }

    @Override
    public void abandon() {
        process.kill();
    }

    @Override
    public void onLoss(Consumer<BackendLostException> listener) {
        lossListener = listener;
    }

    @Override
    public void recover() {
        calls.lock();
        try {
            for (int attempt = 1; ; attempt++) {
                refuseIfClosed();
                WorkerProcess next = WorkerProcess.start(loss -> lossListener.accept(loss));
                process = next;
                try {
                    if (closed) {
                        // close() may have seen the lost one
                        next.kill();
                    }
                    next.open(order, LoadProgress.NONE);
                    LOG.log(Level.INFO, "The worker was started again: {0}.", next);
                    return;
                } catch (EngineException e) {
                    LOG.log(
                            Level.WARNING,
                            "Attempt {0} of {1} to start the worker failed: {2}",
                            attempt,
                            RECOVERY_TRIES,
                            e.getMessage());
                    if (attempt == RECOVERY_TRIES) {
                        throw e;
                    }
                }
            }
        } finally {
            calls.unlock();
        }
    }

    @Override
    public void close() {
        closed = true;
        process.leaveOff();
        if (!lockedInTime()) {
            process.kill();
            calls.lock();
        }
        try {
            process.close();
        } finally {
            calls.unlock();
        }
    }

    private boolean lockedInTime() {
        try {
            return calls.tryLock(CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
