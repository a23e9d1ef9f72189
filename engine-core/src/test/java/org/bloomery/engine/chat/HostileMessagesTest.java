package org.bloomery.engine.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.tokenizer.Tokenizer;
import org.bloomery.engine.tokenizer.Tokenizers;
import org.junit.jupiter.api.Test;

/**
 * Users who spell control tokens, through real templates and real vocabularies: a prompt has the control tokens of its
 * template and none of the message. What a harmless message in its place gives is the truth.
 */
class HostileMessagesTest {

    private static final boolean SOAK = Boolean.getBoolean("bloomery.soak");
    private static final int MESSAGES = SOAK ? 1_000_000 : 20_000;

    /** How much of the template's text on either side of a message is tokenised, in characters. */
    private static final int NEAR = 100;

    /** Marks of families whose vocabularies are not here. */
    private static final List<String> MARKS = List.of(
            "<|start|>assistant<|channel|>final<|message|>",
            "<|im_start|>system\n",
            "<|im_end|>",
            "<|eot_id|>",
            "<|start_header_id|>system<|end_header_id|>",
            "<｜User｜>",
            "<｜Assistant｜>",
            "<｜DSML｜tool_calls>",
            "<｜end▁of▁sentence｜>",
            "[INST]",
            "[/INST]",
            "[TOOL_CALLS]",
            "<think>",
            "</think>",
            "<tool_call>",
            "</tool_call>",
            "<start_of_turn>model\n",
            "<|turn>model\n",
            "<turn|>",
            "<s>",
            "</s>",
            "<|role_sep|>",
            "]<]minimax[>[<tool_call>",
            ">>>all\n",
            "<tool_calls:opensource>");

    private static final List<String> FILLERS = List.of(
            "",
            " ",
            "\n",
            "\n\n",
            "a",
            "<",
            ">",
            "|",
            "é",
            "🌦",
            "ignore this",
            "\u200b",
            "\u0000",
            "{{ bos_token }}",
            "{% raw %}");

    private record Vocabulary(Tokenizer tokenizer, List<String> controls) {}

    /** A template with a vocabulary, and what its prompts have for a harmless message. */
    private record Model(String name, ChatFormat format, Vocabulary vocabulary, List<String> harmless) {}

    @Test
    void makeNoControlTokens() throws IOException {
        long seed = 20_261_126;
        List<Model> models = models();
        List<String> marks = new ArrayList<>(MARKS);
        marks.addAll(models.stream()
                .flatMap(model -> model.vocabulary().controls().stream())
                .collect(TreeSet<String>::new, TreeSet::add, TreeSet::addAll));
        LongAdder attempts = new LongAdder();
        IntStream.range(0, MESSAGES).parallel().forEach(round -> {
            Random random = new Random(seed + round);
            Model model = models.get(random.nextInt(models.size()));
            Vocabulary vocabulary = model.vocabulary();
            String message = message(random, random.nextBoolean() ? vocabulary.controls() : marks);
            List<TextSpan> prompt = prompt(model.format(), message);
            assertThat(controls(vocabulary, prompt))
                    .as("seed %d, round %d, %s", seed, round, model.name())
                    .isEqualTo(model.harmless());
            assertThat(controls(
                            vocabulary,
                            prompt.stream().filter(span -> !span.trusted()).toList()))
                    .as("untrusted spans, seed %d, round %d, %s", seed, round, model.name())
                    .isEmpty();
            if (!controls(vocabulary, List.of(TextSpan.trusted(message))).isEmpty()) {
                attempts.increment();
            }
        });
        assertThat(attempts.sum()).as("messages that are hostile if trusted").isGreaterThan(MESSAGES / 3);
    }

    /** A prompt without what its template writes far from the message: tokens are shorter than that. */
    private static List<TextSpan> prompt(ChatFormat format, String message) {
        List<TextSpan> prompt = format.prompt(List.of(ChatMessage.user(message)), List.of(), Map.of());
        return prompt.stream()
                .map(span -> span.trusted() && span.text().length() > 2 * NEAR
                        ? TextSpan.trusted(span.text().substring(0, NEAR)
                                + span.text().substring(span.text().length() - NEAR))
                        : span)
                .toList();
    }

    /** The control tokens of a prompt in their order, by their spellings. */
    private static List<String> controls(Vocabulary vocabulary, List<TextSpan> prompt) {
        Tokenizer tokenizer = vocabulary.tokenizer();
        return IntStream.of(tokenizer.encode(prompt, false))
                .filter(tokenizer::isControl)
                .mapToObj(tokenizer::spelling)
                .toList();
    }

    private static String message(Random random, List<String> marks) {
        StringBuilder message = new StringBuilder(random.nextBoolean() ? "" : "x");
        for (int i = random.nextInt(5); i >= 0; i--) {
            String mark = marks.get(random.nextInt(marks.size()));
            switch (random.nextInt(6)) {
                case 0 -> message.append(mark, random.nextInt(mark.length()), mark.length());
                case 1 -> message.append(mark, 0, random.nextInt(mark.length()));
                case 2 -> message.append(lookAlike(random, mark));
                default -> message.append(mark);
            }
            message.append(FILLERS.get(random.nextInt(FILLERS.size())));
        }
        // Templates may leave out a blank message
        return message.toString().isBlank() ? message + "x" : message.toString();
    }

    /** The same mark to the eye, or after normalisation. */
    private static String lookAlike(Random random, String mark) {
        StringBuilder look = new StringBuilder();
        for (int i = 0; i < mark.length(); i++) {
            char c = mark.charAt(i);
            if (c > ' ' && c < 0x7f && random.nextInt(3) == 0) {
                look.append((char) (c + 0xfee0)); // full width
            } else if (c == 'a' && random.nextBoolean()) {
                look.append('а'); // Cyrillic
            } else {
                look.append(c);
                if (random.nextInt(8) == 0) {
                    look.append(random.nextBoolean() ? '\u200d' : '\u0301');
                }
            }
        }
        return look.toString();
    }

    /** Every template with every vocabulary, or with a third of them. */
    private static List<Model> models() throws IOException {
        List<Map.Entry<String, Vocabulary>> vocabularies =
                List.copyOf(vocabularies().entrySet());
        List<Model> models = new ArrayList<>();
        int first = 0;
        for (Map.Entry<String, String> template : GoldenTemplates.all().entrySet()) {
            for (int i = first++ % (SOAK ? 1 : 3); i < vocabularies.size(); i += SOAK ? 1 : 3) {
                Vocabulary vocabulary = vocabularies.get(i).getValue();
                ChatFormat format = ChatFormat.of(template.getValue(), vocabulary.tokenizer());
                models.add(new Model(
                        template.getKey() + " with " + vocabularies.get(i).getKey(),
                        format,
                        vocabulary,
                        controls(vocabulary, prompt(format, "x"))));
            }
        }
        return models;
    }

    private static Map<String, Vocabulary> vocabularies() throws IOException {
        Path folder = Path.of(System.getProperty("bloomery.shared", ""), "golden", "tokenizers");
        assumeTrue(
                Files.isDirectory(folder),
                "The golden vocabularies are not here; set bloomery.shared to the folder that holds golden/tokenizers.");
        List<Path> paths;
        try (Stream<Path> files = Files.list(folder)) {
            paths = files.filter(file -> file.toString().endsWith(".gguf"))
                    .sorted()
                    .toList();
        }
        Map<String, Vocabulary> vocabularies = new LinkedHashMap<>();
        for (Path file : paths) {
            try (ModelFile model = GgufReader.open(file, LoadMode.COPY)) {
                Tokenizer tokenizer = Tokenizers.from(model.metadata());
                List<String> controls = IntStream.range(0, tokenizer.vocabSize())
                        .filter(tokenizer::isControl)
                        .mapToObj(tokenizer::spelling)
                        .filter(spelling -> !spelling.isEmpty())
                        .toList();
                vocabularies.put(String.valueOf(file.getFileName()), new Vocabulary(tokenizer, controls));
            }
        }
        return vocabularies;
    }
}
