package org.bloomery.spring.resilience;

import io.github.resilience4j.timelimiter.TimeLimiter;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.bloomery.engine.Completion;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.DeferredSink;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.InterceptorOrder;
import org.bloomery.spring.security.RequestTrail;
import org.springframework.core.Ordered;

/**
 * Ends an answer that takes too long, from submission to its end, with an {@link EngineOverloadedException} that is caused
 * by a {@link TimeoutException}, and cancels its generation.
 */
public final class TimeLimiterInterceptor implements GenerationInterceptor, Ordered {

    private final TimeLimiter limiter;

    public TimeLimiterInterceptor(TimeLimiter limiter) {
        this.limiter = limiter;
    }

    @Override
    public int getOrder() {
        return InterceptorOrder.RESILIENCE + 200;
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationSink sink, Answering next) {
        Duration limit = limiter.getTimeLimiterConfig().getTimeoutDuration();
        LimitedAnswer answer = new LimitedAnswer(sink, limit);
        long start = System.nanoTime();
        Generation behind = next.submit(request, answer);
        return answer.over(behind, limit.toNanos() - (System.nanoTime() - start));
    }

    /** One answer: whoever comes first, its end or its limit, is told, and nothing after. */
    private final class LimitedAnswer extends DeferredSink {

        private final RequestTrail trail = RequestTrail.current();
        private final Duration limit;
        private final CountDownLatch end = new CountDownLatch(1);
        private boolean ended;

        LimitedAnswer(GenerationSink sink, Duration limit) {
            super(sink);
            this.limit = limit;
        }

        Generation over(Generation behind, long nanosLeft) {
            over(behind);
            Thread.ofVirtual().name("bloomery-time-limit").start(() -> {
                if (!endsWithin(nanosLeft)) {
                    overdue();
                }
            });
            return generation();
        }

        private boolean endsWithin(long nanos) {
            try {
                return end.await(nanos, TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                return true; // Nobody interrupts it
            }
        }

        private void overdue() {
            EngineOverloadedException error = new EngineOverloadedException(
                    "Time limiter '" + limiter.getName() + "' ended an answer after " + limit
                            + "; ask for fewer tokens, raise its timeout or try again later.",
                    new TimeoutException());
            synchronized (this) {
                if (ended) {
                    return;
                }
                ended = true;
                trail.note(new GuardVerdict("time-limiter", "output", "BLOCK", "timeout"));
                try {
                    limiter.onError(error);
                } finally {
                    fail(error);
                }
            }
            generation().cancel();
        }

        @Override
        public synchronized void onStarted() {
            if (!ended) {
                sink.onStarted();
            }
        }

        @Override
        public synchronized void onFirstToken() {
            if (!ended) {
                sink.onFirstToken();
            }
        }

        @Override
        public synchronized boolean onText(String delta) {
            return !ended && sink.onText(delta);
        }

        @Override
        public synchronized boolean onReasoning(String delta) {
            return !ended && sink.onReasoning(delta);
        }

        @Override
        public synchronized void onComplete(Completion completion) {
            end.countDown();
            if (!ended) {
                ended = true;
                try {
                    limiter.onSuccess();
                } finally {
                    complete(completion); // Also where somebody who listens to the limiter throws
                }
            }
        }

        @Override
        public synchronized void onError(RuntimeException error) {
            end.countDown();
            if (!ended) {
                ended = true;
                try {
                    limiter.onError(error);
                } finally {
                    fail(error);
                }
            }
        }
    }
}
