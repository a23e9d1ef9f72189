package org.bloomery.engine.chat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Clock;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.chat.AnswerSyntax.ToolCalls;
import org.bloomery.engine.template.Template;
import org.bloomery.engine.template.TemplateException;
import org.bloomery.engine.template.Value;
import org.bloomery.engine.tokenizer.Tokenizer;
import org.jspecify.annotations.Nullable;

/**
 * How a model wants conversations written, from its chat template: turns messages into a prompt, and knows how its answers
 * mark reasoning and tool calls. Conversations that a template refuses for their order of roles are tried again with turns
 * joined, since several system messages, or two user messages in a row, are legal input. Immutable and safe for use by
 * many threads.
 */
public final class ChatFormat {

    /** Variables that the conversation sets and template arguments must leave alone. */
    private static final Set<String> RESERVED =
            Set.of("messages", "tools", "documents", "add_generation_prompt", "bos_token", "eos_token");

    private static final int MAX_ARGUMENT_DEPTH = 32;
    private static final int MAX_INTEGER_BITS = 4096;
    private static final String NEEDLE = "bloomery_needle";

    private final @Nullable Template template;
    private final Map<String, Value> operatorVariables;
    private final AnswerSyntax answers;
    private final Clock clock;
    private final boolean textArguments;
    private final boolean systemTurns;
    private final boolean severalSystemTurns;
    /** Whether the template tells the model of tools, and its calls are known; otherwise we describe them. */
    private final boolean knowsTools;

    private final ToolCheck toolCheck;

    private ChatFormat(@Nullable String source, Tokenizer tokenizer, Clock clock) {
        this.clock = clock;
        this.template = source == null ? null : Template.parse(source);
        AnswerSyntax spoken = AnswerSyntax.of(source == null ? "" : source);
        this.operatorVariables = new LinkedHashMap<>();
        String bos = tokenizer.bosToken() < 0 ? "" : tokenizer.spelling(tokenizer.bosToken());
        String eos = tokenizer.eosToken() < 0 ? "" : tokenizer.spelling(tokenizer.eosToken());
        operatorVariables.put("bos_token", Value.trusted(bos));
        operatorVariables.put("eos_token", Value.trusted(eos));
        this.systemTurns =
                template == null || renders(template, List.of(ChatMessage.system(NEEDLE), ChatMessage.user("user")));
        this.severalSystemTurns = template == null
                || renders(
                        template,
                        List.of(
                                ChatMessage.system(NEEDLE),
                                ChatMessage.system(NEEDLE),
                                ChatMessage.user("user"),
                                ChatMessage.assistant("assistant"),
                                ChatMessage.system(NEEDLE),
                                ChatMessage.user("user")));
        this.textArguments = template != null && wantsTextArguments(template);
        this.knowsTools = template != null && !spoken.toolCalls().equals(ToolCalls.NONE) && rendersTools(template);
        this.answers = knowsTools ? spoken : new AnswerSyntax(spoken.reasoning(), ToolCalls.HERMES);
        this.toolCheck = new ToolCheck(answers.toolCalls());
    }

    /**
     * The format of a model.
     *
     * @param template the chat template of the model file or of an option, or null where there is none; then only
     *     {@link #prompt} fails
     * @throws TemplateException where the template does not parse
     */
    public static ChatFormat of(@Nullable String template, Tokenizer tokenizer) {
        return of(template, tokenizer, Clock.system(ZoneId.systemDefault()));
    }

    /** As {@link #of(String, Tokenizer)}, with the clock that templates read the date from. */
    static ChatFormat of(@Nullable String template, Tokenizer tokenizer, Clock clock) {
        return new ChatFormat(template, tokenizer, clock);
    }

    /**
     * The assistant's next turn: a prompt, and what is known of its answer. A tool whose name or schema is broken, or cannot
     * be held to, is left out with a word in the log, so that the others go on working.
     *
     * @throws TemplateException as {@link #prompt}
     * @throws InvalidOptionException as {@link #prompt}; where every tool is broken, or the one that must be called; where
     *     thinking is asked of a model whose template marks none
     */
    public ChatTurn turn(
            List<ChatMessage> messages,
            List<ToolSpec> tools,
            ToolChoice choice,
            Thinking thinking,
            Map<String, Object> templateArguments) {
        if (thinking.mode() == Thinking.Mode.ON && !answers.thinks()) {
            throw new InvalidOptionException(
                    "Option 'thinking' is on, but the model's chat template marks no thinking;" + " leave it at auto.");
        }
        List<ToolSpec> offered = choice.mode() == ToolChoice.Mode.NONE ? List.of() : toolCheck.usable(tools, choice);
        Map<String, Object> arguments = new LinkedHashMap<>();
        if (thinking.mode() != Thinking.Mode.AUTO) {
            // What the templates that can be told call it
            for (String name : List.of("enable_thinking", "thinking")) {
                arguments.put(name, thinking.mode() == Thinking.Mode.ON);
            }
        }
        arguments.putAll(templateArguments);
        List<TextSpan> prompt = knowsTools
                ? prompt(messages, offered, arguments)
                : prompt(DescribedTools.in(messages, offered), List.of(), arguments);
        return new ChatTurn(prompt, answers, offered, choice, thinking);
    }

    /** What is wrong with a tool, so that {@link #turn} would leave it out; empty where nothing is. */
    public Optional<String> checkTool(ToolSpec tool) {
        return toolCheck.wrong(tool);
    }

    /**
     * Writes a conversation as a prompt that ends where the assistant's answer begins. Text of messages, tools and template
     * arguments is untrusted, the template's own text trusted. The begin token is there only if the template writes it.
     *
     * @param templateArguments extra variables for the template: strings, numbers, booleans, null, lists and maps of them
     * @throws TemplateException where the template fails, or refuses the conversation however its turns are joined
     * @throws InvalidOptionException where there is no template, a template argument is of another type or has a reserved
     *     name, or a tool's parameters are not a JSON object
     */
    public List<TextSpan> prompt(
            List<ChatMessage> messages, List<ToolSpec> tools, Map<String, Object> templateArguments) {
        Template present = template;
        if (present == null) {
            throw new InvalidOptionException(
                    "The model has no chat template, so it cannot take messages; set one by the option"
                            + " 'chat-template', or complete a plain prompt.");
        }
        Map<String, Value> variables = new LinkedHashMap<>(operatorVariables);
        templateArguments.forEach((name, value) -> {
            if (RESERVED.contains(name)) {
                throw new InvalidOptionException(
                        "Template argument '" + name + "' is set by the conversation itself; use another name.");
            }
            variables.put(name, argument(name, value, 0));
        });
        if (!tools.isEmpty()) {
            variables.put(
                    "tools", Value.list(tools.stream().map(ChatFormat::tool).toList()));
        }
        variables.put("add_generation_prompt", Value.of(true));
        return render(present, fitting(messages), variables);
    }

    /** The messages with no system turn that the template would silently drop. */
    private List<ChatMessage> fitting(List<ChatMessage> messages) {
        if (!systemTurns) {
            return Turns.withoutSystem(messages);
        }
        return severalSystemTurns ? messages : Turns.systemFirst(messages);
    }

    private List<TextSpan> render(Template present, List<ChatMessage> messages, Map<String, Value> variables) {
        try {
            return renderOnce(present, messages, variables);
        } catch (TemplateException first) {
            if (!first.refusal()) {
                throw first;
            }
            for (List<ChatMessage> joined : Turns.alternatives(messages)) {
                if (!joined.equals(messages)) {
                    try {
                        return renderOnce(present, joined, variables);
                    } catch (TemplateException next) {
                        if (!next.refusal()) {
                            throw next;
                        }
                    }
                }
            }
            throw first;
        }
    }

    private List<TextSpan> renderOnce(Template present, List<ChatMessage> messages, Map<String, Value> variables) {
        Map<String, Value> all = new LinkedHashMap<>(variables);
        all.put(
                "messages",
                Value.list(messages.stream()
                        .map(each -> message(each, textArguments))
                        .toList()));
        return present.render(all, clock);
    }

    // Values

    private static Value message(ChatMessage message, boolean textArguments) {
        Map<String, Value> map = new LinkedHashMap<>();
        map.put("role", Value.trusted(message.role().templateName()));
        map.put("content", Value.untrusted(message.content()));
        if (message.reasoning() != null) {
            map.put("reasoning_content", Value.untrusted(message.reasoning()));
        }
        if (!message.toolCalls().isEmpty()) {
            map.put(
                    "tool_calls",
                    Value.list(message.toolCalls().stream()
                            .map(call -> toolCall(call, textArguments))
                            .toList()));
        }
        if (message.toolCallId() != null) {
            map.put("tool_call_id", Value.untrusted(message.toolCallId()));
        }
        if (message.toolName() != null) {
            map.put("name", Value.untrusted(message.toolName()));
        }
        return Value.map(map);
    }

    private static Value toolCall(ToolCall call, boolean textArguments) {
        Map<String, Value> function = new LinkedHashMap<>();
        function.put("name", Value.untrusted(call.name()));
        function.put("arguments", textArguments ? Value.untrusted(call.arguments()) : parsedOrText(call.arguments()));
        Map<String, Value> map = new LinkedHashMap<>();
        map.put("id", Value.untrusted(call.id()));
        map.put("type", Value.trusted("function"));
        map.put("function", Value.map(function));
        return Value.map(map);
    }

    /** Arguments a model wrote may be no JSON; the conversation goes on with them as text. */
    private static Value parsedOrText(String arguments) {
        if (arguments.isBlank()) {
            return Value.map(Map.of());
        }
        try {
            return Value.json(arguments);
        } catch (TemplateException e) {
            return Value.untrusted(arguments);
        }
    }

    /**
     * A tool as templates see it.
     *
     * @throws InvalidOptionException where its parameters are not JSON
     */
    static Value tool(ToolSpec tool) {
        Map<String, Value> function = new LinkedHashMap<>();
        function.put("name", Value.untrusted(tool.name()));
        function.put("description", Value.untrusted(tool.description()));
        try {
            function.put(
                    "parameters",
                    Value.json(
                            tool.parameters().isBlank()
                                    ? "{\"type\":\"object\",\"properties\":{}}"
                                    : tool.parameters()));
        } catch (TemplateException e) {
            throw new InvalidOptionException(
                    "The schema of tool '" + tool.name() + "' is not JSON: " + e.getMessage(), e);
        }
        // In the order that models were shown, and the same in every JVM: Map.of has another one in each
        Map<String, Value> map = new LinkedHashMap<>();
        map.put("type", Value.trusted("function"));
        map.put("function", Value.map(function));
        return Value.map(map);
    }

    private static Value argument(String name, @Nullable Object value, int depth) {
        if (depth > MAX_ARGUMENT_DEPTH) {
            throw new InvalidOptionException("Template argument '" + name + "' nests deeper than " + MAX_ARGUMENT_DEPTH
                    + "; give flatter lists and maps.");
        }
        if (value == null) {
            return Value.none();
        }
        return switch (value) {
            case CharSequence text -> Value.untrusted(text.toString());
            case Boolean truth -> Value.of(truth);
            case Byte number -> Value.of(number.longValue());
            case Short number -> Value.of(number.longValue());
            case Integer number -> Value.of(number.longValue());
            case Long number -> Value.of(number);
            case BigInteger number -> integer(name, number);
            case Float number -> Value.of(number.doubleValue());
            case Double number -> Value.of(number);
            case BigDecimal number -> Value.of(number.doubleValue());
            case List<?> list ->
                Value.list(list.stream()
                        .map(item -> argument(name, item, depth + 1))
                        .toList());
            case Map<?, ?> map -> {
                Map<String, Value> entries = new LinkedHashMap<>();
                map.forEach((key, each) -> {
                    if (!(key instanceof String text)) {
                        throw new InvalidOptionException("Template argument '" + name
                                + "' has a map key that is not a string; give string keys.");
                    }
                    entries.put(text, argument(name, each, depth + 1));
                });
                yield Value.untrustedMap(entries);
            }
            default ->
                throw new InvalidOptionException("Template argument '" + name + "' is of type "
                        + value.getClass().getName() + "; give a string, number, boolean, list or map.");
        };
    }

    private static Value integer(String name, BigInteger number) {
        if (number.bitLength() > MAX_INTEGER_BITS) {
            throw new InvalidOptionException("Template argument '" + name + "' is an integer of " + number.bitLength()
                    + " bits; at most " + MAX_INTEGER_BITS + " are allowed.");
        }
        return Value.of(number);
    }

    // What the template can do

    /** Whether the text of every system message comes out, or the template at least refuses it loudly. */
    private boolean renders(Template present, List<ChatMessage> messages) {
        long wanted = messages.stream()
                .filter(message -> message.role() == ChatMessage.Role.SYSTEM)
                .count();
        try {
            String text = text(probe(present, messages, List.of(), false));
            return text.split(NEEDLE, -1).length - 1 >= wanted;
        } catch (TemplateException e) {
            return true;
        }
    }

    /** Whether the name of an offered tool comes out, or the template at least refuses it loudly. */
    private boolean rendersTools(Template present) {
        List<ToolSpec> tools = List.of(new ToolSpec(NEEDLE, "probe", "{\"type\":\"object\",\"properties\":{}}"));
        try {
            return text(probe(present, List.of(ChatMessage.user("user")), tools, false))
                    .contains(NEEDLE);
        } catch (TemplateException e) {
            return true;
        }
    }

    /**
     * Whether tool calls come out right only with their arguments as JSON text: the template prints the arguments without
     * making JSON of them, or fails on a mapping.
     */
    private boolean wantsTextArguments(Template present) {
        ToolCall call = new ToolCall("call00001", "probe", "{\"" + NEEDLE + "\": \"value\"}");
        List<ChatMessage> messages = List.of(
                ChatMessage.user("user"),
                ChatMessage.assistant("", null, List.of(call)),
                ChatMessage.toolResult("call00001", "probe", "result"));
        List<ToolSpec> tools = List.of(new ToolSpec("probe", "probe", "{\"type\":\"object\",\"properties\":{}}"));
        try {
            String mapped = text(probe(present, messages, tools, false));
            if (mapped.contains(NEEDLE) && !mapped.contains("'" + NEEDLE + "':")) {
                return false;
            }
        } catch (TemplateException e) {
            if (e.refusal()) {
                return false;
            }
        }
        try {
            return text(probe(present, messages, tools, true)).contains("\"" + NEEDLE + "\":");
        } catch (TemplateException e) {
            return false;
        }
    }

    private List<TextSpan> probe(Template present, List<ChatMessage> messages, List<ToolSpec> tools, boolean asText) {
        Map<String, Value> variables = new LinkedHashMap<>(operatorVariables);
        variables.put(
                "messages",
                Value.list(messages.stream().map(each -> message(each, asText)).toList()));
        if (!tools.isEmpty()) {
            variables.put(
                    "tools", Value.list(tools.stream().map(ChatFormat::tool).toList()));
        }
        variables.put("add_generation_prompt", Value.of(true));
        return present.render(variables, clock);
    }

    private static String text(List<TextSpan> spans) {
        StringBuilder text = new StringBuilder();
        spans.forEach(span -> text.append(span.text()));
        return text.toString();
    }
}
