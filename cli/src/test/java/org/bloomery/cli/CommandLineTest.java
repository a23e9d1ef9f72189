package org.bloomery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The forms that scripts depend on, each in a process of its own, on the demo model. */
class CommandLineTest {

    private static final String MODEL = System.getProperty("bloomery.demo.model");

    @TempDir
    Path folder;

    private Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    @Test
    void tokenizeWritesOneJsonArrayThatSpellsTheText() throws IOException {
        Path text = file("text", "Hello there,\n  world!");

        Invocation result = Invocation.of("tokenize", "--model", MODEL, "--file", text.toString());

        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.out()).matches("\\[\\d+(,\\d+)*]\\R");
        assertThat(result.err()).isEmpty();
    }

    @Test
    void tokenizeRecognisesControlTokensOnlyWhenAskedTo() throws IOException {
        Path text = file("text", "<|im_start|>");

        Invocation plain = Invocation.of("tokenize", "--model", MODEL, "--file", text.toString());
        Invocation special = Invocation.of("tokenize", "--model", MODEL, "--parse-special", "--file", text.toString());

        assertThat(plain.out().split(",")).hasSizeGreaterThan(1);
        assertThat(special.out()).matches("\\[\\d+]\\R");
    }

    @Test
    void tokenizeOfNothingIsAnEmptyArray() throws IOException {
        Invocation result = Invocation.of(
                "tokenize", "--model", MODEL, "--file", file("text", "").toString());

        assertThat(result.out()).matches("\\[]\\R");
    }

    @Test
    void logitsAreTheSameInChunksAndAtOnce() {
        List<List<Double>> whole =
                logits(Invocation.of("logits", "--model", MODEL, "--tokens", "92,4,101,7,8,9", "--backend", "java"));
        List<List<Double>> chunks = logits(Invocation.of(
                "logits", "--model", MODEL, "--tokens", "92,4,101,7,8,9", "--backend", "java", "--chunk", "4"));

        assertThat(whole).hasSize(6).allSatisfy(row -> assertThat(row).hasSize(2048));
        double range = range(whole);
        for (int row = 0; row < 6; row++) {
            for (int i = 0; i < 2048; i++) {
                assertThat(Math.abs(chunks.get(row).get(i) - whole.get(row).get(i)))
                        .isLessThan(1e-3 * range);
            }
        }
    }

    /** With quantised weights llama.cpp rounds activations to 8 bits, the Java kernels do not. */
    @Test
    void bothBackendsGiveLogitsAlike() {
        List<List<Double>> java =
                logits(Invocation.of("logits", "--model", MODEL, "--tokens", "92,4,101,7,8,9", "--backend", "java"));
        Invocation other =
                Invocation.of("logits", "--model", MODEL, "--tokens", "92,4,101,7,8,9", "--backend", "native");
        Assumptions.assumeFalse(
                other.err().contains("left empty") || other.err().contains("No llama.cpp library"),
                "This build has no natives.");

        List<List<Double>> llama = logits(other);
        double range = range(java);
        for (int row = 0; row < 6; row++) {
            for (int i = 0; i < 2048; i++) {
                assertThat(Math.abs(llama.get(row).get(i) - java.get(row).get(i)))
                        .isLessThan(5e-2 * range);
            }
        }
    }

    private static double range(List<List<Double>> rows) {
        double[] all =
                rows.stream().flatMap(List::stream).mapToDouble(d -> d).sorted().toArray();
        return all[all.length - 1] - all[0];
    }

    @SuppressWarnings("unchecked")
    private static List<List<Double>> logits(Invocation result) {
        assertThat(result.exitCode()).as(result.err()).isZero();
        Map<String, Object> json = JsonText.object(result.out());
        assertThat(json.keySet()).containsExactly("n_vocab", "tokens", "logits");
        assertThat(json.get("n_vocab")).isEqualTo(2048.0);
        return (List<List<Double>>) json.getOrDefault("logits", List.of());
    }

    @Test
    void logitsRefusesAnUnknownToken() {
        Invocation result = Invocation.of("logits", "--model", MODEL, "--tokens", "5,2048");

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("2048", "0 to 2047");
    }

    @Test
    void renderWritesTheTextAsItIs() throws IOException {
        Path template = file("t.jinja", "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}{{ x }}");
        Path context = file("c.json", "{\"messages\":[{\"role\":\"user\",\"content\":\"Grüße\"}],\"x\":1.5}");

        Invocation result = Invocation.of("render", "--template", template.toString(), "--context", context.toString());

        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.out()).isEqualTo("<user>Grüße\n1.5");
    }

    @ParameterizedTest
    @CsvSource({
        "2026-02-03, 2026-02-03 00:00:00.000000",
        "2026-02-03T04:05:06, 2026-02-03 04:05:06.000000",
        "2026-02-03 04:05, 2026-02-03 04:05:00.000000",
        "2026-02-03T04:05:06.5, 2026-02-03 04:05:06.500000",
        "2026-02-03T04:05:06Z, 2026-02-03 04:05:06.000000",
        "2026-02-03T04:05:06.123456+0200, 2026-02-03 04:05:06.123456",
        "2026-02-03T04:05:06-07:00, 2026-02-03 04:05:06.000000"
    })
    void renderTellsTheGivenTime(String now, String expected) throws IOException {
        Path template = file("t.jinja", "{{ strftime_now('%Y-%m-%d %H:%M:%S.%f') }}");
        Path context = file("c.json", "{}");

        Invocation result = Invocation.of(
                "render", "--template", template.toString(), "--context", context.toString(), "--now", now);

        assertThat(result.out()).as(result.err()).isEqualTo(expected);
    }

    @Test
    void renderEndsWithThreeWhereTheTemplateRefuses() throws IOException {
        Path template = file("t.jinja", "a{{ raise_exception('roles must alternate') }}");
        Path context = file("c.json", "{}");

        Invocation result = Invocation.of("render", "--template", template.toString(), "--context", context.toString());

        assertThat(result.exitCode()).isEqualTo(3);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("roles must alternate");
    }

    @Test
    void completeRepeatsItselfAtTemperatureZero() {
        String[] args = {"complete", "--model", MODEL, "--prompt", "Once upon a time", "-n", "12", "--temperature", "0"
        };

        Invocation first = Invocation.of(args);
        Invocation second = Invocation.of(args);

        assertThat(first.exitCode()).as(first.err()).isZero();
        assertThat(first.out()).isNotBlank().isEqualTo(second.out());
    }

    @Test
    void completeRepeatsItselfWithASeed() {
        String[] args = {"complete", "--model", MODEL, "--prompt", "Once", "-n", "12", "--seed", "7"};

        assertThat(Invocation.of(args).out())
                .isNotBlank()
                .isEqualTo(Invocation.of(args).out());
    }

    @Test
    void completeKeepsToWhatTheAnswerMustLookLike() throws IOException {
        Path schema = Files.writeString(
                folder.resolve("schema.json"),
                "{\"type\":\"array\",\"items\":{\"enum\":[1,2]},\"minItems\":2,\"maxItems\":2}");
        Path grammar = Files.writeString(folder.resolve("list.gbnf"), "root ::= (\"- \" [a-z]{3} \"\\n\"){2}");
        String[][] shapes = {
            {"--json-schema", schema.toString(), "\\[\\s*[12],\\s*[12]\\s*\\]"},
            {"--grammar", grammar.toString(), "(- [a-z]{3}\n){2}"},
            {"--regex", "[A-Z]{2}-\\d{3}", "[A-Z]{2}-\\d{3}"},
            {"--choices", "red,dark green", "red|dark green"}
        };
        for (String[] shape : shapes) {
            Invocation result = Invocation.of(
                    "complete", "--model", MODEL, "--prompt", "Once", "-n", "60", "--seed", "7", shape[0], shape[1]);

            assertThat(result.exitCode()).as(result.err()).isZero();
            assertThat(result.out()).matches(shape[2]);
        }
    }

    @Test
    void aShapeThatCannotBeKeptIsRefusedWithItsReason() {
        Invocation result = Invocation.of("complete", "--model", MODEL, "--prompt", "Once", "--regex", "(?=a)b");

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("look-ahead").doesNotContain("Exception");
    }

    @Test
    void chatAnswersEachLine() {
        Invocation result =
                Invocation.withInput("Hello!\n", "chat", "--model", MODEL, "--temperature", "0", "-n", "20");

        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.out()).isNotBlank();
    }

    @Test
    void benchWritesEveryFigure() {
        Invocation result = Invocation.of(
                "bench",
                "--model",
                MODEL,
                "--backend",
                "java",
                "-p",
                "16",
                "-n",
                "4",
                "-t",
                "2",
                "-r",
                "1",
                "--parallel",
                "2",
                "--json");

        assertThat(result.exitCode()).as(result.err()).isZero();
        Map<String, Object> json = JsonText.object(result.out());
        assertThat(json.keySet())
                .containsExactly(
                        "backend",
                        "kernels",
                        "threads",
                        "load_seconds",
                        "prefill_tokens_per_second",
                        "decode_tokens_per_second",
                        "parallel_decode_tokens_per_second",
                        "peak_rss_bytes");
        assertThat(json.get("backend")).isEqualTo("java");
        assertThat(json.get("threads")).isEqualTo(2.0);
        assertThat((Double) json.get("decode_tokens_per_second")).isPositive();
    }

    @Test
    void inspectTellsArchitectureAndTensors() {
        Invocation result = Invocation.of("inspect", "--model", MODEL, "--json");

        assertThat(result.exitCode()).as(result.err()).isZero();
        Map<String, Object> json = JsonText.object(result.out());
        assertThat(json.toString()).contains("general.architecture=qwen3", "token_embd.weight");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Q8_0", "Q4_0", "Q4_K", "F16"})
    void synthWritesAModelThatRuns(String type) {
        Path out = folder.resolve("m.gguf");

        Invocation written = Invocation.of(
                "synth", "--shape", "smollm2-135m", "--type", type, "--vocab", MODEL, "--out", out.toString());
        Invocation answer =
                Invocation.of("complete", "--model", out.toString(), "--prompt", "Hi", "-n", "2", "--temperature", "0");

        assertThat(written.exitCode()).as(written.err()).isZero();
        assertThat(answer.exitCode()).as(answer.err()).isZero();
    }

    @Test
    void missingModelIsNamed() {
        Invocation result =
                Invocation.of("inspect", "--model", folder.resolve("none.gguf").toString());

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("none.gguf").doesNotContain("Exception");
    }

    @Test
    void wrongOptionIsNamedWithItsRange() {
        Invocation result =
                Invocation.of("complete", "--model", MODEL, "--prompt", "x", "-n", "1", "--temperature", "11");

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err()).contains("temperature", "11", "0 to 10");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "chat", "complete", "bench", "inspect", "tokenize", "logits", "render", "synth", "audit"})
    void everyCommandHasHelpForEveryOption(String command) {
        String[] args = command.isEmpty() ? new String[] {"--help"} : new String[] {command, "--help"};

        Invocation result = Invocation.of(args);

        assertThat(result.exitCode()).isZero();
        assertThat(result.out()).contains("Usage:");
    }

    @Test
    void unknownOptionIsWrongUsage() {
        Invocation result = Invocation.of("bench", "--model", MODEL, "--modle", "x");

        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("--modle");
    }
}
