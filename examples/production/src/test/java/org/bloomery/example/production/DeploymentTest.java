package org.bloomery.example.production;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.boot.convert.DurationStyle;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The manifest, the Dockerfile, the build and the documents say the same, and the manifest's figures follow from each other. */
class DeploymentTest {

    /** What the JVM takes beside its heap and the model: code, classes, stacks, buffers. */
    private static final long JVM_BYTES = 512L << 20;

    /** For what comes after the web server and the engine have ended. */
    private static final long CLOSING_SECONDS = 10;

    private static final String DOCKERFILE = read(Path.of("Dockerfile"));
    private static final Map<?, ?> APPLICATION =
            yaml(Path.of("src/main/resources/application.yml")).getFirst();
    private static final Map<?, ?> DEPLOYMENT = yaml(Path.of("kubernetes.yaml")).get(0);
    private static final Map<?, ?> SERVICE = yaml(Path.of("kubernetes.yaml")).get(1);
    private static final Map<?, ?> POD = map(DEPLOYMENT, "spec", "template", "spec");
    private static final Map<?, ?> CONTAINER =
            (Map<?, ?>) list(POD, "containers").getFirst();

    @Test
    void manifestHasWhatKubernetesNeeds() {
        assertThat(DEPLOYMENT.get("apiVersion")).isEqualTo("apps/v1");
        assertThat(DEPLOYMENT.get("kind")).isEqualTo("Deployment");
        assertThat(SERVICE.get("apiVersion")).isEqualTo("v1");
        assertThat(SERVICE.get("kind")).isEqualTo("Service");
        Map<?, ?> labels = map(DEPLOYMENT, "spec", "template", "metadata", "labels");
        assertThat(map(DEPLOYMENT, "spec", "selector", "matchLabels")).isEqualTo(labels);
        assertThat(map(SERVICE, "spec", "selector")).isEqualTo(labels);
        for (Object name : List.of(
                map(DEPLOYMENT, "metadata").get("name"),
                map(SERVICE, "metadata").get("name"),
                CONTAINER.get("name"))) {
            assertThat(String.valueOf(name)).matches("[a-z]([-a-z0-9]{0,61}[a-z0-9])?");
        }
        assertThat(String.valueOf(CONTAINER.get("image"))).matches("[a-z0-9./-]+:\\w+");
        List<String> volumes = list(POD, "volumes").stream()
                .map(volume -> String.valueOf(((Map<?, ?>) volume).get("name")))
                .toList();
        assertThat(list(CONTAINER, "volumeMounts")).allSatisfy(mount -> {
            assertThat(volumes).contains(String.valueOf(((Map<?, ?>) mount).get("name")));
            assertThat(String.valueOf(((Map<?, ?>) mount).get("mountPath"))).startsWith("/");
        });
        assertThat(CONTAINER.keySet().stream().map(Object::toString))
                .isSubsetOf(
                        "name",
                        "image",
                        "ports",
                        "env",
                        "envFrom",
                        "resources",
                        "securityContext",
                        "startupProbe",
                        "readinessProbe",
                        "livenessProbe",
                        "lifecycle",
                        "volumeMounts");
    }

    @Test
    void probesAskTheServicesOwnPort() {
        Map<?, ?> port = (Map<?, ?>) list(CONTAINER, "ports").getFirst();
        assertThat(map(APPLICATION).containsKey("server"))
                .as("Spring Boot's own port")
                .isFalse();
        assertThat(port.get("containerPort")).isEqualTo(8080);
        assertThat(DOCKERFILE).contains("\nEXPOSE 8080\n");
        assertThat(((Map<?, ?>) list(map(SERVICE, "spec"), "ports").getFirst()).get("targetPort"))
                .isEqualTo(port.get("name"));
        for (String probe : List.of("startupProbe", "readinessProbe", "livenessProbe")) {
            Map<?, ?> get = map(CONTAINER, probe, "httpGet");
            assertThat(get.get("port")).as(probe).isEqualTo(port.get("name"));
            assertThat(get.get("path"))
                    .as(probe)
                    .isEqualTo("/actuator/health/" + (probe.startsWith("live") ? "liveness" : "readiness"));
        }
        assertThat(map(APPLICATION, "management").containsKey("endpoint"))
                .as(
                        "groups of its own; Spring Boot's are readiness, which follows the engine, and liveness, which does not")
                .isFalse();
    }

    @Test
    void startupProbeLastsThreeTimesTheMeasuredStart() {
        long start = seconds(annotation("bloomery.example/start"));
        int period = number(map(CONTAINER, "startupProbe"), "periodSeconds");
        int threshold = number(map(CONTAINER, "startupProbe"), "failureThreshold");
        assertThat(threshold).isEqualTo(Math.ceilDiv(3 * start, period));
    }

    @Test
    void podOutlivesTheLastAnswer() {
        long answers = seconds(map(APPLICATION, "bloomery", "engine").get("shutdown-timeout"));
        long phase = seconds(map(APPLICATION, "spring", "lifecycle").get("timeout-per-shutdown-phase"));
        int pause = number(map(CONTAINER, "lifecycle", "preStop", "sleep"), "seconds");
        assertThat(answers).isLessThan(phase);
        assertThat(number(POD, "terminationGracePeriodSeconds"))
                .isGreaterThanOrEqualTo(Math.toIntExact(pause + phase + CLOSING_SECONDS));
    }

    @Test
    void doorLetsInAsManyAsTheEngineTakes() {
        Map<?, ?> engine = map(APPLICATION, "bloomery", "engine");
        assertThat(number(map(APPLICATION, "example"), "requests-at-once"))
                .isEqualTo(number(engine, "max-sequences") + number(engine, "queue-capacity"));
    }

    @Test
    void memoryHoldsHeapModelAndTheRest() {
        Map<?, ?> resources = map(CONTAINER, "resources");
        long limit = bytes(map(resources, "limits").get("memory"));
        Matcher percentage = Pattern.compile("-XX:MaxRAMPercentage=(\\d+)").matcher(DOCKERFILE);
        assertThat(percentage.find()).isTrue();
        long heap = limit * Integer.parseInt(percentage.group(1)) / 100;
        assertThat(heap + bytes(annotation("bloomery.example/model-memory")) + JVM_BYTES)
                .isLessThanOrEqualTo(limit);
        assertThat(map(resources, "requests").get("memory"))
                .isEqualTo(map(resources, "limits").get("memory"));
        assertThat(String.valueOf(map(resources, "requests").get("cpu")))
                .as("whole CPUs")
                .matches("\\d+");
        assertThat(map(resources, "limits").containsKey("cpu")).as("a quota").isFalse();
    }

    @Test
    void everyVariableIsAProperty() throws IOException {
        List<String> variables = new ArrayList<>();
        list(CONTAINER, "env").forEach(each -> variables.add(String.valueOf(((Map<?, ?>) each).get("name"))));
        String manifest = Files.readString(Path.of("kubernetes.yaml"));
        Pattern.compile("--from-literal=(\\w+)=")
                .matcher(manifest)
                .results()
                .forEach(each -> variables.add(each.group(1)));
        Pattern.compile("(?m)^ENV ((?:BLOOMERY|EXAMPLE)\\w+)")
                .matcher(DOCKERFILE)
                .results()
                .forEach(each -> variables.add(each.group(1)));
        List<String> properties = new ArrayList<>();
        Pattern.compile("`(bloomery\\.[a-z0-9.-]+)`")
                .matcher(read(Path.of("../../docs/configuration.md")))
                .results()
                .forEach(each -> properties.add(variable(each.group(1))));
        for (Object account : map(APPLICATION, "example", "accounts").keySet()) {
            properties.add(variable("example.accounts." + account + ".key-sha256"));
        }
        assertThat(variables).hasSizeGreaterThanOrEqualTo(8).isSubsetOf(properties);
        assertThat(variables)
                .containsAll(properties.stream()
                        .filter(each -> each.startsWith("EXAMPLE"))
                        .toList());
    }

    @Test
    void imageAndPodAgreeOnUserAndFolders() {
        int user = number(map(POD, "securityContext"), "runAsUser");
        assertThat(DOCKERFILE).contains("useradd --uid " + user + " ", "\nUSER " + user + "\n");
        Map<String, Boolean> writable = new HashMap<>();
        list(CONTAINER, "volumeMounts").forEach(each -> {
            Map<?, ?> mount = (Map<?, ?>) each;
            writable.put(String.valueOf(mount.get("mountPath")), !Boolean.TRUE.equals(mount.get("readOnly")));
        });
        assertThat(map(CONTAINER, "securityContext").get("readOnlyRootFilesystem"))
                .isEqualTo(true);
        Matcher audit = Pattern.compile("ENV BLOOMERY_AUDIT_FILE=(.*)/[^/]+\n").matcher(DOCKERFILE);
        assertThat(audit.find()).isTrue();
        assertThat(writable)
                .containsEntry(audit.group(1), true)
                .containsEntry("/tmp", true)
                .containsEntry("/models", false);
        assertThat(environment("BLOOMERY_CHAT_MODEL")).startsWith("/models/");
        assertThat(environment("BLOOMERY_ENGINE_LOADMODE")).isEqualTo("map");
    }

    @Test
    void flagsAreTheSameEverywhere() {
        Matcher build = Pattern.compile("<bloomery.jvm.flags>(.*)</bloomery.jvm.flags>")
                .matcher(read(Path.of("../../pom.xml")));
        assertThat(build.find()).isTrue();
        List<String> flags = flags(build.group(1));
        assertThat(flags).hasSize(2);

        Matcher image = Pattern.compile("ENV JDK_JAVA_OPTIONS=\"(.*)\"").matcher(DOCKERFILE);
        assertThat(image.find()).isTrue();
        assertThat(flags(image.group(1))).containsAll(flags);
        Matcher buildpack =
                Pattern.compile("<BPE_APPEND_JAVA_TOOL_OPTIONS>(.*)</").matcher(read(Path.of("pom.xml")));
        assertThat(buildpack.find()).isTrue();
        assertThat(flags(buildpack.group(1))).containsExactlyInAnyOrderElementsOf(flags);
        assertThat(buildpack.group(1))
                .as("the form that JAVA_TOOL_OPTIONS takes")
                .doesNotContain("modules ");
        for (Path document : List.of(Path.of("README.md"), Path.of("../../docs/operations.md"))) {
            List<String> exported = Pattern.compile("export JDK_JAVA_OPTIONS=\"(.*)\"")
                    .matcher(read(document))
                    .results()
                    .map(each -> each.group(1))
                    .toList();
            assertThat(exported)
                    .isNotEmpty()
                    .allSatisfy(each -> assertThat(flags(each)).containsExactlyInAnyOrderElementsOf(flags));
        }
    }

    @Test
    void imageCopiesTheJarThatMavenBuilds() {
        Matcher artifact =
                Pattern.compile("</parent>\\s*<artifactId>(.*)</artifactId>").matcher(read(Path.of("pom.xml")));
        assertThat(artifact.find()).isTrue();
        assertThat(DOCKERFILE).contains("\nCOPY target/" + artifact.group(1) + "-*.jar application.jar\n");
        for (String layer : List.of("dependencies", "spring-boot-loader", "snapshot-dependencies", "application")) {
            assertThat(DOCKERFILE).contains("/build/extracted/" + layer + "/ ./\n");
        }
    }

    /** Flags in one form, {@code --name=value}. */
    private static List<String> flags(String line) {
        return Stream.of(line.replaceAll("(--[a-z-]+) (?=[a-z])", "$1=").trim().split(" +"))
                .toList();
    }

    private static String variable(String property) {
        return property.replace("-", "").replace('.', '_').toUpperCase(Locale.ROOT);
    }

    private static String environment(String name) {
        return list(CONTAINER, "env").stream()
                .map(each -> (Map<?, ?>) each)
                .filter(each -> name.equals(each.get("name")))
                .map(each -> String.valueOf(each.get("value")))
                .findFirst()
                .orElseThrow();
    }

    private static Object annotation(String name) {
        return Objects.requireNonNull(map(DEPLOYMENT, "metadata", "annotations").get(name), name);
    }

    private static long seconds(@Nullable Object duration) {
        return DurationStyle.detectAndParse(String.valueOf(duration)).toSeconds();
    }

    /** Of Kubernetes' binary units. */
    private static long bytes(@Nullable Object quantity) {
        Matcher parts = Pattern.compile("(\\d+)(Mi|Gi)").matcher(String.valueOf(quantity));
        assertThat(parts.matches()).as(String.valueOf(quantity)).isTrue();
        return Long.parseLong(parts.group(1)) << (parts.group(2).equals("Mi") ? 20 : 30);
    }

    private static int number(Map<?, ?> map, String key) {
        return (Integer) Objects.requireNonNull(map.get(key), key);
    }

    private static Map<?, ?> map(Map<?, ?> root, String... path) {
        Map<?, ?> found = root;
        for (String key : path) {
            found = (Map<?, ?>) Objects.requireNonNull(found.get(key), key);
        }
        return found;
    }

    private static List<?> list(Map<?, ?> root, String key) {
        return (List<?>) Objects.requireNonNull(root.get(key), key);
    }

    private static List<Map<?, ?>> yaml(Path file) {
        List<Map<?, ?>> documents = new ArrayList<>();
        new Yaml(new SafeConstructor(new LoaderOptions()))
                .loadAll(read(file))
                .forEach(document -> documents.add((Map<?, ?>) document));
        return documents;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
