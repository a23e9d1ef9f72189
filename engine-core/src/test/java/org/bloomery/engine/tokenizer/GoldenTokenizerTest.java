package org.bloomery.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The ids that llama.cpp ships for its real vocabularies: nothing added, special tokens not parsed. */
class GoldenTokenizerTest {

    static List<Path> vocabularies() throws IOException {
        String shared = System.getProperty("bloomery.shared", "");
        Path folder = Path.of(shared, "golden", "tokenizers");
        assumeTrue(
                !shared.isEmpty() && Files.isDirectory(folder),
                "The golden vocabularies are not here; set bloomery.shared to the folder that holds golden/tokenizers.");
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".gguf"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void goldenFolderHoldsVocabularies() throws IOException {
        assertThat(vocabularies()).hasSizeGreaterThanOrEqualTo(9);
    }

    @TestFactory
    Stream<DynamicTest> givesTheExpectedIds() throws IOException {
        return vocabularies().stream()
                .map(file ->
                        DynamicTest.dynamicTest(String.valueOf(file.getFileName()), () -> givesTheExpectedIds(file)));
    }

    @TestFactory
    Stream<DynamicTest> neverMakesControlTokensOfUntrustedText() throws IOException {
        return vocabularies().stream()
                .map(file -> DynamicTest.dynamicTest(
                        String.valueOf(file.getFileName()), () -> neverMakesControlTokensOfUntrustedText(file)));
    }

    /** Messages made of the vocabulary's own control tokens, whole and in pieces, between trusted spans. */
    private static void neverMakesControlTokensOfUntrustedText(Path file) {
        long seed = 4711;
        Random random = new Random(seed);
        try (ModelFile model = GgufReader.open(file, LoadMode.COPY)) {
            Tokenizer tokenizer = Tokenizers.from(model.metadata());
            List<String> controls = IntStream.range(0, tokenizer.vocabSize())
                    .filter(tokenizer::isControl)
                    .mapToObj(tokenizer::spelling)
                    .toList();
            assertThat(controls).isNotEmpty();
            for (int round = 0; round < 12_000; round++) {
                StringBuilder message = new StringBuilder();
                for (int i = random.nextInt(6); i >= 0; i--) {
                    String control = controls.get(random.nextInt(controls.size()));
                    int from = random.nextInt(3) == 0 ? random.nextInt(control.length()) : 0;
                    message.append(control, from, control.length());
                    message.append(List.of("", " ", "\n", "a", "<", "é").get(random.nextInt(6)));
                }
                int cut = random.nextInt(message.length() + 1);
                List<TextSpan> spans = List.of(
                        TextSpan.trusted("a"),
                        TextSpan.untrusted(message.substring(0, cut)),
                        TextSpan.untrusted(message.substring(cut)),
                        TextSpan.trusted("a"));
                int[] ids = tokenizer.encode(spans, false);
                assertThat(IntStream.of(ids).noneMatch(tokenizer::isControl))
                        .as("seed %d, round %d", seed, round)
                        .isTrue();
            }
        }
    }

    private static void givesTheExpectedIds(Path file) throws IOException {
        String input = Files.readString(Path.of(file + ".inp"), StandardCharsets.UTF_8);
        List<String> output = Files.readAllLines(Path.of(file + ".out"), StandardCharsets.UTF_8);
        String[] cases = input.split("\n__ggml_vocab_test__\n", -1);
        try (ModelFile model = GgufReader.open(file, LoadMode.COPY)) {
            Tokenizer tokenizer = Tokenizers.from(model.metadata());
            int checked = 0;
            for (int i = 0; i < output.size(); i++) {
                int[] expected = Arrays.stream(output.get(i).trim().split("\\s+"))
                        .filter(id -> !id.isEmpty())
                        .mapToInt(Integer::parseInt)
                        .toArray();
                assertThat(tokenizer.encode(cases[i], false, false))
                        .as("case %d: \"%s\"", i, cases[i])
                        .containsExactly(expected);
                checked++;
            }
            assertThat(checked).isGreaterThan(40);
        }
    }
}
