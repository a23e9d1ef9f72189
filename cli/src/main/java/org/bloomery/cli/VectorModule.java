package org.bloomery.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The Vector API is an incubator module, which only the JVM's command line can add: neither a manifest nor a library
 * may. So that {@code java -jar} runs at full speed, a command that computes starts the same JVM once more with the
 * module, unless kernels in machine code will do without.
 */
final class VectorModule {

    private static final String NAME = "jdk.incubator.vector";
    private static final Set<String> COMPUTING = Set.of("chat", "complete", "bench", "logits");

    private VectorModule() {}

    static boolean isNeededBy(String[] args) {
        return args.length > 0
                && COMPUTING.contains(args[0])
                && ModuleLayer.boot().findModule(NAME).isEmpty()
                && (asksForVectors(List.of(args)) || !runsMachineCode())
                && Files.isExecutable(java());
    }

    private static boolean asksForVectors(List<String> args) {
        return args.contains("vector") || args.contains("--kernels=vector");
    }

    /** Whether the Java backend has kernels in machine code for this machine: Linux on x86-64 with AVX2. */
    private static boolean runsMachineCode() {
        if (!System.getProperty("os.name").equals("Linux")
                || !System.getProperty("os.arch").equals("amd64")) {
            return false;
        }
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("flags")).findFirst().stream()
                    .anyMatch(line -> line.contains(" avx2"));
        } catch (IOException | UncheckedIOException e) {
            // What cannot be known is taken for absent: the second JVM is slow to start, but always right.
            return false;
        }
    }

    /** Runs the command in a JVM that has the module, on this one's input and output; returns its exit code. */
    static int runAgainWith(String[] args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(java().toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.add("--add-modules=" + NAME);
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(Main.class.getName());
        command.addAll(List.of(args));
        Process process = new ProcessBuilder(command).inheritIO().start();
        Thread stop = new Thread(process::destroy);
        Runtime.getRuntime().addShutdownHook(stop);
        return process.waitFor();
    }

    private static Path java() {
        return Path.of(System.getProperty("java.home"), "bin", "java");
    }
}
