package org.bloomery.spring.audit;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bloomery.engine.audit.AuditRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.audit.AuditEvent;
import org.springframework.boot.actuate.audit.listener.AuditApplicationEvent;
import org.springframework.context.ApplicationEventPublisher;

/** Publishes records as Spring Boot's audit events. Their data has no content, whatever the record has. */
public final class AuditEventSink implements InferenceAuditSink {

    /** The events' type. */
    public static final String TYPE = "BLOOMERY_INFERENCE";

    private final ApplicationEventPublisher publisher;

    public AuditEventSink(ApplicationEventPublisher publisher) {
        this.publisher = publisher;
    }

    @Override
    public void keep(AuditRecord record) {
        Map<String, @Nullable Object> data = new LinkedHashMap<>();
        put(data, "request", record.requestId());
        put(data, "tenant", record.tenant());
        put(data, "model", record.model().name());
        put(data, "modelDigest", record.model().digest());
        put(data, "outcome", record.outcome().name());
        put(data, "finishReason", record.finishReason());
        put(data, "error", record.error());
        AuditRecord.Tokens tokens = record.tokens();
        if (tokens != null) {
            data.put("promptTokens", tokens.prompt());
            data.put("completionTokens", tokens.completion());
        }
        data.put(
                "guards",
                record.guards().stream()
                        .map(verdict -> verdict.stage() + " " + verdict.action() + " " + verdict.guard() + " "
                                + verdict.reason())
                        .toList());
        data.put("toolCalls", record.toolCalls());
        publisher.publishEvent(
                new AuditApplicationEvent(new AuditEvent(record.time(), record.principal(), TYPE, data)));
    }

    private static void put(Map<String, @Nullable Object> data, String name, @Nullable Object value) {
        if (value != null) {
            data.put(name, value);
        }
    }
}
