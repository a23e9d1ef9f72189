package org.bloomery.engine.audit;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bloomery.engine.audit.AuditRecord.Content;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.engine.audit.AuditRecord.Model;
import org.bloomery.engine.audit.AuditRecord.Outcome;
import org.bloomery.engine.audit.AuditRecord.Spent;
import org.bloomery.engine.audit.AuditRecord.Tokens;
import org.jspecify.annotations.Nullable;

/** Records to write. */
final class Records {

    private Records() {}

    static AuditRecord of(String requestId) {
        return of(requestId, null);
    }

    static AuditRecord of(String requestId, @Nullable String text) {
        return new AuditRecord(
                Instant.parse("2026-01-02T03:04:05.678Z"),
                requestId,
                "ada",
                "engines",
                new Model("demo", "ab".repeat(32), null),
                new TreeMap<>(Map.of("temperature", 0.5, "maxTokens", 12, "stream", true, "constraint", "regex")),
                Outcome.COMPLETED,
                "STOP",
                null,
                new Tokens(11, 7, 5),
                List.of(new GuardVerdict("pii", "prompt", "REDACT", "email")),
                List.of("weather"),
                new Spent(Duration.ofMillis(1), Duration.ofMillis(2), Duration.ofMillis(3)),
                new Content(5, "cd".repeat(32), text),
                new Content(3, "ef".repeat(32), text));
    }
}
