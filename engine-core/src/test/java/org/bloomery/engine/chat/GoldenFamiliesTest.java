package org.bloomery.engine.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.grammar.Grammar;
import org.junit.jupiter.api.Test;

/** Which family's answers a real template's model is taken to write. */
class GoldenFamiliesTest {

    /** The family of calls and the kind of reasoning marks. */
    private static final Map<String, String> FAMILIES = Map.ofEntries(
            Map.entry("Apertus-8B-Instruct", "apertus APERTUS"),
            Map.entry("Apriel-1.6-15b-Thinker-fixed", "tool-calls NONE"),
            Map.entry("ByteDance-Seed-OSS", "seed SEED"),
            Map.entry("Cohere2MoE", "cohere COHERE"),
            Map.entry("CohereForAI-c4ai-command-r7b-12-2024-tool_use", "cohere COHERE"),
            Map.entry("GLM-4.6", "glm THINK"),
            Map.entry("GigaChat3-10B-A1.8B", "gigachat-3 NONE"),
            Map.entry("GigaChat3.1-10B-A1.8B", "gigachat-3.1 NONE"),
            Map.entry("Kimi-K2-Instruct", "kimi NONE"),
            Map.entry("Kimi-K2-Thinking", "kimi THINK"),
            Map.entry("LFM2-8B-A1B", "lfm2 NONE"),
            Map.entry("LFM2.5-8B-A1B", "lfm2.5 THINK"),
            Map.entry("MiMo-VL", "hermes NONE"),
            Map.entry("MiniMax-M1", "tool-calls NONE"),
            Map.entry("MiniMax-M3", "minimax-m3 MINIMAX"),
            Map.entry("Mistral-Small-3.2-24B-Instruct-2506", "mistral NONE"),
            Map.entry("NVIDIA-Nemotron-Nano-v2", "nemotron THINK"),
            Map.entry("NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use", "hermes NONE"),
            Map.entry("Qwen-QwQ-32B", "hermes THINK"),
            Map.entry("Qwen-Qwen2.5-7B-Instruct", "hermes NONE"),
            Map.entry("Qwen3-Coder", "function-tags NONE"),
            Map.entry("Qwen3.5-4B", "function-tags THINK"),
            Map.entry("Spark2.5", "glm THINK"),
            Map.entry("StepFun3.5-Flash", "function-tags THINK"),
            Map.entry("deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", "deepseek THINK"),
            Map.entry("deepseek-ai-DeepSeek-V3.1", "deepseek THINK"),
            Map.entry("deepseek-ai-DeepSeek-V4", "deepseek-v4 THINK"),
            Map.entry("deepseek-ai-DeepSeek-V4-Flash-0731", "deepseek-v4 THINK"),
            Map.entry("google-gemma-2-2b-it", "none NONE"),
            Map.entry("google-gemma-4-31B-it-interleaved", "gemma GEMMA"),
            Map.entry("ibm-granite-granite-3.3-2B-Instruct", "granite THINK"),
            Map.entry("ibm-granite-granite-4.0", "hermes NONE"),
            Map.entry("inclusionai-ling-3.0-flash", "glm THINK"),
            Map.entry("llama-cpp-deepseek-r1", "deepseek THINK"),
            Map.entry("meetkai-functionary-medium-v3.1", "functionary-3.1 NONE"),
            Map.entry("meetkai-functionary-medium-v3.2", "functionary-3.2 NONE"),
            Map.entry("meta-llama-Llama-3.2-3B-Instruct", "llama NONE"),
            Map.entry("meta-llama-Llama-3.3-70B-Instruct", "llama NONE"),
            Map.entry("mistralai-Ministral-3-14B-Reasoning-2512", "mistral MISTRAL"),
            Map.entry("mistralai-Mistral-Nemo-Instruct-2407", "mistral NONE"),
            Map.entry("muse-glimmer", "muse NONE"),
            Map.entry("openai-gpt-oss-120b", "gpt-oss NONE"),
            Map.entry("poolside-Laguna-S-2.1", "glm THINK"),
            Map.entry("poolside-Laguna-XS-2.1", "glm THINK"),
            Map.entry("tencent-Hy3", "hunyuan HUNYUAN"),
            Map.entry("unsloth-Apriel-1.5", "tool-calls NONE"),
            Map.entry("upstage-Solar-Open-100B", "solar NONE"));

    @Test
    void knowsTheFamilyOfEveryTemplate() throws IOException {
        Map<String, String> found = new TreeMap<>();
        GoldenTemplates.all().forEach((name, template) -> {
            AnswerSyntax syntax = AnswerSyntax.of(template);
            found.put(name, syntax.toolCalls().family() + " " + syntax.reasoning());
        });
        assertThat(found).containsExactlyInAnyOrderEntriesOf(FAMILIES);
    }

    @Test
    void knowsFamiliesWhoseTemplatesAreNotGolden() {
        // SmolLM3 offers tools for JSON calls, or for code, which is text; MiniMax M2; Phi-4 mini
        assertThat(AnswerSyntax.of("xml_tools <think> </think> <tool_call> </tool_call> <code> </code>"))
                .isEqualTo(new AnswerSyntax(AnswerSyntax.Reasoning.THINK, AnswerSyntax.ToolCalls.HERMES));
        assertThat(AnswerSyntax.of("toolcall_begin_token = '<minimax:tool_call>' <think>")
                        .toolCalls()
                        .family())
                .isEqualTo("minimax-m2");
        assertThat(AnswerSyntax.of("'<|tool|>' + message['tools'] + '<|/tool|>'")
                        .toolCalls()
                        .family())
                .isEqualTo("phi");
    }

    /** Templates that leave calls of earlier turns out, refuse them, or do what templates may not. */
    private static final List<String> WRITE_NO_CALL = List.of(
            "Kimi-K2-Instruct",
            "Kimi-K2-Thinking",
            "LFM2-8B-A1B",
            "google-gemma-2-2b-it",
            "ibm-granite-granite-3.3-2B-Instruct",
            "llama-cpp-deepseek-r1");

    private static final List<ToolSpec> TOOLS = List.of(new ToolSpec("get_weather", "The weather", """
                    {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
                    """));

    private static final List<String> ENDS = List.of(
            "</s>",
            "<|im_end|>",
            "<|eot_id|>",
            "<|eom_id|>",
            "<|eot|>",
            "<|end|>",
            "<|call|>",
            "<|calls|>",
            "<|message_sep|>",
            "<|END_OF_TURN_TOKEN|>",
            "<seed:eos>",
            "<end_of_sentence>",
            "\n<SPECIAL_12>");

    /** What the template writes between the beginning of the answer and the tool's turn is such an answer. */
    @Test
    void readsBackTheCallsThatTemplatesWrite() throws IOException {
        Map<String, String> unread = new TreeMap<>();
        GoldenTemplates.all().forEach((name, template) -> {
            ChatFormat format = ChatFormat.of(template, FewTokens.CHATML);
            ChatMessage question = ChatMessage.user("Weather?");
            ToolCall call = new ToolCall("call00001", "get_weather", "{\"city\": \"Zürich\", \"days\": 2}");
            List<ChatMessage> turns = List.of(
                    question,
                    ChatMessage.assistant("", null, List.of(call)),
                    ChatMessage.toolResult("call00001", "get_weather", "sunny"));
            try {
                String before = text(format.prompt(List.of(question), TOOLS, Map.of()));
                String answer = answer(before, text(format.prompt(turns, TOOLS, Map.of())));
                Calls calls = new Calls(new ArrayList<>());
                AnswerParser parser = AnswerParser.of(template, TOOLS, List.of(TextSpan.trusted("prompt")), () -> "id");
                parser.accept(answer, calls);
                parser.finish(calls);
                if (!calls.calls().equals(List.of("get_weather{\"city\":\"Zürich\",\"days\":2}"))) {
                    unread.put(name, calls.calls() + " in " + answer);
                }
            } catch (RuntimeException e) {
                unread.put(name, String.valueOf(e.getMessage()));
            }
        });
        assertThat(unread).containsOnlyKeys(WRITE_NO_CALL);
    }

    /** What a model is held to must not keep it from writing calls as its template does. */
    @Test
    void allowsTheCallsThatTemplatesWrite() throws IOException {
        Map<String, String> refused = new TreeMap<>();
        GoldenTemplates.all().forEach((name, template) -> {
            ChatFormat format = ChatFormat.of(template, FewTokens.CHATML);
            ChatMessage question = ChatMessage.user("Weather?");
            ToolCall call = new ToolCall("call00001", "get_weather", "{\"city\": \"Zürich\", \"days\": 2}");
            List<ChatMessage> turns = List.of(
                    question,
                    ChatMessage.assistant("", null, List.of(call)),
                    ChatMessage.toolResult("call00001", "get_weather", "sunny"));
            try {
                ChatTurn turn = format.turn(List.of(question), TOOLS, ToolChoice.AUTO, Thinking.AUTO, Map.of());
                String answer = answer(text(turn.prompt()), text(format.prompt(turns, TOOLS, Map.of())));
                Grammar grammar = Grammar.of(null, Objects.requireNonNull(turn.shape(false)));
                // The prompt may have begun reasoning
                String reasoned = AnswerSyntax.of(template).reasoning().close() + answer;
                if (Stream.of(answer, answer.strip(), reasoned)
                        .map(text -> text.getBytes(StandardCharsets.UTF_8))
                        .noneMatch(grammar::matches)) {
                    refused.put(name, answer);
                }
            } catch (RuntimeException e) {
                refused.put(name, String.valueOf(e.getMessage()));
            }
        });
        assertThat(refused.keySet()).isSubsetOf(WRITE_NO_CALL);
    }

    private static String answer(String before, String whole) {
        int same = 0;
        while (same < before.length() && before.charAt(same) == whole.charAt(same)) {
            same++;
        }
        // The prompt may begin a mark as the answer does
        int mark = Math.max(whole.lastIndexOf('<', same - 1), whole.lastIndexOf('[', same - 1));
        int from = mark > Math.max(whole.lastIndexOf('>', same - 1), whole.lastIndexOf(']', same - 1)) ? mark : same;
        int last = whole.indexOf("2", Math.max(from, whole.indexOf("Zürich", from)));
        int end = ENDS.stream()
                .mapToInt(each -> whole.indexOf(each, Math.max(from, last)))
                .filter(at -> at >= 0)
                .min()
                .orElse(whole.length());
        return whole.substring(from, Math.max(from, end));
    }

    private static String text(List<TextSpan> spans) {
        return spans.stream().map(TextSpan::text).collect(Collectors.joining());
    }

    /** The calls of an answer, with their arguments, and what was malformed. */
    private record Calls(List<String> calls) implements AnswerParser.Listener {

        @Override
        public void text(String text) {}

        @Override
        public void reasoning(String text) {}

        @Override
        public void toolCall(ToolCall call) {
            calls.add(call.name() + call.arguments().replace(" ", ""));
        }

        @Override
        public void malformedCall(String raw) {
            calls.add("malformed " + raw);
        }
    }
}
