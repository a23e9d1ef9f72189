package org.bloomery.engine.chat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/** The chat templates of real models, by the names of their files. */
final class GoldenTemplates {

    private GoldenTemplates() {}

    /** Skips the test where they are missing. */
    static Map<String, String> all() throws IOException {
        Path folder = Path.of(System.getProperty("bloomery.shared", ""), "golden", "chat-templates");
        Assumptions.assumeTrue(
                Files.isDirectory(folder),
                "The golden chat templates are not here; set bloomery.shared to the folder that holds golden/chat-templates.");
        List<Path> paths;
        try (Stream<Path> files = Files.list(folder)) {
            paths = files.filter(file -> file.toString().endsWith(".json"))
                    .sorted()
                    .toList();
        }
        Map<String, String> templates = new TreeMap<>();
        for (Path file : paths) {
            templates.put(String.valueOf(file.getFileName()).replace(".json", ""), template(Files.readString(file)));
        }
        return templates;
    }

    private static String template(String golden) {
        try (JsonParser json = JsonCalls.parser(golden)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                String key = json.currentName();
                json.nextToken();
                if (key.equals("template")) {
                    return json.getString();
                }
                json.skipChildren();
            }
        }
        throw new AssertionError("A golden file has no template.");
    }
}
