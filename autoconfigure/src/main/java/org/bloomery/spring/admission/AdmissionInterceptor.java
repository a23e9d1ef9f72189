package org.bloomery.spring.admission;

import io.micrometer.observation.ObservationRegistry;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.ToIntFunction;
import org.bloomery.engine.Caller;
import org.bloomery.engine.Completion;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.CallerScope;
import org.bloomery.spring.chat.ForwardingSink;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.HookObservation;
import org.bloomery.spring.chat.InterceptorOrder;
import org.bloomery.spring.security.RequestTrail;
import org.bloomery.spring.security.TenantResolver;
import org.springframework.core.Ordered;

/**
 * Says on whose behalf each request comes, so that the engine shares its time and keeps its cache by tenant, and refuses
 * what is beyond a tenant's limits: with an {@link EngineOverloadedException} what may be asked again later, with an {@link
 * InvalidOptionException} a prompt that is too long for its tenant.
 */
public final class AdmissionInterceptor implements GenerationInterceptor, Ordered {

    private final TenantResolver resolver;
    private final Tenants tenants;
    private final ToIntFunction<GenerationRequest> promptTokens;
    private final int usualMaxTokens;
    private final ObservationRegistry observations;
    private final AtomicLong refusedBudget = new AtomicLong();
    private final AtomicLong refusedPrompts = new AtomicLong();

    /**
     * @param usual limits of a tenant without its own
     * @param own limits by tenant
     * @param promptTokens counts the tokens of a request's prompt; asked only where there is a limit on them
     * @param usualMaxTokens most tokens of an answer whose request names no number
     */
    public AdmissionInterceptor(
            TenantResolver resolver,
            TenantLimits usual,
            Map<String, TenantLimits> own,
            ToIntFunction<GenerationRequest> promptTokens,
            int usualMaxTokens,
            ObservationRegistry observations) {
        this(resolver, usual, own, promptTokens, usualMaxTokens, observations, System::nanoTime);
    }

    AdmissionInterceptor(
            TenantResolver resolver,
            TenantLimits usual,
            Map<String, TenantLimits> own,
            ToIntFunction<GenerationRequest> promptTokens,
            int usualMaxTokens,
            ObservationRegistry observations,
            LongSupplier clock) {
        this.resolver = resolver;
        this.tenants = new Tenants(usual, own, clock);
        this.promptTokens = promptTokens;
        this.usualMaxTokens = usualMaxTokens;
        this.observations = observations;
    }

    @Override
    public int getOrder() {
        return InterceptorOrder.ADMISSION;
    }

    /** Requests refused for their tenant's tokens or concurrent requests. */
    public long refusedForBudget() {
        return refusedBudget.get();
    }

    /** Requests refused for prompts that were too long for their tenant. */
    public long refusedForPrompt() {
        return refusedPrompts.get();
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationSink sink, Answering next) {
        String tenant = resolver.tenant();
        TenantLimits limits = tenants.limits(tenant);
        Caller caller = new Caller(tenant, limits.priority());
        if (!limits.counted() && !limits.needsPromptTokens()) {
            return CallerScope.during(caller, () -> next.submit(request, sink));
        }
        Admitted admitted = new Admitted(tenant, sink);
        try {
            HookObservation.admission(observations)
                    .around(observations.getCurrentObservation(), () -> admitted.enter(request, limits));
            return CallerScope.during(caller, () -> next.submit(request, admitted));
        } catch (RuntimeException | Error e) {
            admitted.leave(0);
            throw e;
        }
    }

    private static void refused(AtomicLong counter, String reason) {
        counter.incrementAndGet();
        RequestTrail.current().note(new GuardVerdict("admission", "prompt", "BLOCK", reason));
    }

    private void checkPrompt(int tokens, TenantLimits limits) {
        if (limits.maxPromptTokens() > 0 && tokens > limits.maxPromptTokens()) {
            refused(refusedPrompts, "prompt-tokens");
            throw new InvalidOptionException("The prompt has " + tokens + " tokens, but the tenant's may have "
                    + limits.maxPromptTokens() + "; shorten it, or raise max-prompt-tokens.");
        }
    }

    /** A request that its tenant had room for, until it ends. */
    private final class Admitted extends ForwardingSink {

        /** Whether the tenant's usage counts it. */
        private final AtomicBoolean counted = new AtomicBoolean();

        private final String tenant;
        private int prompt;
        private long taken;

        Admitted(String tenant, GenerationSink sink) {
            super(sink);
            this.tenant = tenant;
        }

        void enter(GenerationRequest request, TenantLimits limits) {
            try {
                if (limits.counted()) {
                    tenants.enter(tenant);
                    counted.set(true);
                }
                if (limits.needsPromptTokens()) {
                    prompt = promptTokens.applyAsInt(request);
                    checkPrompt(prompt, limits);
                }
                if (limits.tokensPerMinute() > 0) {
                    Integer maxTokens = request.options().maxTokens();
                    taken = tenants.take(tenant, (long) prompt + (maxTokens != null ? maxTokens : usualMaxTokens));
                }
            } catch (EngineOverloadedException e) {
                refused(refusedBudget, "tenant-budget");
                throw e;
            }
        }

        void leave(long needed) {
            if (counted.compareAndSet(true, false)) {
                tenants.leave(tenant, taken, needed);
            }
        }

        @Override
        public void onComplete(Completion completion) {
            // First, so that who waits for the answer may ask again at once
            leave(completion.usage().totalTokens());
            sink.onComplete(completion);
        }

        @Override
        public void onError(RuntimeException error) {
            leave(prompt);
            sink.onError(error);
        }
    }
}
