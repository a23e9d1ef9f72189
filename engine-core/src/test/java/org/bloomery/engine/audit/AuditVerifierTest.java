package org.bloomery.engine.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.bloomery.engine.audit.AuditVerifier.Report;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever is done to a file shows. */
class AuditVerifierTest {

    @TempDir
    Path folder = Path.of("");

    private final List<String> hashes = new ArrayList<>();
    private Path file = Path.of("");

    @BeforeEach
    void write() throws Exception {
        file = folder.resolve("audit.jsonl");
        try (AuditLog log = AuditLog.open(file, FsyncPolicy.NEVER)) {
            for (int i = 1; i <= 5; i++) {
                hashes.add(log.append(Records.of("r" + i)).get().hash());
            }
        }
    }

    private Report verified(List<String> lines) throws Exception {
        Path changed = folder.resolve("changed.jsonl");
        Files.writeString(changed, lines.isEmpty() ? "" : String.join("\n", lines) + "\n");
        return AuditVerifier.verify(changed, null);
    }

    @Test
    void anIntactFileIsCounted() {
        Report report = AuditVerifier.verify(file, null);
        assertThat(report.intact()).isTrue();
        assertThat(report.records()).isEqualTo(5);
        assertThat(report.lastHash()).isEqualTo(hashes.getLast());
    }

    @Test
    void everyFlippedByteIsFoundOnItsLine() throws Exception {
        byte[] bytes = Files.readAllBytes(file);
        int line = 1;
        for (int i = 0; i < bytes.length; i++) {
            byte kept = bytes[i];
            for (int mask : new int[] {0x01, 0x20, 0x80}) {
                bytes[i] = (byte) (kept ^ mask);
                Report report = AuditVerifier.verify(new ByteArrayInputStream(bytes), null);
                assertThat(report.intact()).as("byte %d ^ %d", i, mask).isFalse();
                assertThat(Objects.requireNonNull(report.problem()).line())
                        .as("byte %d ^ %d", i, mask)
                        .isEqualTo(line);
                assertThat(report.records()).isEqualTo(line - 1);
            }
            bytes[i] = kept;
            if (kept == '\n') {
                line++;
            }
        }
        assertThat(line).isEqualTo(6);
    }

    @Test
    void aLineLessOrTwiceOrInAnotherPlaceIsFound() throws Exception {
        List<String> lines = Files.readAllLines(file);
        for (int i = 0; i < 4; i++) {
            List<String> less = new ArrayList<>(lines);
            less.remove(i);
            assertThat(Objects.requireNonNull(verified(less).problem()).line()).isEqualTo(i + 1);

            List<String> twice = new ArrayList<>(lines);
            twice.add(i, lines.get(i));
            assertThat(Objects.requireNonNull(verified(twice).problem()).line()).isEqualTo(i + 2);

            List<String> swapped = new ArrayList<>(lines);
            swapped.set(i, lines.get(i + 1));
            swapped.set(i + 1, lines.get(i));
            assertThat(Objects.requireNonNull(verified(swapped).problem()).line())
                    .isEqualTo(i + 1);
        }
        assertThat(Objects.requireNonNull(verified(lines.subList(1, 5)).problem())
                        .reason())
                .contains("has the number 2; expected 1");
    }

    @Test
    void aLineOfAnotherChainIsFound() throws Exception {
        Path other = folder.resolve("other.jsonl");
        try (AuditLog log = AuditLog.open(other, FsyncPolicy.NEVER)) {
            for (int i = 1; i <= 5; i++) {
                log.append(Records.of("o" + i)).get();
            }
        }
        List<String> lines = new ArrayList<>(Files.readAllLines(file));
        lines.set(2, Files.readAllLines(other).get(2));
        assertThat(Objects.requireNonNull(verified(lines).problem()).reason())
                .contains("does not follow the line before it");
    }

    @Test
    void aCutEndIsFoundByAHashNotedEarlier() throws Exception {
        List<String> lines = Files.readAllLines(file);
        Path cut = folder.resolve("cut.jsonl");
        Files.writeString(cut, String.join("\n", lines.subList(0, 3)) + "\n");

        assertThat(AuditVerifier.verify(cut, null).intact()).isTrue();
        assertThat(AuditVerifier.verify(cut, hashes.get(2)).intact()).isTrue();
        Report report = AuditVerifier.verify(cut, hashes.get(4));
        assertThat(report.intact()).isFalse();
        assertThat(report.problem()).isNull();
        assertThat(report.sought()).isFalse();
    }

    @Test
    void anEmptyFileIsAnIntactChainOfNothing() throws Exception {
        Report report = verified(List.of());
        assertThat(report.intact()).isTrue();
        assertThat(report.records()).isZero();
        assertThat(report.lastHash()).isEqualTo("0".repeat(64));
    }

    @Test
    void anEndlessLineTakesNoMemory() throws Exception {
        Path endless = folder.resolve("endless");
        Files.write(endless, new byte[20 << 20]);
        assertThat(Objects.requireNonNull(AuditVerifier.verify(endless, null).problem())
                        .reason())
                .contains("longer than");
    }

    @Test
    void aMissingFileIsNamed() {
        assertThatThrownBy(() -> AuditVerifier.verify(folder.resolve("none"), null))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("none");
    }
}
