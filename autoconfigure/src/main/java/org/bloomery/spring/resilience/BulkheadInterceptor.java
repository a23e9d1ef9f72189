package org.bloomery.spring.resilience;

import io.github.resilience4j.bulkhead.Bulkhead;
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

/** Lets only so many requests be in the engine at once. A permit is held until the engine is done with the request. */
public final class BulkheadInterceptor implements GenerationInterceptor, Ordered {

    private final Bulkhead bulkhead;

    public BulkheadInterceptor(Bulkhead bulkhead) {
        this.bulkhead = bulkhead;
    }

    @Override
    public int getOrder() {
        return InterceptorOrder.RESILIENCE + 300;
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationSink sink, Answering next) {
        if (!bulkhead.tryAcquirePermission()) {
            if (Thread.currentThread().isInterrupted()) {
                throw new CancellationException(
                        "The wait for bulkhead '" + bulkhead.getName() + "' was interrupted, so nothing was asked.");
            }
            RequestTrail.current().note(new GuardVerdict("bulkhead", "prompt", "BLOCK", "full"));
            throw new EngineOverloadedException("Bulkhead '" + bulkhead.getName() + "' lets "
                    + bulkhead.getBulkheadConfig().getMaxConcurrentCalls()
                    + " requests into the engine at once, and all are under way; try again later.");
        }
        WatchedSink watched =
                new WatchedSink(sink, completion -> bulkhead.onComplete(), error -> bulkhead.onComplete());
        try {
            return next.submit(request, watched);
        } catch (RuntimeException | Error e) {
            if (watched.ends()) {
                bulkhead.onComplete();
            }
            throw e;
        }
    }
}
