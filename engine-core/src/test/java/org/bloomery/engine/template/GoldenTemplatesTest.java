package org.bloomery.engine.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bloomery.engine.TextSpan;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Real templates against what Python's Jinja2 makes of them. */
class GoldenTemplatesTest {

    private static Path folder() {
        return Path.of(System.getProperty("bloomery.shared", ""), "golden", "chat-templates");
    }

    @TestFactory
    Stream<DynamicTest> rendersEveryCaseAsTheReference() throws IOException {
        Assumptions.assumeTrue(Files.isDirectory(folder()), "The golden chat templates are not beside this checkout.");
        try (Stream<Path> files = Files.list(folder())) {
            return files.sorted().toList().stream()
                    .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> check(file)));
        }
    }

    private static void check(Path file) throws IOException {
        Dict golden = (Dict) Value.json(Files.readString(file));
        Template template = Template.parse(text(golden, "template"));
        Clock clock = Clock.fixed(LocalDateTime.parse(text(golden, "now")).toInstant(ZoneOffset.UTC), ZoneOffset.UTC);
        List<Value> cases = ((Seq) Objects.requireNonNull(golden.get(Text.trusted("cases")))).items();
        assertThat(cases).isNotEmpty();
        for (Value each : cases) {
            Dict one = (Dict) each;
            Map<String, Value> variables = new LinkedHashMap<>();
            Dict context = (Dict) Objects.requireNonNull(one.get(Text.trusted("context")));
            context.entries().forEach((name, value) -> variables.put(((Text) name).chars(), value));
            String name = text(one, "name");
            if (one.get(Text.trusted("expected")) instanceof Text expected) {
                String rendered = template.render(variables, clock).stream()
                        .map(TextSpan::text)
                        .collect(Collectors.joining());
                assertThat(rendered).as(name).isEqualTo(expected.chars());
            } else {
                assertThatThrownBy(() -> template.render(variables, clock))
                        .as(name)
                        .isInstanceOf(TemplateException.class)
                        .hasMessageContaining(text(one, "error").replaceFirst("^\\w+Error: ", ""));
            }
        }
    }

    private static String text(Dict dict, String key) {
        return ((Text) Objects.requireNonNull(dict.get(Text.trusted(key)))).chars();
    }
}
