package org.bloomery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.TreeMap;
import org.bloomery.engine.audit.AuditLog;
import org.bloomery.engine.audit.AuditRecord;
import org.bloomery.engine.audit.FsyncPolicy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What scripts read from {@code bloomery audit verify}. */
class AuditCommandTest {

    @TempDir
    Path folder;

    private Path written() {
        Path file = folder.resolve("audit.jsonl");
        try (AuditLog log = AuditLog.open(file, FsyncPolicy.NEVER)) {
            for (int i = 0; i < 3; i++) {
                log.append(new AuditRecord(
                                Instant.EPOCH,
                                "r" + i,
                                "ada",
                                "ada",
                                new AuditRecord.Model("demo", null, null),
                                new TreeMap<>(),
                                AuditRecord.Outcome.REFUSED,
                                null,
                                "EngineOverloadedException",
                                null,
                                List.of(),
                                List.of(),
                                null,
                                new AuditRecord.Content(1, "00", null),
                                null))
                        .join();
            }
        }
        return file;
    }

    @Test
    void anIntactFileEndsWithZero() throws IOException {
        Path file = written();
        String hash = Files.readAllLines(file).getFirst().replaceAll(".*\"hash\":\"(\\w+)\"}", "$1");

        Invocation result = Invocation.of("audit", "verify", file.toString(), "--contains", hash);

        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.out()).contains("is intact: 3 records, the last with the hash ");
        assertThat(result.err()).isEmpty();
    }

    @Test
    void aChangedFileEndsWithOneAndNamesTheLine() throws IOException {
        Path file = written();
        Files.writeString(file, Files.readString(file).replace("\"r1\"", "\"r9\""));

        Invocation result = Invocation.of("audit", "verify", file.toString());

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("is broken: line 2,", "was changed", "the 1 records before it hold.");
    }

    @Test
    void aFileWhoseEndIsMissingEndsWithOneWhereTheHashIsKnown() throws IOException {
        Path file = written();

        Invocation result = Invocation.of("audit", "verify", file.toString(), "--contains", "ab".repeat(32));

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err()).contains("cut off or replaced");
    }

    @Test
    void aMissingFileIsNamed() {
        Invocation result =
                Invocation.of("audit", "verify", folder.resolve("none").toString());

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err()).contains("none", "cannot be read").doesNotContain("Exception:");
    }

    @Test
    void withoutAFileOrASubcommandTheUsageIsWrong() {
        assertThat(Invocation.of("audit", "verify").exitCode()).isEqualTo(2);
        assertThat(Invocation.of("audit").exitCode()).isEqualTo(2);
    }
}
