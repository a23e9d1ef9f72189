package org.bloomery.engine.worker;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.URL;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.InvalidOptionException;

/** Starts a child JVM that runs {@link Worker} and waits for it to connect. */
final class WorkerLaunch {

    /** Runs any class of a Spring Boot executable jar; the jar names it in {@code loader.main}. */
    private static final String BOOT_LAUNCHER = "org.springframework.boot.loader.launch.PropertiesLauncher";

    private static final String VECTOR_MODULE = "jdk.incubator.vector";
    private static final long CONNECT_SECONDS = 60;
    private static final long ALIVE_CHECK_MILLIS = 100;

    private WorkerLaunch() {}

    /**
     * A child that has connected.
     *
     * @param channel connected and blocking
     */
    record Connected(Process process, SocketChannel channel) {}

    /**
     * @param output reads what the child prints, on a thread of its own
     * @throws EngineException if the child cannot be started or does not connect
     */
    static Connected start(Consumer<BufferedReader> output) {
        List<String> arguments = new ArrayList<>(virtualMachine());
        arguments.addAll(classPath());
        try {
            // Only this user can enter the folder
            Path folder = Files.createTempDirectory("bloomery-worker");
            Path socket = folder.resolve("socket");
            Path argumentFile = folder.resolve("arguments");
            arguments.add(socket.toString());
            try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                server.bind(UnixDomainSocketAddress.of(socket), 1);
                Files.write(
                        argumentFile,
                        arguments.stream().map(WorkerLaunch::quoted).toList());
                Process process = launch(argumentFile);
                Thread.ofPlatform()
                        .name("bloomery-worker-output")
                        .daemon()
                        .start(() -> output.accept(process.inputReader()));
                return new Connected(process, connected(server, process));
            } finally {
                Files.deleteIfExists(socket);
                Files.deleteIfExists(argumentFile);
                Files.deleteIfExists(folder);
            }
        } catch (IOException e) {
            throw new EngineException(
                    "A worker process could not be started: " + e.getMessage()
                            + "; check that the folder for temporary files is writable and its path short, or set isolation"
                            + " to in-process.",
                    e);
        }
    }

    private static Process launch(Path argumentFile) throws IOException {
        boolean windows = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
        Path java = Path.of(System.getProperty("java.home"), "bin", windows ? "java.exe" : "java");
        ProcessBuilder builder = new ProcessBuilder(java.toString(), "@" + argumentFile).redirectErrorStream(true);
        // Made for this process: its heap, its agents, its debugger's port
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        builder.environment().remove("JDK_JAVA_OPTIONS");
        Process process = builder.start();
        process.getOutputStream().close();
        return process;
    }

    private static SocketChannel connected(ServerSocketChannel server, Process process) throws IOException {
        server.configureBlocking(false);
        long start = System.nanoTime();
        try (Selector selector = Selector.open()) {
            server.register(selector, SelectionKey.OP_ACCEPT);
            while (selector.select(ALIVE_CHECK_MILLIS) == 0) {
                if (!process.isAlive()) {
                    throw new EngineException("A worker process could not be started: it ended with exit code "
                            + process.exitValue() + " before it connected; the log has what it printed.");
                }
                if (System.nanoTime() - start > CONNECT_SECONDS * 1_000_000_000) {
                    process.destroyForcibly();
                    throw new EngineException("A worker process could not be started: it did not connect within "
                            + CONNECT_SECONDS + " s; the log has what it printed.");
                }
            }
            return server.accept();
        }
    }

    private static List<String> virtualMachine() {
        List<String> options = new ArrayList<>(List.of(
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.util.logging.SimpleFormatter.format=%4$s %5$s%6$s%n",
                "-XX:ErrorFile="
                        + Path.of(System.getProperty("java.io.tmpdir"))
                                .resolve("bloomery-worker-%p.log")
                                .toAbsolutePath()));
        for (String property : List.of("java.io.tmpdir", "java.library.path", "user.home")) {
            options.add("-D" + property + "=" + System.getProperty(property, ""));
        }
        if (ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent()) {
            options.add("--add-modules=" + VECTOR_MODULE);
        }
        return options;
    }

    private static List<String> classPath() {
        CodeSource source = WorkerLaunch.class.getProtectionDomain().getCodeSource();
        URL location = source == null ? null : source.getLocation();
        String place = String.valueOf(location);
        String classPath = System.getProperty("java.class.path", "");
        if (place.startsWith("jar:nested:")) {
            return List.of("-Dloader.main=" + Worker.class.getName(), "-cp", classPath, BOOT_LAUNCHER);
        }
        if (!WorkerLaunch.class.getClassLoader().equals(ClassLoader.getSystemClassLoader())) {
            throw new InvalidOptionException("Option 'isolation' is 'worker', but the engine was loaded from " + place
                    + " and not from this JVM's class path, so that no child JVM can find it; set it to in-process.");
        }
        return List.of("-cp", classPath, Worker.class.getName());
    }

    /** One argument in an argument file, as the java command reads it. */
    private static String quoted(String argument) {
        return '"' + argument.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
