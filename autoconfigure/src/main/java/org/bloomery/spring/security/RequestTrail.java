package org.bloomery.spring.security;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;

/**
 * What the interceptors further in note about one request, for the one that keeps records of requests. It is bound to the
 * caller's thread while a request is submitted; who notes something later takes it along.
 */
public final class RequestTrail {

    private static final ScopedValue<RequestTrail> CURRENT = ScopedValue.newInstance();
    private static final int MOST = 64;

    private final Set<GuardVerdict> verdicts = new LinkedHashSet<>();

    /** The trail of the request being submitted on this thread, or one that nobody reads. */
    public static RequestTrail current() {
        return CURRENT.isBound() ? CURRENT.get() : new RequestTrail();
    }

    /** Submits a request with this trail. */
    public <T> T during(Supplier<T> submission) {
        return ScopedValue.where(CURRENT, this).call(submission::get);
    }

    /** Notes a verdict; the same one counts once, and the first 64 are kept. */
    public synchronized void note(GuardVerdict verdict) {
        if (verdicts.size() < MOST) {
            verdicts.add(verdict);
        }
    }

    /** What was noted so far, in its order. */
    public synchronized List<GuardVerdict> verdicts() {
        return List.copyOf(verdicts);
    }
}
