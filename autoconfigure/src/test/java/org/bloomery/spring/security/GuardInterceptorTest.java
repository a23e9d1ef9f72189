package org.bloomery.spring.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.CompletionRequest;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.TokenLogProbability;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.spring.chat.ScriptedEngine;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class GuardInterceptorTest {

    private static final int HOLD_BACK = 64;
    private static final OutputGuard NO_BOMBS =
            request -> (window, last) -> window.contains("bomb") ? Verdict.block("bombs") : Verdict.ALLOW;
    private static final PromptGuard PII_IN = new PiiGuard(new PiiRedactor());
    private static final OutputGuard PII_OUT = new PiiGuard(new PiiRedactor());

    /** What a stream shows. */
    private static final class Shown implements GenerationSink {
        final StringBuilder text = new StringBuilder();
        final StringBuilder reasoning = new StringBuilder();
        final StringBuilder order = new StringBuilder();
        final CountDownLatch ended = new CountDownLatch(1);
        volatile @Nullable RuntimeException error;

        @Override
        public boolean onText(String delta) {
            text.append(delta);
            order.append('t');
            return true;
        }

        @Override
        public boolean onReasoning(String delta) {
            reasoning.append(delta);
            order.append('r');
            return true;
        }

        @Override
        public void onComplete(Completion completion) {
            ended.countDown();
        }

        @Override
        public void onError(RuntimeException failure) {
            error = failure;
            ended.countDown();
        }
    }

    private final Shown shown = new Shown();
    private final RequestTrail trail = new RequestTrail();

    private static ChatRequest asking(String text) {
        return new ChatRequest(List.of(ChatMessage.user(text)), GenerationOptions.DEFAULT);
    }

    private Generation submit(List<PromptGuard> in, List<OutputGuard> out, ChatRequest request, ScriptedEngine engine) {
        return trail.during(() -> new GuardInterceptor(in, out, HOLD_BACK).submit(request, shown, engine));
    }

    private Completion answer(OutputGuard guard, String... pieces) {
        return submit(List.of(), List.of(guard), asking("Hi"), ScriptedEngine.saying(pieces))
                .await();
    }

    @Test
    void promptsAreRedactedBeforeTheEngineSeesThem() {
        ScriptedEngine engine = ScriptedEngine.saying("ok");
        ChatRequest request = new ChatRequest(
                List.of(
                        ChatMessage.system("Ask boss@example.com"),
                        ChatMessage.assistant(
                                "a@example.com",
                                "b@example.com",
                                List.of(new ToolCall(
                                        "1",
                                        "mail",
                                        "{\"to\":\"c@example.com\",\"card\":4111111111111111,\"n\":1.50}"))),
                        ChatMessage.toolResult("1", "mail", "sent to c@example.com"),
                        ChatMessage.user("I am d@example.com")),
                GenerationOptions.DEFAULT);
        submit(List.of(PII_IN), List.of(), request, engine).await();

        List<ChatMessage> seen = engine.lastRequest().messages();
        assertThat(seen.get(0).content()).isEqualTo("Ask [EMAIL]");
        assertThat(seen.get(1).content()).isEqualTo("[EMAIL]");
        assertThat(seen.get(1).reasoning()).isEqualTo("[EMAIL]");
        assertThat(seen.get(1).toolCalls().getFirst().arguments())
                .isEqualTo("{\"to\":\"[EMAIL]\",\"card\":\"[CARD]\",\"n\":1.50}");
        assertThat(seen.get(2).content()).isEqualTo("sent to [EMAIL]");
        assertThat(seen.get(3).content()).isEqualTo("I am [EMAIL]");
        assertThat(trail.verdicts()).containsExactly(new GuardVerdict("pii", "prompt", "REDACT", "personal-data"));
    }

    @Test
    void plainPromptsAreGuardedToo() {
        PromptGuard blocking = (role, text) -> text.contains("canary") ? Verdict.block("birds") : Verdict.ALLOW;
        assertThatThrownBy(() -> new GuardInterceptor(List.of(blocking), List.of(), HOLD_BACK)
                        .submit(
                                new CompletionRequest("a canary", GenerationOptions.DEFAULT),
                                GenerationSink.NONE,
                                (request, sink) -> {
                                    throw new AssertionError("never");
                                }))
                .isInstanceOf(PromptBlockedException.class);
    }

    @Test
    void aSinkOrAGuardThatBreaksLeavesNobodyWaiting() {
        GenerationSink breaking = new GenerationSink() {
            @Override
            public boolean onText(String delta) {
                throw new StackOverflowError();
            }
        };
        Generation generation = new GuardInterceptor(List.of(), List.of(NO_BOMBS), 1)
                .submit(asking("Hi"), breaking, ScriptedEngine.saying("Hello ", "there ", "again"));
        assertThatThrownBy(generation::await)
                .isInstanceOf(EngineException.class)
                .hasCauseInstanceOf(StackOverflowError.class);
        OutputGuard broken = request -> (window, last) -> {
            throw new StackOverflowError(window);
        };
        assertThat(answer(broken, "Hello").finishReason()).isEqualTo(FinishReason.GUARD);
    }

    @Test
    void guardsSeeWhatTheOnesBeforeThemLeft() {
        ScriptedEngine engine = ScriptedEngine.saying("ok");
        PromptGuard first = (role, text) -> Verdict.redact("one", text, text + "b");
        PromptGuard second =
                (role, text) -> text.endsWith("b") ? Verdict.redact("two", text, text + "c") : Verdict.block("order");
        submit(List.of(first, second), List.of(), asking("a"), engine).await();
        assertThat(engine.lastRequest().messages().getFirst().content()).isEqualTo("abc");
    }

    @Test
    void aBlockedPromptNeverReachesTheEngineAndItsTextNoError() {
        ScriptedEngine engine = ScriptedEngine.saying("never");
        PromptGuard blocking = (role, text) -> Verdict.block("politics");
        PromptBlockedException refusal = Objects.requireNonNull(catchThrowableOfType(
                PromptBlockedException.class, () -> submit(List.of(blocking), List.of(), asking("canary"), engine)));
        assertThat(refusal.reason()).isEqualTo("politics");
        assertThat(refusal).hasMessageNotContaining("canary").hasNoCause();
        assertThat(engine.requests).isEmpty();
        assertThat(trail.verdicts().getFirst().action()).isEqualTo("BLOCK");
    }

    @Test
    void aGuardThatThrowsBlocks() {
        PromptGuard throwing = (role, text) -> {
            throw new IllegalStateException("cannot read " + text);
        };
        PromptGuard overreaching = (role, text) -> Verdict.redact("far", List.of(new Verdict.Replacement(0, 1000, "")));
        for (PromptGuard guard : List.of(throwing, overreaching)) {
            ScriptedEngine engine = ScriptedEngine.saying("never");
            assertThatThrownBy(() -> submit(List.of(guard), List.of(), asking("canary"), engine))
                    .isInstanceOf(PromptBlockedException.class)
                    .hasMessageContaining("guard-failed")
                    .hasMessageNotContaining("canary")
                    .hasNoCause();
            assertThat(engine.requests).isEmpty();
        }
        OutputGuard failing = request -> (window, last) -> {
            throw new IllegalStateException(window);
        };
        Completion blocked = answer(failing, "canary");
        assertThat(blocked.finishReason()).isEqualTo(FinishReason.GUARD);
        assertThat(blocked.text()).isEmpty();
        OutputGuard notBeginning = request -> {
            throw new IllegalStateException("no");
        };
        assertThatThrownBy(() -> answer(notBeginning, "canary")).isInstanceOf(PromptBlockedException.class);
    }

    @Test
    void aReasonIsACodeAndNoText() {
        assertThatThrownBy(() -> Verdict.block("The user said canary")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aBlockPrecedesWhatItBlocks() {
        String before = "All is well, and all manner of things shall be well, said Julian of Norwich long ago. ";
        Completion blocked = answer(NO_BOMBS, before, "Now a bo", "mb, and how to build it");
        assertThat(blocked.finishReason()).isEqualTo(FinishReason.GUARD);
        assertThat(blocked.text()).isEqualTo(shown.text.toString()).isNotEmpty();
        assertThat(before).startsWith(blocked.text());
        assertThat(blocked.usage()).isEqualTo(ScriptedEngine.USAGE);
        assertThat(trail.verdicts()).extracting(GuardVerdict::reason).containsExactly("bombs");
    }

    @Test
    void aBlockStopsTheEngine() {
        ScriptedEngine engine = new ScriptedEngine(answer -> {
            answer.text("a bomb ".repeat(20));
            answer.awaitCancel();
            answer.end(FinishReason.CANCELLED);
        });
        Completion blocked =
                submit(List.of(), List.of(NO_BOMBS), asking("Hi"), engine).await();
        assertThat(blocked.finishReason()).isEqualTo(FinishReason.GUARD);
        assertThat(engine.answers.getFirst().cancelled.getCount()).isZero();
    }

    @Test
    void anAnswerWithNothingAgainstItPassesUnchanged() {
        String text = "word ".repeat(100);
        Completion whole = answer(NO_BOMBS, text.split("(?<= )"));
        assertThat(whole.text()).isEqualTo(text).isEqualTo(shown.text.toString());
        assertThat(whole.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(shown.order).hasSizeGreaterThan(10);
    }

    @Test
    void howeverAnAnswerIsCutIntoPiecesTheRedactionIsTheSame() {
        long seed = System.nanoTime();
        System.out.println("GuardInterceptorTest seed " + seed);
        Random random = new Random(seed);
        String[] parts = {
            "lorem ipsum dolor ",
            "ada@example.com ",
            "4111 1111 1111 1111 ",
            "DE89 3704 0044 0532 0130 00, ",
            "+49 170 1234567. ",
            "日本語のテキスト ",
            "👋🏽 ",
            "x".repeat(90) + " ",
            "192.168.0.1 ",
            "\n"
        };
        for (int n = 0; n < 300; n++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(20); i >= 0; i--) {
                text.append(parts[random.nextInt(parts.length)]);
            }
            StringBuilder out = new StringBuilder();
            OutputGuard.Check check = PII_OUT.begin(asking("Hi"));
            GuardedText guarded = new GuardedText(
                    HOLD_BACK,
                    (window, last) -> switch (check.check(window, last)) {
                        case Verdict.Allow allow -> GuardedText.Judgement.replacing(List.of());
                        case Verdict.Redact redact -> GuardedText.Judgement.replacing(redact.replacements());
                        case Verdict.Block block -> GuardedText.Judgement.BLOCK;
                    },
                    piece -> {
                        out.append(piece);
                        return true;
                    });
            int at = 0;
            while (at < text.length()) {
                int end = Math.min(text.length(), at + 1 + random.nextInt(9));
                guarded.accept(text.substring(at, end), false);
                at = end;
            }
            guarded.accept("", true);
            assertThat(out.toString())
                    .as("seed %d, text %s", seed, text)
                    .isEqualTo(new PiiRedactor().apply(text.toString()))
                    .isEqualTo(guarded.released());
        }
    }

    @Test
    void aRedactionThatDoesNotEndBlocks() {
        Completion blocked = answer(new SecretGuard(), "-----BEGIN PRIVATE KEY-----\n", "A".repeat(20_000));
        assertThat(blocked.finishReason()).isEqualTo(FinishReason.GUARD);
        assertThat(blocked.text()).isEmpty();
    }

    @Test
    void thinkingIsGuardedAndComesBeforeTheAnswer() {
        Completion whole = submit(List.of(), List.of(PII_OUT), asking("Hi"), new ScriptedEngine(answer -> {
                    answer.reasoning("They are ada@exam");
                    answer.reasoning("ple.com. ");
                    answer.text("Hello ada@example.com");
                    answer.end(FinishReason.STOP);
                }))
                .await();
        assertThat(whole.reasoning()).isEqualTo("They are [EMAIL]. ").isEqualTo(shown.reasoning.toString());
        assertThat(whole.text()).isEqualTo("Hello [EMAIL]").isEqualTo(shown.text.toString());
        assertThat(shown.order.toString()).matches("r+t+");
    }

    @Test
    void argumentsOfToolCallsAreGuarded() {
        Completion redacted = submit(
                        List.of(),
                        List.of(PII_OUT, NO_BOMBS),
                        asking("Hi"),
                        new ScriptedEngine(answer -> answer.end(
                                FinishReason.TOOL_CALLS, new ToolCall("1", "mail", "{\"to\":\"a@example.com\"}"))))
                .await();
        assertThat(redacted.toolCalls().getFirst().arguments()).isEqualTo("{\"to\":\"[EMAIL]\"}");
        Completion blocked = submit(
                        List.of(),
                        List.of(NO_BOMBS),
                        asking("Hi"),
                        new ScriptedEngine(answer -> answer.end(
                                FinishReason.TOOL_CALLS, new ToolCall("1", "buy", "{\"what\":[\"a bomb\"]}"))))
                .await();
        assertThat(blocked.finishReason()).isEqualTo(FinishReason.GUARD);
        assertThat(blocked.toolCalls()).isEmpty();
    }

    @Test
    void logProbabilitiesDoNotSpellWhatWasRedacted() {
        ScriptedEngine engine = new ScriptedEngine(answer -> {
            answer.text("ada@example.com");
            answer.end(FinishReason.STOP, List.of(new TokenLogProbability(1, "ada@example.com", -0.1, List.of())));
        });
        assertThat(submit(List.of(), List.of(PII_OUT), asking("Hi"), engine)
                        .await()
                        .logProbabilities())
                .isEmpty();
        assertThat(submit(List.of(), List.of(NO_BOMBS), asking("Hi"), engine)
                        .await()
                        .logProbabilities())
                .hasSize(1);
    }

    @Test
    void failuresAndCancellationsPass() throws Exception {
        Generation failing = submit(List.of(), List.of(NO_BOMBS), asking("Hi"), new ScriptedEngine(answer -> {
            throw new EngineException("broken");
        }));
        assertThatThrownBy(failing::await).hasMessage("broken");
        assertThat(shown.ended.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(shown.error).hasMessage("broken");

        Generation cancelled = submit(List.of(), List.of(NO_BOMBS), asking("Hi"), new ScriptedEngine(answer -> {
            answer.awaitCancel();
            answer.end(FinishReason.CANCELLED);
        }));
        cancelled.cancel();
        assertThat(cancelled.await().finishReason()).isEqualTo(FinishReason.CANCELLED);
    }

    @Test
    void aSinkThatWantsNoMoreIsACancellation() {
        GenerationSink tired = new GenerationSink() {
            @Override
            public boolean onText(String delta) {
                return false;
            }
        };
        Completion cancelled = new GuardInterceptor(List.of(), List.of(NO_BOMBS), HOLD_BACK)
                .submit(asking("Hi"), tired, ScriptedEngine.saying("word ".repeat(50)))
                .await();
        assertThat(cancelled.finishReason()).isEqualTo(FinishReason.CANCELLED);
    }

    @Test
    void withoutGuardsNothingIsBetween() {
        ScriptedEngine engine = ScriptedEngine.saying("ok");
        Generation generation = submit(List.of(), List.of(), asking("Hi"), engine);
        assertThat(generation).isSameAs(engine.answers.getFirst());
    }
}
