package org.bloomery.engine.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.bloomery.engine.audit.AuditLog.Receipt;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AuditLogTest {

    @TempDir
    Path folder = Path.of("");

    private Path file() {
        return folder.resolve("audit.jsonl");
    }

    private void write(String... ids) throws Exception {
        try (AuditLog log = AuditLog.open(file(), FsyncPolicy.ALWAYS)) {
            for (String id : ids) {
                log.append(Records.of(id)).get();
            }
        }
    }

    @Test
    void aLineHasItsNumberTheHashBeforeItTheRecordAndItsOwnHash() throws Exception {
        write("a", "b");

        List<String> lines = Files.readAllLines(file());
        assertThat(lines).hasSize(2);
        String previous = "0".repeat(64);
        for (int i = 0; i < 2; i++) {
            String line = lines.get(i);
            String hashed = line.substring(0, line.indexOf(",\"hash\":"));
            String hash = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256")
                            .digest((previous + hashed).getBytes(StandardCharsets.UTF_8)));
            assertThat(line)
                    .startsWith(
                            "{\"seq\":" + (i + 1) + ",\"prev\":\"" + previous + "\",\"record\":{\"type\":\"request\"")
                    .endsWith(",\"hash\":\"" + hash + "\"}");
            previous = hash;
        }
        assertThat(lines.getFirst())
                .contains(
                        "\"time\":\"2026-01-02T03:04:05.678Z\"",
                        "\"request\":\"a\"",
                        "\"principal\":\"ada\"",
                        "\"tenant\":\"engines\"",
                        "\"model\":\"demo\"",
                        "\"modelDigest\":\"abab",
                        "\"options\":{\"constraint\":\"regex\",\"maxTokens\":12,\"stream\":true,\"temperature\":0.5}",
                        "\"outcome\":\"COMPLETED\"",
                        "\"finishReason\":\"STOP\"",
                        "\"promptTokens\":11,\"completionTokens\":7,\"cachedTokens\":5",
                        "\"guards\":[{\"guard\":\"pii\",\"stage\":\"prompt\",\"action\":\"REDACT\",\"reason\":\"email\"}]",
                        "\"toolCalls\":[\"weather\"]",
                        "\"queuedMicros\":1000,\"prefillMicros\":2000,\"decodeMicros\":3000",
                        "\"prompt\":{\"characters\":5,\"hmac\":\"cdcd")
                .doesNotContain("\"text\"", "templateHash", "\"error\"");
    }

    @ParameterizedTest
    @EnumSource
    void everyPolicyKeepsEveryRecord(FsyncPolicy policy) throws Exception {
        try (AuditLog log = AuditLog.open(file(), policy)) {
            for (int i = 0; i < 20; i++) {
                log.append(Records.of("r" + i)).get();
            }
        }
        AuditVerifier.Report report = AuditVerifier.verify(file(), null);
        assertThat(report.intact()).isTrue();
        assertThat(report.records()).isEqualTo(20);
    }

    @Test
    void theChainContinuesAfterARestart() throws Exception {
        write("a", "b");
        write("c");
        write();
        write("d");

        AuditVerifier.Report report = AuditVerifier.verify(file(), null);
        assertThat(report.problem()).isNull();
        assertThat(report.records()).isEqualTo(4);
    }

    @Test
    void whatManyThreadsAppendIsOneChain() throws Exception {
        Set<Long> sequences = ConcurrentHashMap.newKeySet();
        try (AuditLog log = AuditLog.open(file(), FsyncPolicy.ALWAYS);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = IntStream.range(0, 16)
                    .<Future<?>>mapToObj(t -> threads.submit(() -> {
                        for (int i = 0; i < 50; i++) {
                            sequences.add(
                                    log.append(Records.of(t + "-" + i)).join().sequence());
                        }
                    }))
                    .toList();
            for (Future<?> each : all) {
                each.get();
            }
        }
        assertThat(sequences).hasSize(800).contains(1L, 800L);
        assertThat(AuditVerifier.verify(file(), null).records()).isEqualTo(800);
        String text = Files.readString(file());
        for (int t = 0; t < 16; t++) {
            assertThat(text).contains("\"request\":\"" + t + "-49\"");
        }
    }

    @Test
    void anUnfinishedLastLineIsCutOffAndNotedWhereverItEnds() throws Exception {
        write("a", "b", "c");
        byte[] whole = Files.readAllBytes(file());
        List<String> lines = Files.readAllLines(file());
        int secondEnds = lines.get(0).length() + lines.get(1).length() + 2;
        for (int length = secondEnds; length <= whole.length; length += 7) {
            Files.write(file(), Arrays.copyOf(whole, length));
            write("d");
            AuditVerifier.Report report = AuditVerifier.verify(file(), null);
            assertThat(report.problem()).as("cut after %d bytes", length).isNull();
            List<String> now = Files.readAllLines(file());
            assertThat(now).startsWith(lines.get(0), lines.get(1));
            assertThat(now.getLast()).contains("\"request\":\"d\"");
            boolean cut = length > secondEnds && length < whole.length - 1;
            assertThat(now.get(2).contains("\"type\":\"note\"") && now.get(2).contains("\"bytes\""))
                    .as("cut after %d bytes", length)
                    .isEqualTo(cut);
        }
    }

    @Test
    void aLineThatLacksOnlyItsLineFeedIsKept() throws Exception {
        write("a", "b");
        byte[] whole = Files.readAllBytes(file());
        Files.write(file(), Arrays.copyOf(whole, whole.length - 1));
        write("c");
        assertThat(AuditVerifier.verify(file(), null).records()).isEqualTo(3);
        assertThat(Files.readString(file())).contains("\"request\":\"b\"").doesNotContain("note");
    }

    @Test
    void aFirstLineThatIsUnfinishedIsCutOffToo() throws Exception {
        Files.writeString(file(), "{\"seq\":1,\"pr");
        write("a");
        assertThat(AuditVerifier.verify(file(), null).records()).isEqualTo(2);
    }

    @Test
    void longLinesAreContinued() throws Exception {
        try (AuditLog log = AuditLog.open(file(), FsyncPolicy.NEVER)) {
            log.append(Records.of("a", "\u0001".repeat(1_000_000))).get();
            log.append(Records.of("b", "x".repeat(200_000))).get();
        }
        write("c");
        assertThat(AuditVerifier.verify(file(), null).records()).isEqualTo(3);
    }

    @Test
    void halfASurrogatePairIsNoReasonToLoseARecord() throws Exception {
        try (AuditLog log = AuditLog.open(file(), FsyncPolicy.NEVER)) {
            log.append(Records.of("a\ud83d", "x".repeat(999_999) + "\ud83d\ude00"))
                    .get();
        }
        assertThat(AuditVerifier.verify(file(), null).records()).isEqualTo(1);
    }

    @Test
    void aBrokenLastLineIsNotContinued() throws Exception {
        write("a", "b");
        Files.writeString(file(), Files.readString(file()).replace("\"request\":\"b\"", "\"request\":\"x\""));
        assertThatThrownBy(() -> AuditLog.open(file(), FsyncPolicy.ALWAYS))
                .isInstanceOf(AuditException.class)
                .hasMessageContainingAll("cannot be continued", "was changed", "name another file");
    }

    @Test
    void anotherFileIsNotOverwritten() throws Exception {
        Files.writeString(file(), "A letter.\nTo somebody.\n");
        assertThatThrownBy(() -> AuditLog.open(file(), FsyncPolicy.ALWAYS))
                .isInstanceOf(AuditException.class)
                .hasMessageContaining("is no line of an audit file");
        assertThat(file()).hasContent("A letter.\nTo somebody.\n");
    }

    @Test
    void theFileIsItsOwnersAlone() throws Exception {
        Assumptions.assumeTrue(
                file().getFileSystem().supportedFileAttributeViews().contains("posix"),
                "This file system has no POSIX permissions.");
        write("a");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                .isEqualTo("rw-------");
        Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("rw-r--r--"));
        write("b");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                .isEqualTo("rw-------");
    }

    @Test
    void refusesASymbolicLink() throws Exception {
        write("a");
        Path link = Files.createSymbolicLink(folder.resolve("link"), file());
        assertThatThrownBy(() -> AuditLog.open(link, FsyncPolicy.ALWAYS))
                .isInstanceOf(AuditException.class)
                .hasMessageContaining("symbolic link");
        Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), folder.resolve("nowhere"));
        assertThatThrownBy(() -> AuditLog.open(dangling, FsyncPolicy.ALWAYS)).isInstanceOf(AuditException.class);
        assertThat(folder.resolve("nowhere")).doesNotExist();
    }

    @Test
    void refusesAFolderAndAFileInNoFolder() {
        assertThatThrownBy(() -> AuditLog.open(folder, FsyncPolicy.ALWAYS))
                .isInstanceOf(AuditException.class)
                .hasMessageContaining("no regular file");
        assertThatThrownBy(() -> AuditLog.open(folder.resolve("no/audit.jsonl"), FsyncPolicy.ALWAYS))
                .isInstanceOf(AuditException.class)
                .hasMessageContaining("in a folder that is there");
    }

    @Test
    void aFileHasOneLogAtATime() throws Exception {
        try (AuditLog first = AuditLog.open(file(), FsyncPolicy.ALWAYS)) {
            assertThatThrownBy(() -> AuditLog.open(file(), FsyncPolicy.ALWAYS))
                    .isInstanceOf(AuditException.class)
                    .hasMessageContaining("is being written");
            first.append(Records.of("a")).get();
        }
        write("b");
        assertThat(AuditVerifier.verify(file(), null).records()).isEqualTo(2);
    }

    @Test
    void aClosedLogSaysSo() throws IOException {
        AuditLog log = AuditLog.open(file(), FsyncPolicy.ALWAYS);
        assertThat(log.refusal()).isNull();
        log.close();
        log.close();
        assertThat(log.refusal()).contains("is closed");
        CompletableFuture<Receipt> late = log.append(Records.of("late"));
        assertThatThrownBy(late::get)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(AuditException.class)
                .hasMessageContaining("is closed");
    }

    @Test
    void whatWaitsAtCloseIsWritten() throws Exception {
        AuditLog log = AuditLog.open(file(), FsyncPolicy.ALWAYS);
        List<CompletableFuture<Receipt>> receipts = IntStream.range(0, 500)
                .mapToObj(i -> log.append(Records.of("r" + i)))
                .toList();
        log.close();
        for (CompletableFuture<Receipt> receipt : receipts) {
            receipt.get();
        }
        assertThat(AuditVerifier.verify(file(), null).records()).isEqualTo(500);
    }

    private FaultyChannel faulty() throws IOException {
        return new FaultyChannel(
                FileChannel.open(file(), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE));
    }

    private static void fails(AuditLog log, String reason) {
        CompletableFuture<Receipt> receipt = log.append(Records.of("lost"));
        assertThatThrownBy(receipt::get)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(AuditException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void aRecordThatDoesNotFitTheDiskIsTakenBackAndTheNextIsTriedAgain() throws Exception {
        FaultyChannel channel = faulty();
        try (AuditLog log = AuditLog.over(file(), channel, FsyncPolicy.ALWAYS)) {
            log.append(Records.of("a")).get();
            for (long room : new long[] {0, 1, 100}) {
                channel.room.set(room);
                fails(log, "No space left on device");
            }
            assertThat(log.refusal()).isNull();
            channel.room.set(Long.MAX_VALUE);
            assertThat(log.append(Records.of("b")).get().sequence()).isEqualTo(2);
        }
        assertThat(AuditVerifier.verify(file(), null).records()).isEqualTo(2);
        assertThat(Files.readString(file())).doesNotContain("lost");
    }

    @Test
    void afterAFailedForceNothingIsAcknowledgedAnyMore() throws Exception {
        FaultyChannel channel = faulty();
        try (AuditLog log = AuditLog.over(file(), channel, FsyncPolicy.ALWAYS)) {
            log.append(Records.of("a")).get();
            channel.forceFails = true;
            fails(log, "could not be forced to the disk");
            channel.forceFails = false;
            assertThat(log.refusal()).contains("could not be forced to the disk");
            fails(log, "could not be forced to the disk");
        }
        assertThat(AuditVerifier.verify(file(), null).problem()).isNull();
        assertThat(Files.readString(file())).contains("\"request\":\"a\"");
    }

    @Test
    void halfARecordThatCannotBeTakenBackEndsTheLogAndTheNextOneCutsItOff() throws Exception {
        FaultyChannel channel = faulty();
        try (AuditLog log = AuditLog.over(file(), channel, FsyncPolicy.ALWAYS)) {
            log.append(Records.of("a")).get();
            channel.room.set(100);
            channel.truncateFails = true;
            fails(log, "No space left on device");
            channel.room.set(Long.MAX_VALUE);
            fails(log, "half a record at its end");
        }
        write("b");
        assertThat(AuditVerifier.verify(file(), null).records()).isEqualTo(3);
    }

    @Test
    void anIntervalIsForcedAndItsFailureKnown() throws Exception {
        FaultyChannel channel = faulty();
        try (AuditLog log = AuditLog.over(file(), channel, FsyncPolicy.INTERVAL)) {
            channel.forceFails = true;
            log.append(Records.of("a")).get();
            while (log.refusal() == null) {
                Thread.onSpinWait();
            }
            fails(log, "could not be forced to the disk");
        }
    }
}
