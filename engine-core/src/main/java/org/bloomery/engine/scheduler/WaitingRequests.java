package org.bloomery.engine.scheduler;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.Caller;
import org.bloomery.engine.Caller.Priority;
import org.jspecify.annotations.Nullable;

/**
 * Sequences that wait for a slot, and whose turn it is: the highest priority first, among equals the tenant that has been
 * served fewest tokens, of a tenant the one that has waited longest. A sequence rises by one priority every ten seconds, so
 * none waits forever. Not safe for use by several threads.
 *
 * <p>Tokens are counted as a virtual token counter does (Sheng et al., Fairness in Serving Large Language Models, 2024):
 * the prompt's when it is taken, the answer's as they are written. A tenant that comes back starts level with those that
 * wait, so that nobody saves up turns, and whoever is level with them need not be remembered.
 */
final class WaitingRequests {

    private static final long RISE_NANOS = 10_000_000_000L;
    private static final int PRIORITIES = Priority.values().length;

    /** Tenants that have nothing to do here and are still remembered for what they were served. */
    private static final int MOST_IDLE = 1024;

    private final ArrayDeque<Sequence> again = new ArrayDeque<>();
    private final Map<String, Tenant> waiting = new LinkedHashMap<>();
    private final Map<String, Tenant> others = new LinkedHashMap<>();
    private int size;
    private long promptTokens;
    private long work;
    private long level;

    /** @param work tokens that it is expected to take, prompt and answer */
    private record Waiting(Sequence sequence, long since, long work) {

        int priority(long now) {
            return (int) Math.min(PRIORITIES - 1, priority() + (now - since) / RISE_NANOS);
        }

        int priority() {
            return rank(sequence);
        }
    }

    /** What one tenant has waiting, by priority, and what it was served. */
    private static final class Tenant {
        final List<ArrayDeque<Waiting>> lanes = new ArrayList<>(PRIORITIES);
        final long[] work = new long[PRIORITIES];
        long served;

        Tenant() {
            for (int i = 0; i < PRIORITIES; i++) {
                lanes.add(new ArrayDeque<>());
            }
        }

        /** The one whose turn it is; the tenant has some. */
        @Nullable
        Waiting next(long now) {
            Waiting best = null;
            for (ArrayDeque<Waiting> lane : lanes) {
                Waiting head = lane.peek();
                if (head != null && (best == null || before(head, best, now))) {
                    best = head;
                }
            }
            return best;
        }

        private static boolean before(Waiting one, Waiting other, long now) {
            int difference = one.priority(now) - other.priority(now);
            return difference > 0 || (difference == 0 && one.since - other.since < 0);
        }

        boolean isEmpty() {
            return lanes.stream().allMatch(ArrayDeque::isEmpty);
        }

        /** Expected tokens of what waits with at least this priority. */
        long work(int priority) {
            long sum = 0;
            for (int i = priority; i < PRIORITIES; i++) {
                sum += work[i];
            }
            return sum;
        }
    }

    private static int rank(Sequence sequence) {
        return switch (sequence.caller().priority()) {
            case LOW -> 0;
            case NORMAL -> 1;
            case HIGH -> 2;
        };
    }

    int size() {
        return size + again.size();
    }

    boolean isEmpty() {
        return size() == 0;
    }

    /** Tokens of the prompts that wait. */
    long promptTokens() {
        return promptTokens;
    }

    /** Expected tokens of all that wait. */
    long work() {
        return work;
    }

    /** Expected tokens that are computed before this sequence's turn, where everybody gets an equal share. */
    long workBefore(Sequence sequence, long expected) {
        int priority = rank(sequence);
        Tenant own = waiting.get(sequence.caller().tenant());
        long ownWork = own == null ? 0 : own.work(priority);
        long before = ownWork;
        for (Tenant tenant : waiting.values()) {
            if (tenant != own) {
                before += Math.min(tenant.work(priority), ownWork + expected);
            }
        }
        return before;
    }

    /** @param expected tokens that the sequence is expected to take, prompt and answer */
    void add(Sequence sequence, long expected, long now) {
        String name = sequence.caller().tenant();
        Tenant tenant = waiting.get(name);
        if (tenant == null) {
            tenant = others.remove(name);
            if (tenant == null) {
                tenant = new Tenant();
            }
            tenant.served = Math.max(tenant.served, level());
            waiting.put(name, tenant);
        }
        Waiting added = new Waiting(sequence, now, expected);
        tenant.lanes.get(added.priority()).add(added);
        count(tenant, added, 1);
    }

    /** Where a tenant starts that comes: beside the least served of those that wait, or else of those that did. */
    private long level() {
        level = waiting.values().stream()
                .mapToLong(tenant -> tenant.served)
                .min()
                .orElse(level);
        return level;
    }

    private void count(Tenant tenant, Waiting changed, int sign) {
        size += sign;
        promptTokens += (long) sign * changed.sequence.promptLength();
        work += sign * changed.work;
        tenant.work[changed.priority()] += sign * changed.work;
    }

    /** Sequences that were taken before go first of all, in this order. */
    void putBack(List<Sequence> sequences) {
        sequences.reversed().forEach(sequence -> {
            again.addFirst(sequence);
            promptTokens += sequence.promptLength();
        });
    }

    /** Takes the sequence whose turn it is; there must be one. */
    Sequence take(long now) {
        Sequence first = again.poll();
        if (first != null) {
            promptTokens -= first.promptLength();
            return first;
        }
        Tenant chosen = null;
        Waiting best = null;
        for (Tenant tenant : waiting.values()) {
            Waiting next = tenant.next(now);
            if (next != null && (chosen == null || best == null || before(tenant, next, chosen, best, now))) {
                chosen = tenant;
                best = next;
            }
        }
        if (chosen == null || best == null) {
            throw new IllegalStateException("No sequence waits.");
        }
        level();
        chosen.lanes.get(best.priority()).remove();
        count(chosen, best, -1);
        chosen.served += best.sequence.promptLength();
        leave(best.sequence.caller(), chosen);
        return best.sequence;
    }

    private static boolean before(Tenant tenant, Waiting next, Tenant other, Waiting otherNext, long now) {
        int difference = next.priority(now) - otherNext.priority(now);
        if (difference != 0) {
            return difference > 0;
        }
        return tenant.served != other.served ? tenant.served < other.served : next.since - otherNext.since < 0;
    }

    /** A tenant that has nothing waiting any more is remembered as long as there are not too many. */
    private void leave(Caller caller, Tenant tenant) {
        if (!tenant.isEmpty()) {
            return;
        }
        waiting.remove(caller.tenant());
        others.put(caller.tenant(), tenant);
        if (others.size() > MOST_IDLE) {
            others.values().removeIf(each -> each.served <= level);
        }
        if (others.size() > MOST_IDLE) {
            others.remove(others.keySet().iterator().next());
        }
    }

    /** Tokens were written for a tenant. */
    void serve(Caller caller, int tokens) {
        Tenant tenant = waiting.get(caller.tenant());
        if (tenant == null) {
            tenant = others.get(caller.tenant());
        }
        if (tenant != null) {
            tenant.served += tokens;
        }
    }

    /** Takes out what was told to end or is too late. */
    List<Sequence> removeEnded(long now) {
        List<Sequence> ended = new ArrayList<>();
        for (Iterator<Sequence> i = again.iterator(); i.hasNext(); ) {
            Sequence sequence = i.next();
            if (sequence.stopReason(now) != null) {
                i.remove();
                promptTokens -= sequence.promptLength();
                ended.add(sequence);
            }
        }
        List<Sequence> late = new ArrayList<>();
        for (Tenant tenant : waiting.values()) {
            for (ArrayDeque<Waiting> lane : tenant.lanes) {
                for (Iterator<Waiting> i = lane.iterator(); i.hasNext(); ) {
                    Waiting each = i.next();
                    if (each.sequence.stopReason(now) != null) {
                        i.remove();
                        count(tenant, each, -1);
                        late.add(each.sequence);
                    }
                }
            }
        }
        for (Sequence sequence : late) {
            Tenant tenant = waiting.get(sequence.caller().tenant());
            if (tenant != null) {
                leave(sequence.caller(), tenant);
            }
        }
        ended.addAll(late);
        return ended;
    }

    /** Takes out everything. */
    List<Sequence> removeAll() {
        List<Sequence> all = new ArrayList<>(again);
        waiting.values().forEach(tenant -> tenant.lanes.forEach(lane -> lane.forEach(each -> all.add(each.sequence))));
        again.clear();
        waiting.clear();
        size = 0;
        promptTokens = 0;
        work = 0;
        return all;
    }

    /** Tenants that are known: those that wait, and a bounded number of others. */
    int tenants() {
        return waiting.size() + others.size();
    }
}
