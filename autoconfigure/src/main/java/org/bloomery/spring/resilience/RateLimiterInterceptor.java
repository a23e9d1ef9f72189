package org.bloomery.spring.resilience;

import io.github.resilience4j.ratelimiter.RateLimiter;
import java.util.concurrent.CancellationException;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.InterceptorOrder;
import org.bloomery.spring.security.RequestTrail;
import org.springframework.core.Ordered;

/** Lets only so many requests into the engine in a period of time. */
public final class RateLimiterInterceptor implements GenerationInterceptor, Ordered {

    private final RateLimiter limiter;

    public RateLimiterInterceptor(RateLimiter limiter) {
        this.limiter = limiter;
    }

    @Override
    public int getOrder() {
        return InterceptorOrder.RESILIENCE + 100;
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationSink sink, Answering next) {
        if (!limiter.acquirePermission()) {
            if (Thread.currentThread().isInterrupted()) {
                throw new CancellationException(
                        "The wait for rate limiter '" + limiter.getName() + "' was interrupted, so nothing was asked.");
            }
            RequestTrail.current().note(new GuardVerdict("rate-limiter", "prompt", "BLOCK", "limit-reached"));
            throw new EngineOverloadedException("Rate limiter '" + limiter.getName() + "' lets "
                    + limiter.getRateLimiterConfig().getLimitForPeriod() + " requests into the engine every "
                    + limiter.getRateLimiterConfig().getLimitRefreshPeriod()
                    + ", and these were had; try again later.");
        }
        return next.submit(request, sink);
    }
}
