package org.bloomery.engine.scheduler;

import java.util.concurrent.atomic.AtomicLong;
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
}
