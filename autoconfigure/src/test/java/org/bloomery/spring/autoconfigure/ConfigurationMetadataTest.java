package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What an editor offers and what the documentation says is what the properties are. */
class ConfigurationMetadataTest {

    private static final Path DOCUMENTATION = Path.of("..", "docs", "configuration.md");
    private static final Pattern ROW = Pattern.compile(
            "^\\| `(bloomery\\.[a-z0-9.-]+)` \\| ([^|]*) \\| ([^|]*) \\| ([^|]+) \\|$", Pattern.MULTILINE);

    private final JsonNode metadata = read("META-INF/spring-configuration-metadata.json");

    @Test
    void everyPropertyIsDescribed() {
        assertThat(properties().keySet())
                .containsExactlyInAnyOrderElementsOf(Stream.of(
                                keys(BloomeryChatProperties.PREFIX, BloomeryChatProperties.class),
                                keys(BloomeryEngineProperties.PREFIX, BloomeryEngineProperties.class),
                                keys(BloomeryAdmissionProperties.PREFIX, BloomeryAdmissionProperties.class),
                                keys(BloomeryMetricsProperties.PREFIX, BloomeryMetricsProperties.class),
                                keys(BloomeryAuditProperties.PREFIX, BloomeryAuditProperties.class),
                                keys(BloomeryGuardProperties.PREFIX, BloomeryGuardProperties.class),
                                keys(BloomerySecurityProperties.PREFIX, BloomerySecurityProperties.class),
                                keys(BloomeryResilienceProperties.PREFIX, BloomeryResilienceProperties.class),
                                keys(BloomeryOverflowProperties.PREFIX, BloomeryOverflowProperties.class))
                        .flatMap(Function.identity())
                        .toList());
        assertThat(properties()).allSatisfy((key, property) -> {
            assertThat(property.path("description").asString("")).as(key).endsWith(".");
            assertThat(property.path("type").asString("")).as(key).isNotEmpty();
        });
    }

    @Test
    void textWithFewValuesHasHints() {
        Map<String, List<String>> hints = new TreeMap<>();
        metadata.path("hints")
                .forEach(hint -> hints.put(
                        hint.path("name").asString(),
                        hint.path("values")
                                .valueStream()
                                .map(value -> value.path("value").asString())
                                .toList()));
        assertThat(hints)
                .containsEntry("bloomery.engine.kernels", List.of("auto", "machine", "vector", "scalar"))
                .containsEntry("bloomery.engine.kv-cache-type", List.of("F16", "F32", "Q8_0", "Q4_0"))
                .containsEntry("bloomery.engine.backend", List.of("auto", "java", "native"))
                .containsEntry("bloomery.engine.gpu-layers", List.of("auto", "0"))
                .containsEntry("spring.ai.model.chat", List.of("bloomery"))
                .containsKey("bloomery.chat.model");
    }

    @Test
    void theDocumentationListsThesePropertiesAndDefaults() throws IOException {
        Map<String, String> documented = new TreeMap<>();
        Matcher row = ROW.matcher(Files.readString(DOCUMENTATION));
        while (row.find()) {
            documented.put(row.group(1), row.group(3).replace("`", "").strip());
        }
        Map<String, String> actual = new TreeMap<>();
        properties().forEach((key, property) -> {
            JsonNode value = property.path("defaultValue");
            actual.put(key, value.isMissingNode() || value.isArray() ? "" : value.asString());
        });
        assertThat(documented).isEqualTo(actual);
    }

    @Test
    void autoConfigurationIsListedWithItsConditions() throws IOException {
        try (InputStream in = open("META-INF/spring-autoconfigure-metadata.properties")) {
            assertThat(new String(in.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8))
                    .contains(BloomeryChatAutoConfiguration.class.getName() + ".AutoConfigureBefore=");
        }
    }

    private Map<String, JsonNode> properties() {
        Map<String, JsonNode> properties = new TreeMap<>();
        metadata.path("properties").forEach(property -> {
            String name = property.path("name").asString();
            // Boot's processor adds those of an endpoint
            if (name.startsWith("bloomery.")) {
                properties.put(name, property);
            }
        });
        return properties;
    }

    private static Stream<String> keys(String prefix, Class<? extends Record> properties) {
        return Arrays.stream(properties.getRecordComponents())
                .map(RecordComponent::getName)
                .map(name -> prefix + "." + name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT));
    }

    /** This module's file, not that of a library with the same name. */
    private static InputStream open(String name) throws IOException {
        return Files.newInputStream(Path.of("target", "classes").resolve(name));
    }

    private static JsonNode read(String name) {
        try (InputStream in = open(name)) {
            return Objects.requireNonNull(JsonMapper.shared().readTree(in));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
