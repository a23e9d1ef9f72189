package org.bloomery.engine.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that is killed loses no record that it acknowledged. */
class AuditKillTest {

    private static final int KILLS = Boolean.getBoolean("bloomery.soak") ? 100 : 20;
    private static final Pattern ID = Pattern.compile("\"request\":\"([^\"]+)\"");

    @TempDir
    Path folder = Path.of("");

    @Test
    void noAcknowledgedRecordIsLostWhereverItsProcessIsKilled() throws Exception {
        long seed = System.nanoTime();
        System.out.println("AuditKillTest seed " + seed);
        Random random = new Random(seed);
        Path file = folder.resolve("audit.jsonl");
        Set<String> acknowledged = new HashSet<>();
        int torn = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            acknowledged.addAll(writeAndKill(file, kill, 1 + random.nextInt(60), random.nextInt(2_000_000)));
            boolean unfinished = AuditVerifier.verify(file, null).problem() != null;
            torn += unfinished ? 1 : 0;
            AuditLog.open(file, FsyncPolicy.ALWAYS).close();

            AuditVerifier.Report report = AuditVerifier.verify(file, null);
            assertThat(report.problem()).as("kill %d, seed %d", kill, seed).isNull();
            assertThat(kept(file)).as("kill %d, seed %d", kill, seed).containsAll(acknowledged);
        }
        System.out.println("AuditKillTest: " + acknowledged.size() + " acknowledged records kept over " + KILLS
                + " kills, " + torn + " of which left an unfinished line");
    }

    private static Set<String> writeAndKill(Path file, int run, int records, int nanos) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        AuditWriterProcess.class.getName(),
                        file.toString(),
                        "run" + run,
                        // Without forces the process is mostly writing when it is killed
                        (run % 2 == 0 ? FsyncPolicy.ALWAYS : FsyncPolicy.NEVER).name())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        Set<String> acknowledged = new HashSet<>();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (int i = 0; i < records; i++) {
                String line = out.readLine();
                assertThat(line).as("the process writes").isNotNull();
                acknowledged.add(String.valueOf(line));
            }
            long until = System.nanoTime() + nanos;
            while (System.nanoTime() < until) {
                Thread.onSpinWait();
            }
            process.destroyForcibly().waitFor();
            // What was printed and not yet read was acknowledged too, but for a line cut off
            StringBuilder rest = new StringBuilder();
            for (int c = read(out); c >= 0; c = read(out)) {
                rest.append((char) c);
            }
            String whole = rest.substring(0, rest.lastIndexOf("\n") + 1);
            whole.lines().forEach(acknowledged::add);
        } finally {
            process.destroyForcibly();
        }
        return acknowledged;
    }

    private static int read(BufferedReader out) {
        try {
            return out.read();
        } catch (IOException e) {
            return -1;
        }
    }

    private static Set<String> kept(Path file) throws IOException {
        Set<String> kept = new HashSet<>();
        try (Stream<String> lines = Files.lines(file)) {
            lines.forEach(line -> {
                Matcher id = ID.matcher(line);
                if (id.find()) {
                    kept.add(id.group(1));
                }
            });
        }
        return kept;
    }
}
