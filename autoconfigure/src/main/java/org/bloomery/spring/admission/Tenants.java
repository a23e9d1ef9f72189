package org.bloomery.spring.admission;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * The tenants that have limits and what they use. Safe for use by many threads. At most 10,000 are remembered beside those
 * with requests under way; beyond that the one that has been away longest starts anew.
 */
final class Tenants {

    private static final int MOST = 10_000;

    private final TenantLimits usual;
    private final Map<String, TenantLimits> own;
    private final LongSupplier clock;

    /** The one that was used last is last. */
    private final LinkedHashMap<String, TenantUsage> used = new LinkedHashMap<>(16, 0.75f, true);

    /**
     * @param usual limits of a tenant without its own
     * @param clock nanoseconds, as {@link System#nanoTime}
     */
    Tenants(TenantLimits usual, Map<String, TenantLimits> own, LongSupplier clock) {
        this.usual = usual;
        this.own = Map.copyOf(own);
        this.clock = clock;
    }

    TenantLimits limits(String tenant) {
        return own.getOrDefault(tenant, usual);
    }

    /** Lets a request of the tenant in. */
    synchronized void enter(String tenant) {
        usage(tenant).enter();
    }

    /** Takes tokens for a request that was let in. */
    synchronized long take(String tenant, long wanted) {
        return usage(tenant).take(wanted, clock.getAsLong());
    }

    /** A request has ended that took these tokens and needed that many. */
    synchronized void leave(String tenant, long taken, long needed) {
        TenantUsage usage = usage(tenant);
        usage.settle(taken, needed, clock.getAsLong());
        usage.leave();
    }

    private TenantUsage usage(String tenant) {
        TenantUsage usage = used.get(tenant);
        if (usage == null) {
            if (used.size() >= MOST) {
                forget();
            }
            usage = new TenantUsage(limits(tenant), clock.getAsLong());
            used.put(tenant, usage);
        }
        return usage;
    }

    /** Forgets those that are as if new, or else the one that has been away longest. */
    private void forget() {
        long now = clock.getAsLong();
        if (used.values().removeIf(usage -> usage.unused(now))) {
            return;
        }
        for (Iterator<TenantUsage> i = used.values().iterator(); i.hasNext(); ) {
            if (i.next().idle()) {
                i.remove();
                return;
            }
        }
    }

    synchronized int size() {
        return used.size();
    }
}
