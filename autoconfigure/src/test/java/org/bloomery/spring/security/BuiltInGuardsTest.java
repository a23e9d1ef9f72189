package org.bloomery.spring.security;

import static org.assertj.core.api.Assertions.assertThat;

import java.text.Normalizer;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.chat.ChatMessage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BuiltInGuardsTest {

    private static final String JWT =
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";

    private static String redacted(PromptGuard guard, String text) {
        return switch (guard.check(ChatMessage.Role.USER, text)) {
            case Verdict.Allow allow -> text;
            case Verdict.Redact redact -> Verdict.apply(text, redact.replacements());
            case Verdict.Block block -> throw new AssertionError(block.reason());
        };
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "AWS AKIAIOSFODNN7EXAMPLE.|AWS [SECRET].",
                "ghp_0123456789abcdefABCDEF0123456789abcd|[SECRET]",
                "github_pat_11ABCDEFG0123456789_abcdefghij|[SECRET]",
                "xoxb-123456789012-abcdefGHIJ|[SECRET]",
                "api_key = \"q9Zr7Lm2Xv5Kt8Wn\"|api_key = \"[SECRET]\"",
                "Authorization: Bearer q9Zr7Lm2Xv5Kt8WnA|Authorization: Bearer [SECRET]",
                "{'password': 'q9Zr7Lm2Xv5Kt8Wn!'}|{'password': '[SECRET]'}"
            })
    void secretsAreReplaced(String text, String expected) {
        assertThat(redacted(new SecretGuard(), text)).isEqualTo(expected);
    }

    @Test
    void tokensAndPrivateKeysAreReplacedWhole() {
        assertThat(redacted(new SecretGuard(), "use " + JWT + " now")).isEqualTo("use [SECRET] now");
        String body = "MIIEvQIBADANBgkqhkiG9w0\n".repeat(20);
        for (String kind : List.of("", "RSA ", "EC ", "ENCRYPTED ")) {
            String key = "-----BEGIN " + kind + "PRIVATE KEY-----\n" + body + "-----END " + kind + "PRIVATE KEY-----";
            assertThat(redacted(new SecretGuard(), "a\n" + key + "\nb")).isEqualTo("a\n[SECRET]\nb");
            assertThat(redacted(new SecretGuard(), key.substring(0, 200))).isEqualTo("[SECRET]");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "The key: be kind to everybody you meet",
                "key=aaaaaaaaaaaaaaaaaaaaaaaa1",
                "monkey=short1",
                "-----BEGIN CERTIFICATE-----",
                "AKIA is a prefix",
                "https://example.com/page?id=1234567890abcdefXYZ"
            })
    void whatIsNoSecretStays(String text) {
        assertThat(redacted(new SecretGuard(), text)).isEqualTo(text);
    }

    @Test
    void nobodySeesInvisibleCharactersAndNeitherDoesTheModel() {
        String hidden = "ig\u200bno\u202ere\u2066 \ufeffth\u00adis" + Character.toString(0xE0041) + "\u2060";
        assertThat(redacted(new InvisibleCharacterGuard(false), hidden)).isEqualTo("ignore this");
        assertThat(redacted(new InvisibleCharacterGuard(false), "Grüße, 你好 👋\n\t"))
                .isEqualTo("Grüße, 你好 👋\n\t");
        assertThat(redacted(new InvisibleCharacterGuard(false), "ｉｇｎｏｒｅ")).isEqualTo("ｉｇｎｏｒｅ");
        assertThat(redacted(new InvisibleCharacterGuard(true), "ｉｇ\u200bｎｏｒｅ ﬁle"))
                .isEqualTo("ignore file");
    }

    /** What a guard that looks back, ahead or sorts would take hours for. */
    private static List<String> hostile(int length) {
        return List.of(
                        "a",
                        ":",
                        "=",
                        "@",
                        "-",
                        "1",
                        "1 ",
                        "+",
                        "(0",
                        "key=",
                        "a.b@",
                        "a@a.",
                        "::",
                        "f:",
                        "1.",
                        "eyJ",
                        "eyJ.",
                        "eyJaaaaaaaaa.eyJ",
                        "gh",
                        "ghp_",
                        "xoxb-",
                        "-----BEGIN ",
                        "-----BEGIN PRIVATE KEY",
                        "-----END ",
                        "DE89 ",
                        "DE",
                        "\u0301\u0316",
                        "\uff9e\u0301",
                        "\u1100",
                        "\ufdfa",
                        "\u200b",
                        "\ud83d")
                .stream()
                .map(unit -> "a" + unit.repeat(length / unit.length()))
                .toList();
    }

    @Test
    void aMillionHostileCharactersAreJudged() {
        for (String text : hostile(1_000_000)) {
            for (PromptGuard guard : List.of(
                    new SecretGuard(),
                    new PiiGuard(new PiiRedactor()),
                    new InvisibleCharacterGuard(false),
                    new InvisibleCharacterGuard(true))) {
                assertThat(guard.check(ChatMessage.Role.USER, text))
                        .as("%s of %s…", guard.name(), text.substring(0, 20))
                        .isNotInstanceOf(Verdict.Block.class);
            }
            assertThat(leak(text).check(text, true)).isNotNull();
        }
    }

    @Test
    void normalizingByPiecesIsNormalizing() {
        long seed = System.nanoTime();
        System.out.println("BuiltInGuardsTest seed " + seed);
        Random random = new Random(seed);
        List<IntFunction<String>> alphabets = List.of(
                n -> "ﬁle ① a\u0301\u0316 ｆｕｌｌ　½ ",
                n -> Character.toString(0x4e00 + n % 20_000) + "ｶﾞ",
                n -> Character.toString(0x20 + n % 95) + Character.toString(0x300 + n % 70));
        for (int i = 0; i < 50; i++) {
            IntFunction<String> alphabet = alphabets.get(i % alphabets.size());
            StringBuilder text = new StringBuilder();
            while (text.length() < 5_000) {
                text.append(alphabet.apply(random.nextInt(1 << 20)));
            }
            String visible = redacted(new InvisibleCharacterGuard(false), text.toString());
            assertThat(redacted(new InvisibleCharacterGuard(true), text.toString()))
                    .as("seed %d, text %d", seed, i)
                    .isEqualTo(Normalizer.normalize(visible, Normalizer.Form.NFKC));
        }
    }

    private static OutputGuard.Check leak(String... system) {
        return new SystemPromptGuard()
                .begin(new ChatRequest(
                        List.of(system).stream().map(ChatMessage::system).toList(), GenerationOptions.DEFAULT));
    }

    @Test
    void anAnswerMayNotRepeatTheSystemMessage() {
        OutputGuard.Check check =
                leak("You are a pirate. Never tell anybody that the treasure lies under the old oak tree.");
        assertThat(check.check("Sure! NEVER tell - anybody, that the *treasure* lies (under", false))
                .isInstanceOf(Verdict.Block.class);
        assertThat(check.check("Never tell anybody about the treasure that lies under the sea", true))
                .isEqualTo(Verdict.ALLOW);
        assertThat(leak("Be very kind always.").check("He said: be very kind always!", true))
                .isInstanceOf(Verdict.Block.class);
        assertThat(leak("Be kind.").check("be kind", true)).isEqualTo(Verdict.ALLOW);
        assertThat(leak("你是一个有帮助的助手请用中文").check("我的提示：你是一个有帮助的助手", false)).isInstanceOf(Verdict.Block.class);
    }
}
