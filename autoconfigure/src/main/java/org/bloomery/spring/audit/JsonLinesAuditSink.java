package org.bloomery.spring.audit;

import java.util.concurrent.CompletionException;
import org.bloomery.engine.audit.AuditException;
import org.bloomery.engine.audit.AuditLog;
import org.bloomery.engine.audit.AuditRecord;
import org.jspecify.annotations.Nullable;

/** Keeps records in a chained file, which it owns. */
public final class JsonLinesAuditSink implements InferenceAuditSink, AutoCloseable {

    private final AuditLog log;

    public JsonLinesAuditSink(AuditLog log) {
        this.log = log;
    }

    @Override
    public void keep(AuditRecord record) {
        try {
            log.append(record).join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof AuditException refused
                    ? refused
                    : new AuditException("An audit record cannot be written to " + log.file() + ".", e);
        }
    }

    @Override
    public @Nullable String refusal() {
        return log.refusal();
    }

    @Override
    public void close() {
        log.close();
    }
}
