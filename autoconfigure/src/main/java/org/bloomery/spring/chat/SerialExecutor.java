package org.bloomery.spring.chat;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Runs tasks one after the other, in their order, on a virtual thread that is there while there are tasks. An interceptor
 * uses one for each answer whose pieces it does more with than an engine's worker may wait for.
 */
public final class SerialExecutor implements Executor {

    private static final ThreadFactory THREADS =
            Thread.ofVirtual().name("bloomery-answer").factory();

    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();

    /** Never blocks. A task must not throw. */
    @Override
    public void execute(Runnable task) {
        tasks.add(task);
        if (waiting.getAndIncrement() == 0) {
            THREADS.newThread(this::run).start();
        }
    }

    private void run() {
        do {
            Runnable task = tasks.poll();
            if (task != null) {
                try {
                    task.run();
                } catch (RuntimeException | Error e) {
                    Thread current = Thread.currentThread();
                    current.getUncaughtExceptionHandler().uncaughtException(current, e);
                }
            }
        } while (waiting.decrementAndGet() > 0);
    }
}
