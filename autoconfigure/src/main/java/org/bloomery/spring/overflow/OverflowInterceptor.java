package org.bloomery.spring.overflow;

import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.InterceptorOrder;
import org.bloomery.spring.security.PrincipalResolver;
import org.bloomery.spring.security.TenantResolver;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.core.Ordered;

/**
 * Has another chat model answer where the engine refuses a request, is down, or has too small a context, and where a policy
 * lets the request leave the process. It does so once, and never after a piece of the answer has been handed out. Where the
 * other model does not answer either, the caller gets the engine's own failure, with the other's suppressed in it.
 */
public final class OverflowInterceptor implements GenerationInterceptor, Ordered {

    /**
     * The model that answers instead.
     *
     * @param name the name to give it where it has none
     * @param model the model
     */
    public record Target(String name, ChatModel model) {}

    private final Target target;
    private final Set<OverflowReason> reasons;
    private final OverflowPolicy policy;
    private final PrincipalResolver principals;
    private final TenantResolver tenants;
    private final List<OverflowListener> listeners;
    private final AtomicLong ids = new AtomicLong();

    /** @param reasons the reasons for which a request overflows at all */
    public OverflowInterceptor(
            Target target,
            Set<OverflowReason> reasons,
            OverflowPolicy policy,
            PrincipalResolver principals,
            TenantResolver tenants,
            List<OverflowListener> listeners) {
        this.target = target;
        this.reasons = Set.copyOf(reasons);
        this.policy = policy;
        this.principals = principals;
        this.tenants = tenants;
        this.listeners = List.copyOf(listeners);
    }

    @Override
    public int getOrder() {
        return InterceptorOrder.OVERFLOW;
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationSink sink, Answering next) {
        OverflowAnswer answer = new OverflowAnswer(
                this, request, sink, new OverflowPolicy.Caller(principals.principal(), tenants.tenant()));
        Generation local;
        try {
            local = next.submit(request, answer);
        } catch (RuntimeException e) {
            OverflowReason reason = reason(e);
            if (reason == null) {
                throw e;
            }
            return answer.instead("overflow-" + ids.incrementAndGet(), reason, e);
        }
        return answer.taken(local);
    }

    /** Why a request overflows that ended so, or null where it does not. */
    @Nullable
    OverflowReason reason(RuntimeException error) {
        OverflowReason reason = OverflowReason.of(error);
        return reason != null && reasons.contains(reason) ? reason : null;
    }

    Target target() {
        return target;
    }

    OverflowPolicy policy() {
        return policy;
    }

    void tell(OverflowReason reason, OverflowListener.Outcome outcome) {
        listeners.forEach(listener -> listener.overflowed(reason, outcome));
    }
}
