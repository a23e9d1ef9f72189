package org.bloomery.engine.template;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bloomery.engine.TextSpan;
import org.junit.jupiter.api.Test;

/** Small templates against what Python's Jinja2 made of them; {@code snippets.py} beside the table wrote it. */
class SnippetsTest {

    private static final Clock NOW =
            Clock.fixed(LocalDateTime.parse("2026-03-04T05:06:07").toInstant(ZoneOffset.UTC), ZoneOffset.UTC);

    @Test
    void rendersEverySnippetAsTheReference() throws IOException {
        Dict table;
        try (InputStream in = Objects.requireNonNull(SnippetsTest.class.getResourceAsStream("snippets.json"))) {
            table = (Dict) Value.json(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
        Map<String, Value> variables = new LinkedHashMap<>();
        ((Dict) get(table, "context")).entries().forEach((name, value) -> variables.put(((Text) name).chars(), value));
        List<Value> snippets = ((Seq) get(table, "snippets")).items();
        assertThat(snippets).hasSizeGreaterThan(1500);
        List<String> wrong = new ArrayList<>();
        for (Value each : snippets) {
            Dict snippet = (Dict) each;
            String template = ((Text) get(snippet, "template")).chars();
            Value expected = snippet.get(Text.trusted("expected"));
            String rendered = render(template, variables);
            boolean right = expected instanceof Text text ? text.chars().equals(rendered) : rendered == null;
            if (!right) {
                wrong.add(template + " -> " + rendered);
            }
        }
        assertThat(wrong).isEmpty();
    }

    private static Value get(Dict dict, String key) {
        return Objects.requireNonNull(dict.get(Text.trusted(key)));
    }

    /** The text, or null where the template fails. */
    private static @org.jspecify.annotations.Nullable String render(String template, Map<String, Value> variables) {
        StringBuilder text = new StringBuilder();
        try {
            for (TextSpan span : Template.parse(template).render(variables, NOW)) {
                text.append(span.text());
            }
            return text.toString();
        } catch (TemplateException e) {
            return null;
        }
    }
}
