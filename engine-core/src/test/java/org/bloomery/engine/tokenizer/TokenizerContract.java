package org.bloomery.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.format.ModelFormatException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every kind of tokenizer, on a small vocabulary of that kind. */
abstract class TokenizerContract {

    /** A vocabulary with {@code <tool>} as a user-defined token. */
    abstract VocabularyFixture fixture();

    /** A control token of it. */
    abstract String control();

    private final Tokenizer tokenizer = fixture().build();

    @Test
    void readsItsWholeVocabulary() {
        assertThat(tokenizer.vocabSize()).isEqualTo(fixture().size());
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            assertThat(tokenizer.idOf(tokenizer.spelling(id))).isEqualTo(id);
        }
        assertThat(tokenizer.idOf("no such token")).isEqualTo(-1);
    }

    @Test
    void givesNothingForNothing() {
        assertThat(tokenizer.encode("", true, false)).isEmpty();
        assertThat(tokenizer.encode(List.of(), false)).isEmpty();
        assertThat(tokenizer.decoder().finish()).isEmpty();
    }

    @Test
    void recognisesControlTokensInTrustedSpansOnly() {
        int id = tokenizer.idOf(control());
        assertThat(tokenizer.isControl(id)).isTrue();
        assertThat(tokenizer.bytes(id)).isEmpty();
        assertThat(tokenizer.encode(control(), true, false)).containsExactly(id);
        assertThat(tokenizer.encode(control(), false, false)).isNotEmpty().doesNotContain(id);
    }

    @Test
    void recognisesControlTokenAcrossTrustedSpansOnlyWhereAllOfItIsTrusted() {
        int id = tokenizer.idOf(control());
        for (int cut = 1; cut < control().length(); cut++) {
            String left = control().substring(0, cut);
            String right = control().substring(cut);
            assertThat(tokenizer.encode(List.of(TextSpan.trusted(left), TextSpan.trusted(right)), false))
                    .containsExactly(id);
            assertThat(tokenizer.encode(List.of(TextSpan.trusted(left), TextSpan.untrusted(right)), false))
                    .doesNotContain(id);
            assertThat(tokenizer.encode(List.of(TextSpan.untrusted(left), TextSpan.trusted(right)), false))
                    .doesNotContain(id);
        }
    }

    @Test
    void recognisesUserDefinedTokensEverywhere() {
        int id = tokenizer.idOf("<tool>");
        assertThat(tokenizer.encode("a<tool>a", false, false)).contains(id);
        assertThat(tokenizer.encode(List.of(TextSpan.trusted("a<to"), TextSpan.untrusted("ol>a")), false))
                .contains(id);
        assertThat(tokenizer.bytes(id)).asString(StandardCharsets.UTF_8).isEqualTo("<tool>");
    }

    @Test
    void spanBoundariesDoNotChangePlainText() {
        Random random = new Random(20);
        for (int round = 0; round < 300; round++) {
            String text = hostile(random);
            int[] whole = tokenizer.encode(text, false, false);
            List<TextSpan> spans = new ArrayList<>();
            for (int at = 0; at < text.length(); ) {
                int end = Math.min(text.length(), at + 1 + random.nextInt(4));
                spans.add(TextSpan.untrusted(text.substring(at, end)));
                at = end;
            }
            assertThat(tokenizer.encode(spans, false))
                    .as("seed 20, round %d", round)
                    .isEqualTo(whole);
        }
    }

    @Test
    void neverMakesControlTokensOfUntrustedText() {
        long seed = 1177;
        Random random = new Random(seed);
        for (int round = 0; round < 25_000; round++) {
            int[] ids = tokenizer.encode(hostile(random), false, false);
            assertThat(IntStream.of(ids).noneMatch(tokenizer::isControl))
                    .as("seed %d, round %d", seed, round)
                    .isTrue();
        }
    }

    @Test
    void decoderEmitsTheSameTextAsAllBytesAtOnce() {
        Random random = new Random(9);
        for (int round = 0; round < 2_000; round++) {
            int[] ids =
                    random.ints(random.nextInt(40), 0, tokenizer.vocabSize()).toArray();
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (int id : ids) {
                bytes.writeBytes(tokenizer.bytes(id));
            }
            assertThat(decode(ids))
                    .as("seed 9, round %d", round)
                    .isEqualTo(new String(bytes.toByteArray(), StandardCharsets.UTF_8));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"a", "A", " ", "7", "\n", ".", "<", "<|", "🚀", "中", "\u0301", "\0", "ab", "aB1 \n", "\uD800"})
    void staysLinear(String unit) {
        String text = unit.repeat(2_000_000 / unit.length());
        int[] ids = assertTimeoutPreemptively(Duration.ofSeconds(20), () -> tokenizer.encode(text, false, false));
        assertThat(ids.length).isLessThanOrEqualTo(4 * text.length() + 1);
    }

    @Test
    void refusesMissingTokens() {
        assertRefused(fixture().without("tokens"), "tokens");
    }

    @Test
    void refusesNoTokens() {
        assertRefused(fixture().set("tokens", List.of()), "tokens");
    }

    @Test
    void refusesTokensOfAnotherType() {
        assertRefused(fixture().set("tokens", new int[] {1, 2}), "tokens");
    }

    @Test
    void refusesTwoTokensOfOneSpelling() {
        assertRefused(fixture().token("<tool>", VocabularyFixture.NORMAL, 0), "second time");
    }

    @Test
    void refusesTypesOfAnotherLength() {
        assertRefused(fixture().set("token_type", new int[] {1, 1, 1}), "token_type");
        assertRefused(fixture().set("token_type", new int[fixture().size() + 1]), "token_type");
    }

    @Test
    void refusesUnknownTypeOfToken() {
        int[] types = new int[fixture().size()];
        Arrays.fill(types, 1);
        types[2] = 7;
        assertRefused(fixture().set("token_type", types), "type 7");
        types[2] = -1;
        assertRefused(fixture().set("token_type", types), "type -1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bos_token_id",
                "eos_token_id",
                "eot_token_id",
                "eom_token_id",
                "unknown_token_id",
                "seperator_token_id",
                "fim_pad_token_id"
            })
    void refusesRoleBeyondTheVocabulary(String key) {
        assertRefused(fixture().set(key, fixture().size()), key);
        assertRefused(fixture().set(key, -1), key);
        assertRefused(fixture().set(key, "1"), key);
    }

    @Test
    void refusesUnknownModelAndNamesTheKnown() {
        assertThatThrownBy(() -> fixture().set("model", "abacus").build())
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("abacus")
                .hasMessageContaining("gpt2");
        assertRefused(fixture().without("model"), "tokenizer.ggml.model");
    }

    @Test
    void endsGenerationAtRoleAndAtWellKnownSpellings() {
        Tokenizer ending = fixture()
                .token("<|eot_id|>", VocabularyFixture.NORMAL, 0)
                .token("<done>", VocabularyFixture.CONTROL, 0)
                .set("eot_token_id", fixture().size() + 1)
                .build();
        assertThat(ending.isEndOfGeneration(ending.idOf("<|eot_id|>"))).isTrue();
        assertThat(ending.isControl(ending.idOf("<|eot_id|>"))).isTrue();
        assertThat(ending.isEndOfGeneration(ending.idOf("<done>"))).isTrue();
        assertThat(ending.isEndOfGeneration(ending.idOf("<tool>"))).isFalse();
    }

    static void assertRefused(VocabularyFixture fixture, String named) {
        assertThatThrownBy(fixture::build)
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(named);
    }

    String decode(int... ids) {
        StreamingDecoder decoder = tokenizer.decoder();
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            String piece = decoder.accept(id);
            assertThat(piece.isEmpty() || !Character.isHighSurrogate(piece.charAt(piece.length() - 1)))
                    .isTrue();
            text.append(piece);
        }
        return text.append(decoder.finish()).toString();
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    /** A message of pieces of control tokens, odd characters and ordinary text. */
    String hostile(Random random) {
        List<String> parts = List.of(
                control(),
                "<tool>",
                "<|im_start|>",
                "</s>",
                "<s>",
                "[CLS]",
                "<0x0A>",
                "<unk>",
                "<",
                "|",
                ">",
                "[",
                "]",
                " ",
                "  ",
                "\n",
                "hello",
                " world",
                "aaaa",
                "'s",
                "123",
                "中",
                "é",
                "e\u0301",
                "🚀",
                "\u200d",
                "\ufeff",
                "▁",
                "Ġ",
                "\0",
                "\u00A0",
                "\uD83D",
                "s>",
                "im_",
                "CLS");
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(12); i >= 0; i--) {
            String part = parts.get(random.nextInt(parts.size()));
            if (random.nextInt(5) == 0) {
                part = part.substring(random.nextInt(part.length()));
            }
            text.append(part);
        }
        return text.toString();
    }
}
