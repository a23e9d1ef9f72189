package org.bloomery.engine.scheduler;

import java.util.concurrent.atomic.AtomicLong;
import org.bloomery.engine.EngineState;
import org.bloomery.engine.FinishReason;

/** What has become of all sequences and their tokens so far. Safe for use by many threads. */
final class Totals {

    final AtomicLong completed = new AtomicLong();
    final AtomicLong cutOff = new AtomicLong();
    final AtomicLong failed = new AtomicLong();
    final AtomicLong refused = new AtomicLong();
    final AtomicLong cancelled = new AtomicLong();
    final AtomicLong promptTokens = new AtomicLong();
    final AtomicLong cachedTokens = new AtomicLong();
    final AtomicLong completionTokens = new AtomicLong();
    final AtomicLong prefixHits = new AtomicLong();

    /** A sequence begins to be read, the first of whose tokens are in the cache already. */
    void started(int prompt, int cached) {
        promptTokens.addAndGet(prompt);
        cachedTokens.addAndGet(cached);
        prefixHits.addAndGet(cached > 0 ? 1 : 0);
    }

    void ended(FinishReason reason) {
        AtomicLong count = switch (reason) {
            case STOP, LENGTH, TOOL_CALLS, GUARD -> completed;
            case CANCELLED -> cancelled;
            case DEADLINE, SHUTDOWN -> cutOff;
        };
        count.incrementAndGet();
    }

    /** These beside what is the case now. */
    SchedulerStats stats(
            EngineState state,
            int active,
            int queued,
            long prefillBacklog,
            Progress progress,
            long sinceProgressNanos) {
        return new SchedulerStats(
                state,
                active,
                queued,
                completed.get(),
                cutOff.get(),
                failed.get(),
                refused.get(),
                cancelled.get(),
                promptTokens.get(),
                cachedTokens.get(),
                completionTokens.get(),
                prefixHits.get(),
                prefillBacklog,
                progress.held().cache(),
                progress.steps(),
                progress.medianNanos(),
                sinceProgressNanos);
    }
}
