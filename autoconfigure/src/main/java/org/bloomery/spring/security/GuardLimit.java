package org.bloomery.spring.security;

import io.micrometer.context.ContextSnapshot;
import io.micrometer.context.ContextSnapshotFactory;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.bloomery.engine.Caller;
import org.bloomery.spring.chat.CallerScope;
import org.jspecify.annotations.Nullable;

/**
 * How long an application's guards may take. Each question is put to a guard on another thread, which has the context of the
 * one that asks; a guard that is late is interrupted and no longer waited for.
 *
 * <p>The threads are the operating system's: a guard that computes and never ends (a regular expression, say) would keep a
 * carrier of virtual threads for itself. As many at once are there as {@value #MOST}, those of guards that do not end among
 * them; whoever finds none free in time is late too.
 */
final class GuardLimit {

    /** The reason where a guard was late. */
    static final String LATE = "guard-timeout";

    static final Duration DEFAULT = Duration.ofSeconds(5);

    private static final int MOST = 256;
    private static final long IDLE_SECONDS = 10;

    private static final Log log = LogFactory.getLog(GuardLimit.class);
    private static final ContextSnapshotFactory CONTEXTS =
            ContextSnapshotFactory.builder().build();

    private final Duration limit;
    private final Semaphore free;
    /** Its threads are daemons that end when nothing is asked, so nobody has to close it. */
    private final ExecutorService threads = new ThreadPoolExecutor(
            0,
            Integer.MAX_VALUE,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            Thread.ofPlatform().daemon().name("bloomery-guard-", 0).factory());

    GuardLimit(Duration limit) {
        this(limit, MOST);
    }

    /** @param threads how many there may be at once */
    GuardLimit(Duration limit, int threads) {
        this.limit = limit;
        this.free = new Semaphore(threads);
    }

    Duration limit() {
        return limit;
    }

    /**
     * What a guard says.
     *
     * @param guard which is asked
     * @param name its name
     * @param question what is asked of it
     * @throws TimeoutException if it does not say it in time
     * @throws InterruptedException if this thread is interrupted meanwhile
     */
    <T> T ask(Object guard, String name, Supplier<T> question) throws TimeoutException, InterruptedException {
        if (guard instanceof Bounded) {
            return question.get();
        }
        long deadline = System.nanoTime() + limit.toNanos();
        FutureTask<T> answer = new FutureTask<>(inThisContext(question)::get);
        if (!free.tryAcquire(limit.toNanos(), TimeUnit.NANOSECONDS)) {
            throw late(name, "no thread was free to ask it, since other guards do not end");
        }
        start(answer);
        try {
            return answer.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw late(name, "it is interrupted, and keeps its thread for as long as it goes on nevertheless");
        } catch (ExecutionException e) {
            throw thrown(e);
        } finally {
            answer.cancel(true);
        }
    }

    /**
     * What a guard says of a text. One that throws, is late or says nothing blocks; what it throws may have text in it.
     *
     * @param observation what is observed of the guard
     * @throws CancellationException if this thread is interrupted
     */
    Verdict verdict(Object guard, String name, GuardObservation observation, Supplier<Verdict> question) {
        return observation.judging(() -> {
            @Nullable Verdict verdict;
            try {
                verdict = ask(guard, name, question);
            } catch (TimeoutException e) {
                observation.late();
                return Verdict.block(LATE);
            } catch (InterruptedException e) {
                throw interrupted(name);
            } catch (RuntimeException | Error e) {
                verdict = null;
            }
            return verdict == null ? Verdict.block(GuardedAnswer.FAILED) : verdict;
        });
    }

    private void start(Runnable answer) {
        try {
            threads.execute(() -> {
                try {
                    answer.run();
                } finally {
                    free.release();
                }
            });
        } catch (RuntimeException | Error e) {
            // No thread could be made
            free.release();
            throw e;
        }
    }

    /** What a wait that was interrupted ends with; the thread's interrupt flag is set again. */
    static CancellationException interrupted(String name) {
        Thread.currentThread().interrupt();
        return new CancellationException("The wait for the guard '" + name + "' was interrupted.");
    }

    private TimeoutException late(String name, String why) {
        log.warn("The guard '" + name + "' did not judge a text within " + limit.toMillis()
                + " ms, so the text was blocked: " + why + ".");
        return new TimeoutException();
    }

    private static <T> Supplier<T> inThisContext(Supplier<T> question) {
        ContextSnapshot context = CONTEXTS.captureAll();
        Caller caller = CallerScope.current();
        RequestTrail trail = RequestTrail.current();
        return () -> within(context, () -> CallerScope.during(caller, () -> trail.during(question)));
    }

    @SuppressWarnings("try") // The scope is only closed
    private static <T> T within(ContextSnapshot context, Supplier<T> question) {
        try (ContextSnapshot.Scope scope = context.setThreadLocals()) {
            return question.get();
        }
    }

    private static RuntimeException thrown(ExecutionException e) {
        if (e.getCause() instanceof Error error) {
            throw error;
        }
        return e.getCause() instanceof RuntimeException known ? known : new IllegalStateException(e);
    }
}
