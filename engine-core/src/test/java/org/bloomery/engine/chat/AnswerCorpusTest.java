package org.bloomery.engine.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.bloomery.engine.TextSpan;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Answers as families of models write them, and what they say. A file's first line holds what the family's template is
 * recognised by; then, for each answer, its title, the answer, and the parts that it has in their order.
 */
class AnswerCorpusTest {

    private static final List<ToolSpec> TOOLS = List.of(
            new ToolSpec("now", "The time", "{\"type\": \"object\", \"properties\": {}}"),
            new ToolSpec("get_weather", "The weather", """
                    {"type": "object", "description": "x", "properties": {
                      "city": {"type": "string"},
                      "days": {"description": "how many", "type": "number"},
                      "precise": {"type": "boolean"},
                      "limit": {"type": ["integer", "null"]},
                      "place": {"type": "object", "properties": {"lat": {"type": "string"}}},
                      "tags": {"type": "array", "items": {"type": "string"}},
                      "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]}}}
                    """));

    private record Example(String title, String answer, List<String> parts) {}

    private static final class Parts implements AnswerParser.Listener {
        private final List<String> parts = new ArrayList<>();

        private void add(String kind, String text) {
            assertThat(text).isNotEmpty();
            String header = kind + "\n";
            if (!parts.isEmpty() && parts.getLast().startsWith(header)) {
                parts.set(parts.size() - 1, parts.getLast() + text);
            } else {
                parts.add(header + text);
            }
        }

        @Override
        public void text(String text) {
            add("text", text);
        }

        @Override
        public void reasoning(String text) {
            add("reasoning", text);
        }

        @Override
        public void toolCall(ToolCall call) {
            parts.add("call " + call.name() + "\n" + call.arguments());
        }

        @Override
        public void malformedCall(String raw) {
            parts.add("malformed\n" + raw);
        }
    }

    static List<String> families() {
        return List.of(
                "apertus",
                "apriel",
                "cohere",
                "deepseek-r1",
                "deepseek-v3.1",
                "deepseek-v3.2",
                "deepseek-v4",
                "function-tags",
                "functionary",
                "functionary-3.2",
                "gemma",
                "gigachat",
                "gigachat-3",
                "glm",
                "gpt-oss",
                "granite",
                "hermes",
                "hunyuan",
                "kimi",
                "lfm2",
                "llama",
                "minimax-m1",
                "minimax-m2",
                "minimax-m3",
                "mistral",
                "mistral-list",
                "muse",
                "nemotron",
                "phi",
                "seed",
                "solar");
    }

    @ParameterizedTest
    @MethodSource("families")
    void readsTheAnswersOfAFamilyInWhateverPiecesTheyCome(String family) throws IOException {
        String corpus = corpus(family);
        String template = corpus.substring(0, corpus.indexOf('\n'));
        List<Example> examples = examples(corpus);
        assertThat(examples).hasSizeGreaterThanOrEqualTo(10);
        for (Example example : examples) {
            String answer = example.answer();
            assertThat(parts(template, List.of(answer))).as(example.title()).isEqualTo(example.parts());
            assertThat(parts(template, Arrays.asList(answer.split(""))))
                    .as("%s, character by character", example.title())
                    .isEqualTo(example.parts());
            for (int at = 1; at < answer.length(); at++) {
                assertThat(parts(template, List.of(answer.substring(0, at), answer.substring(at))))
                        .as("%s, split at %d", example.title(), at)
                        .isEqualTo(example.parts());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void readsTornAnswersAlikeInWhateverPiecesTheyCome(String family) throws IOException {
        String corpus = corpus(family);
        String template = corpus.substring(0, corpus.indexOf('\n'));
        long seed = family.hashCode();
        Random random = new Random(seed);
        for (Example example : examples(corpus)) {
            String answer = example.answer();
            for (int round = 0; round < 40; round++) {
                int end = 1 + random.nextInt(answer.length());
                int cut = random.nextInt(end);
                int length = random.nextInt(6);
                String torn = answer.substring(0, cut) + answer.substring(Math.min(end, cut + length), end) + "x";
                assertThat(parts(template, Arrays.asList(torn.split(""))))
                        .as("%s, seed %d: %s", example.title(), seed, torn)
                        .isEqualTo(parts(template, List.of(torn)));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void leaksNoMarkWhereverTheAnswerIsCutOff(String family) throws IOException {
        String corpus = corpus(family);
        String template = corpus.substring(0, corpus.indexOf('\n'));
        AnswerSyntax.ToolCalls syntax = AnswerSyntax.of(template).toolCalls();
        List<String> marks = Stream.of(
                        List.of(syntax.open(), syntax.close()),
                        syntax.framing().ends(),
                        syntax.framing().restarts())
                .flatMap(List::stream)
                .filter(mark -> !mark.isEmpty() && !mark.equals(">>>"))
                .toList();
        for (Example example : examples(corpus)) {
            for (int end = 1; end <= example.answer().length(); end++) {
                for (String part : parts(template, List.of(example.answer().substring(0, end)))) {
                    if (part.startsWith("text\n")) {
                        assertThat(marks)
                                .as("%s, up to %d: %s", example.title(), end, part)
                                .noneMatch(part::contains);
                    }
                }
            }
        }
    }

    private static List<String> parts(String template, List<String> pieces) {
        Parts parts = new Parts();
        AnswerParser parser = AnswerParser.of(template, TOOLS, List.of(TextSpan.trusted("prompt")), () -> "id");
        pieces.forEach(piece -> parser.accept(piece, parts));
        parser.finish(parts);
        return parts.parts;
    }

    private static String corpus(String family) throws IOException {
        try (InputStream in = AnswerCorpusTest.class.getResourceAsStream("/answers/" + family + ".txt")) {
            assertThat(in).as(family).isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static List<Example> examples(String corpus) {
        List<Example> examples = new ArrayList<>();
        String[] blocks = corpus.split("(?m)^=== ", -1);
        for (String block : Arrays.asList(blocks).subList(1, blocks.length)) {
            List<String> sections = List.of(block.split("(?m)^--- ", -1));
            int title = sections.getFirst().indexOf('\n');
            examples.add(new Example(
                    block.substring(0, title),
                    withoutLastLineBreak(sections.getFirst().substring(title + 1)),
                    sections.subList(1, sections.size()).stream()
                            .map(AnswerCorpusTest::withoutLastLineBreak)
                            .toList()));
        }
        return examples;
    }

    private static String withoutLastLineBreak(String text) {
        return text.substring(0, text.length() - 1);
    }
}
