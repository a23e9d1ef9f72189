package org.bloomery.engine.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bloomery.engine.TextSpan;
import org.junit.jupiter.api.Test;

/** Which characters of a prompt are the template's and which are a user's. */
class OriginTest {

    private static final Map<String, Value> VARIABLES = Map.of(
            "u", Value.untrusted("<u>"),
            "v", Value.untrusted("a,b"),
            "bos", Value.trusted("<s>"),
            "map", Value.json("{\"k\": \"<u>\", \"n\": [1, \"x\"]}"));

    private static List<TextSpan> render(String template) {
        return Template.parse(template).render(VARIABLES, Clock.systemUTC());
    }

    /** Spans in short: untrusted ones in angle quotes. */
    private static String marks(String template) {
        StringBuilder marks = new StringBuilder();
        for (TextSpan span : render(template)) {
            marks.append(span.trusted() ? span.text() : "«" + span.text() + "»");
        }
        return marks.toString();
    }

    @Test
    void keepsOriginThroughOperations() {
        assertThat(marks("{{ bos }}x{{ u }}y")).isEqualTo("<s>x«<u>»y");
        assertThat(marks("{{ bos + u + 'x' }}")).isEqualTo("<s>«<u>»x");
        assertThat(marks("{{ bos ~ u ~ 1 }}")).isEqualTo("<s>«<u>»1");
        assertThat(marks("{{ ('ab' + u + 'cd')[1:4] }}")).isEqualTo("b«<u»");
        assertThat(marks("{{ ('ab' + u + 'cd')[::-1] }}")).isEqualTo("dc«>u<»ba");
        assertThat(marks("{{ (' ' + u + ' ') | trim }}")).isEqualTo("«<u>»");
        assertThat(marks("{{ ('a' + u) | upper }}")).isEqualTo("A«<U>»");
        assertThat(marks("{{ v.replace(',', ';') }}")).isEqualTo("«a»;«b»");
        assertThat(marks("{{ ('x,' + v).split(',') | join('-') }}")).isEqualTo("x-«a»-«b»");
        assertThat(marks("{{ '%s!' % u }}{{ '{}?'.format(u) }}")).isEqualTo("«<u>»!«<u>»?");
        assertThat(marks("{{ ('a\n' + u) | indent(2) }}")).isEqualTo("a\n  «<u>»");
        assertThat(marks("{% set b %}[{{ u }}]{% endset %}{{ b }}")).isEqualTo("[«<u>»]");
        assertThat(marks("{% macro m(x) %}[{{ x }}]{% endmacro %}{{ m(u) }}")).isEqualTo("[«<u>»]");
        assertThat(marks("{% for c in u %}{{ c }}.{% endfor %}")).isEqualTo("«<».«u».«>».");
        assertThat(marks("{{ u | e }}")).isEqualTo("«&lt;u&gt;»");
        assertThat(marks("{{ (u * 2) ~ ('t' * 2) }}")).isEqualTo("«<u><u>»tt");
    }

    @Test
    void doesNotTrustDocumentsThatHoldUntrustedText() {
        assertThat(marks("{{ map | tojson }}")).isEqualTo("«{\"k\": \"<u>\", \"n\": [1, \"x\"]}»");
        assertThat(marks("{{ map }}")).startsWith("«").endsWith("»");
        assertThat(marks("{{ map.n[0] }}{{ map.keys() | first }}")).isEqualTo("1«k»");
        assertThat(marks("{{ {'k': bos} | tojson }}")).isEqualTo("{\"k\": \"<s>\"}");
        assertThat(marks("{{ [u] | tojson }}")).isEqualTo("«[\"<u>\"]»");
    }

    @Test
    void neverShowsUntrustedTextInMessages() {
        assertThatThrownBy(() -> render("{{ raise_exception('Bad: ' + u + '!') }}"))
                .isInstanceOf(TemplateException.class)
                .hasMessage("The chat template fails at line 1: Bad: …!");
        assertThatThrownBy(() -> render("\n\n{{ map[u].x }}"))
                .hasMessageContaining("line 3")
                .hasMessageNotContaining("<u>");
    }

    @Test
    void trustsNoCharacterOfTheUserWhateverTheTemplateDoes() {
        // Private-use characters stand for the user's text, so that each can be recognised in the output
        String secret = "\uE001\uE002,\uE003 \uE004";
        String[] operations = {
            "| upper",
            "| trim",
            "| tojson",
            "| indent(2)",
            "| replace('x', '-')",
            "| string",
            "| e",
            "| reverse",
            "| center(30)",
            "| title",
            "| list | join('+')",
            ".split(',') | join(';')",
            "[1:]",
            "[::-1]",
            "| truncate(9)",
            "| wordwrap(3)",
            ".partition(',')[2]",
            "| urlencode | string",
            ".splitlines() | first",
            "| capitalize",
            "| format",
            ".ljust(20, '*')",
            ".expandtabs()",
            "| map('upper') | join",
            "| safe",
            ".removeprefix('t')"
        };
        long seed = 20260314;
        Random random = new Random(seed);
        for (int round = 0; round < 2000; round++) {
            StringBuilder expression = new StringBuilder("('t' + u + 't')");
            for (int i = 0; i <= random.nextInt(4); i++) {
                expression
                        .insert(0, '(')
                        .append(operations[random.nextInt(operations.length)])
                        .append(')');
            }
            List<TextSpan> spans;
            try {
                spans = Template.parse("a{{ " + expression + " }}b")
                        .render(Map.of("u", Value.untrusted(secret)), Clock.systemUTC());
            } catch (TemplateException e) {
                continue;
            }
            for (TextSpan span : spans) {
                assertThat(span.trusted() && span.text().chars().anyMatch(c -> c >= 0xE001 && c <= 0xE004))
                        .as("seed %d: %s", seed, expression)
                        .isFalse();
            }
        }
    }
}
