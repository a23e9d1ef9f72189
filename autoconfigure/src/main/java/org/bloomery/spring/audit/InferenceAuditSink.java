package org.bloomery.spring.audit;

import org.bloomery.engine.audit.AuditRecord;
import org.jspecify.annotations.Nullable;

/**
 * Keeps records of requests. Every bean of this type gets every record. Safe for use by many threads; it is called on a
 * virtual thread or the caller's, never on an engine's worker, and may block.
 */
@FunctionalInterface
public interface InferenceAuditSink {

    /**
     * Keeps a record. Returning says that it is kept.
     *
     * @throws RuntimeException if it is not
     */
    void keep(AuditRecord record);

    /** Why no record could be kept at this moment: a sentence, or null where nothing is known against it. */
    default @Nullable String refusal() {
        return null;
    }
}
