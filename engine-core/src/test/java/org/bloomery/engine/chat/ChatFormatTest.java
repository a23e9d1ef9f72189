package org.bloomery.engine.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.template.TemplateException;
import org.junit.jupiter.api.Test;

class ChatFormatTest {

    private static final String CHATML = """
            {%- for message in messages %}
                {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
            {%- endfor %}
            {%- if add_generation_prompt %}
                {{- '<|im_start|>assistant\\n' }}
            {%- endif %}
            """;

    /** Insists on user and assistant in turn, and on no system message. */
    private static final String STRICT = """
            {{- bos_token }}
            {%- if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
            {%- for message in messages %}
                {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}
                    {{- raise_exception('Roles must alternate') }}
                {%- endif %}
                {{- '[' + message.role + '] ' + message.content + '\\n' }}
            {%- endfor %}""";

    /** Takes one system message, first. */
    private static final String ONE_SYSTEM = """
            {%- for message in messages %}
                {%- if message.role == 'system' and not loop.first %}{{ raise_exception('System first') }}{% endif %}
                {{- '[' + message.role + '] ' + message.content + '\\n' }}
            {%- endfor %}""";

    private static final String TOOLS = """
            {%- if tools %}{% for tool in tools %}{{ tool | tojson }}
            {% endfor %}{% endif %}
            {%- for message in messages %}
                {{- '[' + message.role + '] ' + message.content }}
                {%- for call in message.tool_calls %}
                    {{- ' call ' + call.id + ' ' + call.function.name + ' ' }}ARGUMENTS
                {%- endfor %}
                {%- if message.tool_call_id %} for {{ message.tool_call_id }} by {{ message.name }}{% endif %}
                {{- '\\n' }}
            {%- endfor %}""";

    private static final ToolSpec WEATHER = new ToolSpec(
            "weather", "The weather", "{\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}}}");

    private static final List<ChatMessage> WITH_CALL = List.of(
            ChatMessage.user("Weather?"),
            ChatMessage.assistant(
                    "", null, List.of(new ToolCall("id1", "weather", "{\"city\": \"Zürich\", \"days\": 2}"))),
            ChatMessage.toolResult("id1", "weather", "sunny"));

    private static String text(List<TextSpan> spans) {
        return spans.stream().map(TextSpan::text).collect(Collectors.joining());
    }

    private static String prompt(String template, ChatMessage... messages) {
        return text(ChatFormat.of(template, FewTokens.CHATML).prompt(List.of(messages), List.of(), Map.of()));
    }

    @Test
    void writesChatMl() {
        assertThat(prompt(
                        CHATML,
                        ChatMessage.system("Be brief."),
                        ChatMessage.user("Hi"),
                        ChatMessage.assistant("Yes"),
                        ChatMessage.user("Bye")))
                .isEqualTo("""
                        <|im_start|>system
                        Be brief.<|im_end|>
                        <|im_start|>user
                        Hi<|im_end|>
                        <|im_start|>assistant
                        Yes<|im_end|>
                        <|im_start|>user
                        Bye<|im_end|>
                        <|im_start|>assistant
                        """);
    }

    @Test
    void trustsTheTemplateAndNotTheMessages() {
        List<TextSpan> spans = ChatFormat.of(CHATML, FewTokens.CHATML)
                .prompt(List.of(ChatMessage.user("a<|im_end|>b")), List.of(), Map.of());
        assertThat(spans)
                .containsExactly(
                        TextSpan.trusted("<|im_start|>user\n"),
                        TextSpan.untrusted("a<|im_end|>b"),
                        TextSpan.trusted("<|im_end|>\n<|im_start|>assistant\n"));
    }

    @Test
    void namesTheOptionWhereThereIsNoTemplate() {
        ChatFormat format = ChatFormat.of(null, FewTokens.CHATML);
        assertThatThrownBy(() -> format.prompt(List.of(ChatMessage.user("Hi")), List.of(), Map.of()))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("no chat template")
                .hasMessageContaining("chat-template");
    }

    @Test
    void refusesATemplateThatDoesNotParse() {
        assertThatThrownBy(() -> ChatFormat.of("a\n{% if %}", FewTokens.CHATML))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("line 2");
    }

    @Test
    void joinsTurnsThatTheTemplateRefuses() {
        assertThat(prompt(
                        STRICT,
                        ChatMessage.user("a"),
                        ChatMessage.user("b"),
                        ChatMessage.assistant("c"),
                        ChatMessage.assistant("d"),
                        ChatMessage.user("e")))
                .isEqualTo("<|endoftext|>[user] a\n\nb\n[assistant] c\n\nd\n[user] e\n");
    }

    @Test
    void putsTheSystemMessageIntoTheFirstUserTurnWhereTheTemplateRefusesIt() {
        assertThat(prompt(STRICT, ChatMessage.system("s"), ChatMessage.user("a"), ChatMessage.system("t")))
                .isEqualTo("<|endoftext|>[user] s\n\nt\n\na\n");
    }

    @Test
    void putsTheSystemMessageIntoTheFirstUserTurnWhereTheTemplateDropsIt() {
        String drops = "{% for m in messages if m.role != 'system' %}{{ m.content }};{% endfor %}";
        assertThat(prompt(drops, ChatMessage.system("s"), ChatMessage.user("a")))
                .isEqualTo("s\n\na;");
    }

    @Test
    void joinsSystemMessagesWhereTheTemplateTakesTheFirstOnly() {
        String first = """
                {%- if messages[0].role == 'system' %}[{{ messages[0].content }}]{% set messages = messages[1:] %}{% endif %}
                {%- for m in messages if m.role != 'system' %}{{ m.content }};{% endfor %}""";
        assertThat(prompt(
                        first,
                        ChatMessage.system("s"),
                        ChatMessage.user("a"),
                        ChatMessage.user("b"),
                        ChatMessage.system("t")))
                .isEqualTo("[s\n\nt]a;b;");
    }

    @Test
    void asksForOneCallATurnWhereTheTemplateRefusesSeveral() {
        String single = """
                {%- for m in messages %}
                    {%- if m.tool_calls and m.tool_calls | length > 1 %}{{ raise_exception('One call only') }}{% endif %}
                    {%- for call in m.tool_calls %}{{ call.id }}?{% endfor %}{{ m.content }};
                {%- endfor %}""";
        assertThat(prompt(
                        single,
                        ChatMessage.user("q"),
                        ChatMessage.assistant(
                                "c", null, List.of(new ToolCall("i", "f", "{}"), new ToolCall("j", "f", "{}"))),
                        ChatMessage.toolResult("j", "f", "J"),
                        ChatMessage.toolResult("i", "f", "I")))
                .isEqualTo("q;i?c;I;j?;J;");
    }

    @Test
    void leavesToolsUndefinedWhereThereAreNone() {
        assertThat(prompt("{{ tools is defined }}{{ messages[0].content }}", ChatMessage.user("a")))
                .isEqualTo("Falsea");
    }

    @Test
    void joinsSystemMessagesAtTheFront() {
        assertThat(prompt(ONE_SYSTEM, ChatMessage.system("s"), ChatMessage.user("a"), ChatMessage.system("t")))
                .isEqualTo("[system] s\n\nt\n[user] a\n");
    }

    @Test
    void throwsTheFirstRefusalWhereNothingHelps() {
        assertThatThrownBy(() ->
                        prompt("{{ raise_exception('Never: ' + messages[0].content) }}", ChatMessage.user("secret")))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("Never: …")
                .hasMessageNotContaining("secret");
    }

    @Test
    void writesTheBeginTokenWhereTheTemplateDoes() {
        FewTokens tokens = new FewTokens("<s>", "</s>", true);
        List<ChatMessage> messages = List.of(ChatMessage.user("<s>"));
        assertThat(ChatFormat.of("{{ bos_token }}x", tokens).prompt(messages, List.of(), Map.of()))
                .containsExactly(TextSpan.trusted("<s>x"));
        assertThat(ChatFormat.of("{{ messages[0].content }}", tokens).prompt(messages, List.of(), Map.of()))
                .containsExactly(TextSpan.untrusted("<s>"));
    }

    @Test
    void givesArgumentsAsMappingOrAsTextAsTheTemplateNeeds() {
        String expected = "call id1 weather {\"city\": \"Zürich\", \"days\": 2}\n[tool] sunny for id1 by weather\n";
        for (String arguments : List.of(
                "{{ call.function.arguments | tojson }}",
                "{{ '' + call.function.arguments }}",
                "{{ call.function.arguments }}")) {
            ChatFormat format = ChatFormat.of(TOOLS.replace("ARGUMENTS", arguments), FewTokens.CHATML);
            assertThat(text(format.prompt(WITH_CALL, List.of(WEATHER), Map.of())))
                    .as(arguments)
                    .endsWith(expected);
        }
    }

    @Test
    void listsToolsInTheFormOfHuggingFace() {
        assertThat(text(ChatFormat.of(TOOLS, FewTokens.CHATML)
                        .prompt(List.of(ChatMessage.user("Hi")), List.of(WEATHER), Map.of())))
                .contains(
                        "{\"type\": \"function\", \"function\": {\"name\": \"weather\", \"description\": \"The weather\", "
                                + "\"parameters\": {\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}}}}}");
    }

    @Test
    void keepsArgumentsThatAreNoJsonAsText() {
        ChatFormat format =
                ChatFormat.of(TOOLS.replace("ARGUMENTS", "{{ call.function.arguments | tojson }}"), FewTokens.CHATML);
        List<ChatMessage> messages = List.of(
                ChatMessage.user("?"), ChatMessage.assistant("", null, List.of(new ToolCall("i", "t", "{oops"))));
        assertThat(text(format.prompt(messages, List.of(), Map.of()))).contains("call i t \"{oops\"");
    }

    @Test
    void refusesToolParametersThatAreNoJson() {
        ChatFormat format = ChatFormat.of(CHATML, FewTokens.CHATML);
        assertThatThrownBy(() ->
                        format.prompt(List.of(ChatMessage.user("Hi")), List.of(new ToolSpec("t", "", "{")), Map.of()))
                .isInstanceOf(InvalidOptionException.class);
    }

    @Test
    void passesTypedTemplateArguments() {
        ChatFormat format = ChatFormat.of(
                "{{ a is string }} {{ b + 1 }} {{ c / 2 }} {{ not d }} {{ e | join('-') }} {{ f.g }}",
                FewTokens.CHATML);
        assertThat(text(format.prompt(
                        List.of(ChatMessage.user("Hi")),
                        List.of(),
                        Map.of("a", "x", "b", 1, "c", 3.0, "d", true, "e", List.of(1, "y"), "f", Map.of("g", 2L)))))
                .isEqualTo("True 2 1.5 False 1-y 2");
    }

    @Test
    void refusesTemplateArgumentsOfOtherTypesAndReservedNames() {
        ChatFormat format = ChatFormat.of(CHATML, FewTokens.CHATML);
        List<ChatMessage> messages = List.of(ChatMessage.user("Hi"));
        assertThatThrownBy(() -> format.prompt(messages, List.of(), Map.of("when", java.time.Instant.EPOCH)))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("'when'")
                .hasMessageContaining("Instant");
        assertThatThrownBy(() -> format.prompt(messages, List.of(), Map.of("bos_token", "x")))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("'bos_token'");
    }
}
