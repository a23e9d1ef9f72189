package org.bloomery.example.production;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;

/**
 * The service in a JVM of its own on a free port, as it runs in production: it can be told to stop, and its memory is nobody
 * else's. Its log and its audit file lie in a folder of the test. Closing ends the process whatever it does.
 */
record ServiceProcess(Process process, Client client, Path log, Path audit) implements AutoCloseable {

    /** Answers never end by themselves: the demo model's end-of-turn tokens are barred. */
    static final List<String> ENDLESS =
            List.of("--bloomery.chat.logit-bias.[2037]=-100", "--bloomery.chat.logit-bias.[2039]=-100");

    private static final Pattern PORT = Pattern.compile("Tomcat started on port (\\d+)");

    /**
     * Starts it and waits for its port.
     *
     * @param jvm flags of the JVM
     * @param arguments properties, each as {@code --name=value}
     */
    static ServiceProcess start(Path folder, List<String> jvm, String... arguments) throws IOException {
        Path log = folder.resolve("service.log");
        Path audit = folder.resolve("audit.jsonl");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("--add-modules=jdk.incubator.vector");
        command.addAll(jvm);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), ProductionApplication.class.getName()));
        command.addAll(List.of("--server.port=0", "--server.address=127.0.0.1", "--bloomery.audit.file=" + audit));
        command.addAll(ENDLESS);
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            return new ServiceProcess(process, new Client(port(process, log)), log, audit);
        } catch (IOException | RuntimeException | Error e) {
            process.destroyForcibly();
            throw e;
        }
    }

    private static int port(Process process, Path log) throws IOException {
        int[] port = {0};
        Awaitility.await().atMost(Duration.ofMinutes(2)).until(() -> {
            Matcher line = PORT.matcher(Files.readString(log));
            port[0] = line.find() ? Integer.parseInt(line.group(1)) : 0;
            return port[0] > 0 || !process.isAlive();
        });
        if (port[0] == 0) {
            throw new AssertionError("The service did not start: " + Files.readString(log));
        }
        return port[0];
    }

    /** The rounded sum of all samples of a meter whose tags, as Prometheus writes them, have these words. */
    long metric(String name, String... tags) throws IOException, InterruptedException {
        double sum = client.get("prometheus", "/actuator/prometheus")
                .body()
                .lines()
                .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
                .filter(line -> List.of(tags).stream().allMatch(line::contains))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
        return Math.round(sum);
    }

    @Override
    public void close() {
        client.close();
        process.destroyForcibly();
        // Its files are the test's to delete.
        process.onExit().join();
    }
}
