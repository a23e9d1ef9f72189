package org.bloomery.engine.template;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Mutated templates render or are refused with a typed error; nothing else happens. */
class TemplateFuzzTest {

    private static final String OWN = """
            {%- macro show(x, depth=0) %}{% if x is mapping %}{% for k, v in x.items() %}{{ k }}: {{ show(v, depth + 1) }}
            {% endfor %}{% else %}{{ x | tojson(indent=2) }}{% endif %}{% endmacro %}
            {{- bos_token }}{% set ns = namespace(n=0, s='') %}
            {%- for m in messages if m.role != 'x' recursive %}
                {%- set ns.n = ns.n + loop.index ** 2 %}{% set ns.s = ns.s ~ m.content * 2 %}
                {{- '<|' + m.role + '|>' ~ m['content'] | trim | replace('a', 'b') | indent(4) }}{{ show(m) }}
                {%- if loop.last and not m.tools is defined %}{{ '%s-%05.1f' % (ns.n, 2) }}{{ '{:>9}'.format(ns.n) }}{% endif %}
            {%- else %}{{ range(3) | map('string') | join(',') }}{% endfor %}
            {%- filter upper %}{{ messages | map(attribute='role') | unique | list }}{% endfilter %}
            {%- call show(messages[0]) %}{% endcall %}{{ messages[-1:][0].content[::-1].split()[0:2] }}""";

    private static final String[] PIECES = {
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "|",
        ".",
        ",",
        ":",
        "'",
        "\"",
        "\\",
        " * 99999",
        " ** 99",
        "|list",
        "|join",
        "|tojson",
        "|sort",
        "|upper",
        "loop",
        "loop(",
        "messages",
        "for x in ",
        " if ",
        " else ",
        "not ",
        "{% for x in messages %}",
        "{% endfor %}",
        "{% if 1 %}",
        "{% endif %}",
        "{% set messages = messages * 2 %}",
        "~",
        "+",
        "namespace(",
        "range(99999)",
        "is ",
        "-",
        "0",
        "1e999",
        "\u0000",
        "\uD800",
        "é"
    };

    @Test
    void failsOnlyWithTemplateExceptions() throws IOException {
        List<String> sources = new ArrayList<>(List.of(OWN));
        Path golden = Path.of(System.getProperty("bloomery.shared", ""), "golden", "chat-templates");
        if (Files.isDirectory(golden)) {
            try (Stream<Path> files = Files.list(golden)) {
                for (Path file : files.sorted().toList()) {
                    Dict dict = (Dict) Value.json(Files.readString(file));
                    sources.add(((Text) Objects.requireNonNull(dict.get(Text.trusted("template")))).chars());
                }
            }
        }
        Map<String, Value> variables = Value.variables("""
                {"messages": [{"role": "user", "content": "a b\\nc"}, {"role": "assistant", "content": "", "tool_calls":
                [{"id": "1", "type": "function", "function": {"name": "f", "arguments": {"x": [1, 2.5, null]}}}]},
                {"role": "tool", "content": "r", "name": "f", "tool_call_id": "1"}], "tools": [{"type": "function",
                "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}}],
                "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>"}""");
        long seed = 42;
        Random random = new Random(seed);
        for (int round = 0; round < 3000; round++) {
            String template = mutated(sources.get(round % sources.size()), random);
            String name = "seed " + seed + ", round " + round;
            assertTimeoutPreemptively(Duration.ofSeconds(30), () -> check(template, variables, name), name);
        }
    }

    private static void check(String template, Map<String, Value> variables, String name) {
        try {
            Template.parse(template).render(variables, Clock.systemUTC());
        } catch (TemplateException expected) {
            // Refused, as it should be where the mutation broke it
        } catch (RuntimeException | Error e) {
            fail(name + ":\n" + template, e);
        }
    }

    private static String mutated(String source, Random random) {
        StringBuilder text = new StringBuilder(source);
        for (int i = 0; i <= random.nextInt(6); i++) {
            int at = random.nextInt(text.length());
            switch (random.nextInt(4)) {
                case 0 -> text.insert(at, PIECES[random.nextInt(PIECES.length)]);
                case 1 -> text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(12)));
                case 2 -> {
                    int from = random.nextInt(text.length());
                    text.insert(at, text.substring(from, Math.min(text.length(), from + 1 + random.nextInt(200))));
                }
                default -> text.setCharAt(at, PIECES[random.nextInt(PIECES.length)].charAt(0));
            }
            if (text.isEmpty()) {
                text.append(source);
            }
        }
        return text.toString();
    }
}
