package org.bloomery.engine.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.bloomery.engine.chat.AnswerParser;
import org.bloomery.engine.chat.ChatFormat;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ChatTurn;
import org.bloomery.engine.chat.Thinking;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.engine.chat.ToolChoice;
import org.bloomery.engine.chat.ToolSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A model that knows nothing, held to the calls of each family: whatever it writes parses, names an offered tool, and has
 * arguments that are valid for the tool's schema.
 */
class CallConstraintTest {

    private static final int ANSWERS = 40;

    private static final List<ToolSpec> TOOLS = List.of(
            new ToolSpec("get_weather", "Weather in a city", """
                    {"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{
                      "city":{"type":"string","minLength":1,"maxLength":12},"unit":{"enum":["celsius","fahrenheit"]}},
                     "required":["city"],"additionalProperties":false}"""),
            new ToolSpec("search", "Search", """
                    {"type":"object","properties":{
                       "query":{"type":"string"},
                       "limit":{"type":"integer","minimum":1,"maximum":50},
                       "exact":{"type":"boolean"},
                       "tags":{"type":"array","maxItems":3,"items":{"$ref":"#/$defs/tag"}},
                       "range":{"type":"object","properties":{"from":{"type":"number"},"to":{"type":["number","null"]}},
                                "required":["from"],"additionalProperties":false}},
                     "required":["query","limit"],"additionalProperties":false,
                     "$defs":{"tag":{"type":"string","pattern":"^[a-z]+$"}}}"""),
            new ToolSpec("now", "The time", ""));

    /** Marks, which vocabularies may spell as control tokens. */
    private static final List<String> MARKS = List.of(
            "<tool_call>",
            "</tool_call>",
            "<arg_key>",
            "</arg_key>",
            "<arg_value>",
            "</arg_value>",
            "<|tool_calls_section_begin|>",
            "<|tool_calls_section_end|>",
            "<|tool_call_begin|>",
            "<|tool_call_argument_begin|>",
            "<|tool_call_end|>",
            "<｜tool▁calls▁begin｜>",
            "<｜tool▁calls▁end｜>",
            "<｜tool▁call▁begin｜>",
            "<｜tool▁sep｜>",
            "<｜tool▁call▁end｜>",
            "<|START_ACTION|>",
            "<|END_ACTION|>",
            "<|tool_call_start|>",
            "<|tool_call>",
            "<tool_call|>",
            "<|\"|>",
            "[TOOL_CALLS]",
            "[CALL_ID]",
            "[ARGS]",
            "<|python_tag|>",
            "｜DSML｜",
            "<|start|>",
            "<|channel|>",
            "<|message|>",
            "<|constrain|>",
            "<|end|>",
            "<|call|>",
            "<|eom|>",
            "<|begin|>",
            "<|think|>",
            "<|content|>",
            "<|tool_calls|>",
            "<|calls|>",
            "<|tool_call:begin|>",
            "<|tool_call:name|>",
            "<|tool_call:args|>",
            "<|tool_call:end|>",
            "]<]minimax[>[",
            "<tool_calls:opensource>",
            "</tool_calls:opensource>",
            "<tool_call:opensource>",
            "</tool_call:opensource>",
            "<tool_sep:opensource>",
            "<arg_key:opensource>",
            "</arg_key:opensource>",
            "<arg_value:opensource>",
            "</arg_value:opensource>",
            "<|/tool_call|>",
            "<|role_sep|>",
            "<|message_sep|>");

    /** Pieces that close what is open, for an answer that ends. */
    private static final List<String> CLOSING = List.of(
            "</",
            "parameter>",
            "invoke>",
            "function_calls>",
            "tool_calls>",
            "</parameter>",
            "</function>",
            "</tool_call>",
            "</arg_value>",
            "<tool_call|>",
            "<|\"|>",
            "\"",
            "}",
            "]",
            ")");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<tool_call>",
                "<tool_call><function=",
                "<tool_call><arg_key>",
                "<|tool_calls_section_begin|>",
                "<｜tool▁calls▁begin｜>",
                "<|START_ACTION|>",
                "<|tools_prefix|>",
                "<|tool_call_start|>",
                "<|tool_call>",
                "<TOOLCALL>",
                "<seed:tool_call>",
                "[TOOL_CALLS]",
                "<tool_calls>",
                "<|tool_call|>",
                "<|function_call|>",
                "<function=",
                "{\"name\": function name, \"parameters\":",
                "｜DSML｜ function_calls>",
                "｜DSML｜ tool_calls>",
                "<|start|><|channel|><|message|>",
                "<|start|><|message|><atem:",
                "<|begin|>assistant<|tool_call:begin|>",
                ">>>all",
                "]<]minimax[>[",
                "<minimax:tool_call>",
                ":opensource<tool_calls{}>",
                "<|/tool|>",
                "<|role_sep|>function call"
            })
    void whateverIsWrittenIsACallOfAnOfferedTool(String signs) {
        long seed = System.nanoTime();
        for (boolean control : new boolean[] {false, true}) {
            Random random = new Random(seed);
            TestVocabulary vocabulary = new TestVocabulary(random, 500);
            ChatFormat format = ChatFormat.of("{#" + signs + "#}{{ tools }}{{ messages[0].content }}", vocabulary);
            ChatTurn turn =
                    format.turn(List.of(ChatMessage.user("Hi")), TOOLS, ToolChoice.REQUIRED, Thinking.AUTO, Map.of());
            int firstMark = vocabulary.add(MARKS, control);
            vocabulary.add(CLOSING, false);
            Shape shape = Objects.requireNonNull(turn.shape(false));
            TokenGrammar grammar = TokenGrammar.of(Grammar.of(null, shape), TokenTrie.of(vocabulary));
            int whole = 0;
            for (int i = 0; i < ANSWERS; i++) {
                Written written = write(grammar, vocabulary, turn, new Random(random.nextLong()), firstMark);
                String context = "seed " + seed + ", control " + control + ": " + written.text;
                if (!written.ended) {
                    continue;
                }
                whole++;
                assertThat(written.calls).as(context).isNotEmpty();
                assertThat(written.prose).as(context).isBlank();
                for (ToolCall call : written.calls) {
                    ToolSpec tool = TOOLS.stream()
                            .filter(each -> each.name().equals(call.name()))
                            .findFirst()
                            .orElseThrow(() -> new AssertionError(context));
                    String parameters = tool.parameters().isBlank() ? "{\"type\":\"object\"}" : tool.parameters();
                    assertThat(new SchemaJudge(parameters).errors(call.arguments()))
                            .as("%s %s, %s", call.name(), call.arguments(), context)
                            .isEmpty();
                }
            }
            assertThat(whole).as("answers that ended, seed %d", seed).isGreaterThan(ANSWERS / 10);
        }
    }

    private static final class Written implements AnswerParser.Listener {
        final List<ToolCall> calls = new ArrayList<>();
        final StringBuilder prose = new StringBuilder();
        final StringBuilder text = new StringBuilder();
        boolean ended;

        @Override
        public void text(String delta) {
            prose.append(delta);
        }

        /** Families whose answers are messages may think first. */
        @Override
        public void reasoning(String delta) {}

        @Override
        public void toolCall(ToolCall call) {
            calls.add(call);
        }

        @Override
        public void malformedCall(String raw) {
            prose.append(raw);
        }
    }

    private static Written write(
            TokenGrammar grammar, TestVocabulary vocabulary, ChatTurn turn, Random random, int firstMark) {
        AtomicInteger ids = new AtomicInteger();
        AnswerParser parser = turn.parser(() -> "id" + ids.incrementAndGet(), false);
        Written written = new Written();
        GrammarMatcher matcher = grammar.matcher();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < 400 && !written.ended; i++) {
            int token = choose(matcher.mask(), vocabulary, random, firstMark, i > 60 ? 0.95 : 0.5);
            if (token == TestVocabulary.END) {
                written.ended = true;
            } else {
                matcher.accept(token);
                bytes.writeBytes(vocabulary.bytes(token));
                written.ended = matcher.complete();
            }
        }
        written.text.append(bytes.toString(StandardCharsets.UTF_8));
        parser.accept(written.text.toString(), written);
        parser.finish(written);
        return written;
    }

    private static int choose(TokenMask mask, TestVocabulary vocabulary, Random random, int firstMark, double leaning) {
        if (random.nextDouble() < leaning) {
            if (mask.allows(TestVocabulary.END)) {
                return TestVocabulary.END;
            }
            List<Integer> marks = new ArrayList<>();
            for (int token = firstMark; token < vocabulary.vocabSize(); token++) {
                if (mask.allows(token)) {
                    marks.add(token);
                }
            }
            if (!marks.isEmpty()) {
                return marks.get(random.nextInt(marks.size()));
            }
        }
        int skip = random.nextInt(mask.count());
        for (int token = 0; ; token++) {
            if (mask.allows(token) && skip-- == 0) {
                return token;
            }
        }
    }
}
