package org.bloomery.engine.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.TextSpan;
import org.junit.jupiter.api.Test;

/** Templates that ask for more than there is. */
class TemplateLimitsTest {

    private static final List<String> GREEDY = List.of(
            "{{ 'a' * 10**9 }}",
            "{{ range(10**9)|list }}",
            "{% set ns=namespace(x=10**1000) %}{% for i in range(100) %}{% set ns.x = ns.x * ns.x %}{% endfor %}",
            "{% set ns=namespace(s='aaaaaaaaaa') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s|length }}",
            "{% set ns=namespace(s='aaaaaaaaaa') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
            "{% set ns=namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
            "{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}{% endfor %}{% endfor %}{% endfor %}",
            "{% for a in range(100000) %}{{ 'abcdefghijklmnopqrstuvwxyz' * 100 }}{% endfor %}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{% macro m(x) %}{{ m(m(x)) }}{% endmacro %}{{ m(1) }}",
            "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(100) }}",
            "{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}",
            "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
            "{{ " + "(".repeat(100000) + "1" + ")".repeat(100000) + " }}",
            "{{ " + "[".repeat(100000) + "1" + "]".repeat(100000) + " }}",
            "{{ " + "not ".repeat(100000) + "1 }}",
            "{{ " + "-".repeat(100000) + "1 }}",
            "{% if 1 %}".repeat(100000),
            "{{ " + "1 if 1 else ".repeat(100000) + "1 }}",
            "{% for i in [1] %}".repeat(200),
            "{% set " + "(".repeat(100000) + "a" + ")".repeat(100000) + " = 1 %}",
            "{% set ns=namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
            "{% set ns=namespace() %}{% set ns.x = ns %}{{ ns }}",
            "{% set ns=namespace() %}{% set ns.x = [ns, ns, ns] %}{{ ns }}",
            "{% set ns=namespace(g=[1]) %}{% for i in range(10000) %}{% set ns.g = ns.g|map('string') %}{% endfor %}{{ ns.g|list }}",
            "{{ 'a'|center(10**9) }}",
            "{{ 'a'.zfill(10**9) }}",
            "{{ 'a'.ljust(2000000000) }}",
            "{{ '%1000000000d' % 1 }}",
            "{{ '{:1000000000}'.format(1) }}",
            "{{ '%.1000000000f' % 1 }}",
            "{{ '{:010000000,}'.format(1) }}",
            "{{ ('a\\n' * 1000)|indent(1000000) }}",
            "{{ '\\t'.expandtabs(10**9) }}",
            "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
            "{{ ('a' * 100000).replace('', 'b' * 100000) }}",
            "{{ (['a' * 1000] * 100000) | join('x' * 1000) }}",
            "{{ [1]|batch(10**9, 'x')|list }}",
            "{{ [1]|slice(10**9)|list }}",
            "{% set a = 'a' * 1000000 %}{% set b = 'a' * 999999 + 'a' %}{% for i in range(100000) %}{% if a == b %}{% endif %}{% endfor %}",
            "{% set a = 'a' * 1000000 %}{% for i in range(100000) %}{% set b = a|upper %}{% endfor %}",
            "{% set ns=namespace(t=(1,)) %}{% for i in range(100) %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}{{ {ns.t: 1} }}",
            "{% set ns=namespace(t=[1]) %}{% for i in range(100) %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.t }}",
            "{% set ns=namespace(t=[1],u=[1]) %}{% for i in range(100) %}{% set ns.t = [ns.t, ns.t] %}{% set ns.u = [ns.u, ns.u] %}{% endfor %}{{ ns.t == ns.u }}",
            "{% set ns=namespace(t=[1],u=[1]) %}{% for i in range(100) %}{% set ns.t = [ns.t, ns.t] %}{% set ns.u = [ns.u, ns.u] %}{% endfor %}{{ [ns.t, ns.u]|sort }}{{ [ns.t, ns.u]|unique|list }}{{ {'a': ns.t} == {'a': ns.u} }}",
            "{% set ns=namespace(t=[1],u=[1]) %}{% for i in range(60) %}{% set ns.t = (ns.t, ns.t) %}{% set ns.u = (ns.u, ns.u) %}{% endfor %}{% for x in [1,2] %}{{ loop.changed(ns.t) }}{{ loop.changed(ns.u) }}{% endfor %}",
            "{% set ns=namespace(t=(1,)) %}{% for i in range(60) %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}{{ [ns.t]|unique|list|length }}{{ {}.get(ns.t) }}{{ {}[ns.t] }}");

    private static final List<String> LONG = List.of(
            "{{ 'a'" + "~'a'".repeat(500000) + " }}",
            "{{ a" + ".b".repeat(100000) + " }}",
            "{{ 'a'" + "|upper".repeat(100000) + " }}",
            "{% if 0 %}" + "{% elif 0 %}".repeat(100000) + "{% endif %}",
            "{#".repeat(100000),
            "{{".repeat(1000000),
            "{% raw %}" + "{% ".repeat(1000000),
            ("{% raw" + " ".repeat(1000)).repeat(1000),
            "a" + " ".repeat(2000000) + "{{- 1 }}",
            (" ".repeat(1000) + "{% if 1 %}{% endif %}").repeat(1000));

    private static String render(String template, Map<String, Value> variables) {
        StringBuilder text = new StringBuilder();
        for (TextSpan span : Template.parse(template).render(variables, Clock.systemUTC())) {
            text.append(span.text());
        }
        return text.toString();
    }

    /** The refusal of a template, or null where it renders; on a thread with the usual stack. */
    private static Throwable outcome(String template) throws InterruptedException {
        Throwable[] thrown = new Throwable[1];
        Thread thread = new Thread(
                null,
                () -> {
                    try {
                        assertThat(render(template, Map.of())).isNotNull();
                    } catch (Throwable e) {
                        thrown[0] = e;
                    }
                },
                "render",
                1 << 20);
        thread.start();
        thread.join();
        return thrown[0];
    }

    @Test
    void refusesGreedyTemplatesNamingWhatIsTooMuch() {
        for (String template : GREEDY) {
            String shown = template.substring(0, Math.min(80, template.length()));
            Throwable thrown = assertTimeoutPreemptively(Duration.ofSeconds(30), () -> outcome(template), shown);
            assertThat(thrown)
                    .as(shown)
                    .isInstanceOf(TemplateException.class)
                    .message()
                    .containsAnyOf("more than", "at most", "deeper than", "Range too big")
                    .doesNotContain("this thread's stack");
        }
    }

    @Test
    void takesLongTemplatesInLinearTime() {
        for (String template : LONG) {
            Throwable thrown = assertTimeoutPreemptively(
                    Duration.ofSeconds(30), () -> outcome(template), template.substring(0, 20));
            assertThat(thrown == null || thrown instanceof TemplateException)
                    .as(template.substring(0, 20))
                    .isTrue();
        }
    }

    @Test
    void refusesLongSource() {
        assertThat(outcomeOf("x".repeat((4 << 20) + 1))).hasMessageContaining("4194304");
    }

    private static Throwable outcomeOf(String template) {
        try {
            return outcome(template);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void rendersAConversationOfTenMillionCharacters() {
        String template = """
                {%- set ns = namespace(all='') %}
                {%- for message in messages %}
                    {%- if message.content is string and message.content.startswith('x') %}
                        {{- '<|im_start|>' + message.role + '\\n' + message.content | trim + '<|im_end|>\\n' }}
                    {%- endif %}
                    {%- set ns.all = ns.all + message.role %}
                {%- endfor %}
                {{- ns.all | length }}""";
        List<Value> messages = new ArrayList<>();
        String content = "x" + "word é😀\n".repeat(100) + "y";
        for (int i = 0; i * (long) content.length() < 10_000_000; i++) {
            messages.add(Value.map(Map.of("role", Value.trusted("user"), "content", Value.untrusted(content))));
        }
        String text = assertTimeoutPreemptively(
                Duration.ofSeconds(30), () -> render(template, Map.of("messages", Value.list(messages))));
        assertThat(text)
                .hasSize(messages.size() * (content.length() + 28)
                        + Integer.toString(4 * messages.size()).length());
    }

    @Test
    void rendersOneMessageOfTenMillionCharacters() {
        String content = "  " + "a b\n".repeat(2_500_000);
        Map<String, Value> variables = Map.of("c", Value.untrusted(content));
        String template = "{{ (c | trim).split('</think>')[-1].lstrip('\\n') + '<|end|>' }}";
        String text = assertTimeoutPreemptively(Duration.ofSeconds(30), () -> render(template, variables));
        assertThat(text).isEqualTo(content.strip() + "<|end|>");
    }
}
