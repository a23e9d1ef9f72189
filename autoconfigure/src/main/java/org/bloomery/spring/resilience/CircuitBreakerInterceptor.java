package org.bloomery.spring.resilience;

import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeoutException;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.Completion;
import org.bloomery.engine.EngineClosedException;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.EngineUnavailableException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.InterceptorOrder;
import org.bloomery.spring.security.RequestTrail;
import org.springframework.core.Ordered;

/**
 * Keeps requests from an engine that fails. A failure is what the engine could not do: an answer that broke off, a backend
 * or an engine that is gone, an answer that the time limiter ended. A request that was refused or cancelled says nothing
 * of the engine, and is not counted.
 */
public final class CircuitBreakerInterceptor implements GenerationInterceptor, Ordered {

    private final CircuitBreaker breaker;

    public CircuitBreakerInterceptor(CircuitBreaker breaker) {
        this.breaker = breaker;
    }

    @Override
    public int getOrder() {
        return InterceptorOrder.RESILIENCE;
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationSink sink, Answering next) {
        try {
            breaker.acquirePermission();
        } catch (CallNotPermittedException e) {
            RequestTrail.current().note(new GuardVerdict("circuit-breaker", "prompt", "BLOCK", "open"));
            throw new EngineOverloadedException(
                    "Circuit breaker '" + breaker.getName() + "' is " + breaker.getState()
                            + ", since the engine failed before; try again later.",
                    e);
        }
        long start = breaker.getCurrentTimestamp();
        WatchedSink watched =
                new WatchedSink(sink, completion -> answered(start, completion), error -> failed(start, error));
        try {
            return next.submit(request, watched);
        } catch (RuntimeException | Error e) {
            if (watched.ends()) {
                refused(start, e);
            }
            throw e;
        }
    }

    private void refused(long start, Throwable e) {
        if (e instanceof EngineClosedException
                || e instanceof EngineUnavailableException
                || e instanceof BackendLostException
                || !(e instanceof EngineException || e instanceof CancellationException)) {
            breaker.onError(spent(start), breaker.getTimestampUnit(), e);
        } else {
            breaker.releasePermission();
        }
    }

    private void answered(long start, Completion completion) {
        if (completion.finishReason() == FinishReason.CANCELLED || completion.finishReason() == FinishReason.SHUTDOWN) {
            breaker.releasePermission();
        } else {
            breaker.onResult(spent(start), breaker.getTimestampUnit(), completion);
        }
    }

    private void failed(long start, RuntimeException error) {
        if (error instanceof EngineOverloadedException && !(error.getCause() instanceof TimeoutException)) {
            breaker.releasePermission();
        } else {
            breaker.onError(spent(start), breaker.getTimestampUnit(), error);
        }
    }

    private long spent(long start) {
        return breaker.getCurrentTimestamp() - start;
    }
}
