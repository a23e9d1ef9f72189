package org.bloomery.spring.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.bloomery.engine.Caller;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.spring.chat.CallerScope;
import org.bloomery.spring.chat.ScriptedEngine;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.security.authentication.TestingAuthenticationToken;
import org.springframework.security.core.context.SecurityContextHolder;

/** Guards that never end are let go when the test is over. */
class GuardLimitTest {

    private static final Duration SHORT = Duration.ofMillis(50);
    private static final Duration LONG = Duration.ofMinutes(1);

    private final CountDownLatch over = new CountDownLatch(1);
    private final RequestTrail trail = new RequestTrail();
    private final TestObservationRegistry registry = TestObservationRegistry.create();

    @AfterEach
    void letGo() {
        over.countDown();
        SecurityContextHolder.clearContext();
    }

    /** As a regular expression does, whatever interrupts it. */
    private Verdict hang() {
        boolean done = false;
        while (!done) {
            try {
                over.await();
                done = true;
            } catch (InterruptedException e) {
                // Goes on
            }
        }
        return Verdict.ALLOW;
    }

    private PromptGuard hangingIn() {
        return named("slow", (role, text) -> hang());
    }

    private static PromptGuard named(String name, PromptGuard guard) {
        return new PromptGuard() {
            @Override
            public Verdict check(ChatMessage.Role role, String text) {
                return guard.check(role, text);
            }

            @Override
            public String name() {
                return name;
            }
        };
    }

    private static OutputGuard named(String name, OutputGuard guard) {
        return new OutputGuard() {
            @Override
            public Check begin(GenerationRequest request) {
                return guard.begin(request);
            }

            @Override
            public String name() {
                return name;
            }
        };
    }

    private Generation submit(
            List<PromptGuard> in,
            List<OutputGuard> out,
            Duration limit,
            ScriptedEngine engine,
            ObservationRegistry on) {
        GuardInterceptor guards = new GuardInterceptor(in, out, 64, limit, on);
        ChatRequest request = new ChatRequest(List.of(ChatMessage.user("canary")), GenerationOptions.DEFAULT);
        return trail.during(() -> guards.submit(request, GenerationSink.NONE, engine));
    }

    private void assertObserved(String stage) {
        TestObservationRegistryAssert.assertThat(registry)
                .hasObservationWithNameEqualTo("bloomery.guard")
                .that()
                .hasLowCardinalityKeyValue("bloomery.guard.name", "slow")
                .hasLowCardinalityKeyValue("bloomery.guard.stage", stage)
                .hasLowCardinalityKeyValue("bloomery.verdict", "timeout")
                .hasBeenStopped();
    }

    @Test
    void aGuardThatDoesNotEndRefusesThePrompt() {
        ScriptedEngine engine = ScriptedEngine.saying("never");
        PromptBlockedException refusal = Objects.requireNonNull(catchThrowableOfType(
                PromptBlockedException.class, () -> submit(List.of(hangingIn()), List.of(), SHORT, engine, registry)));
        assertThat(refusal)
                .hasMessage("The prompt was blocked because the guard 'slow' did not judge it within 50 ms"
                        + " (guard-timeout); ask again later.");
        assertThat(refusal.guard()).isEqualTo("slow");
        assertThat(refusal.reason()).isEqualTo("guard-timeout");
        assertThat(engine.requests).isEmpty();
        assertThat(trail.verdicts()).containsExactly(new GuardVerdict("slow", "prompt", "BLOCK", "guard-timeout"));
        assertObserved("prompt");
    }

    @Test
    void aGuardThatDoesNotEndBlocksTheAnswer() {
        OutputGuard hanging = named("slow", request -> (window, last) -> hang());
        ScriptedEngine engine = new ScriptedEngine(answer -> {
            answer.text("a canary ".repeat(20));
            answer.awaitCancel();
            answer.end(FinishReason.CANCELLED);
        });
        Completion blocked =
                submit(List.of(), List.of(hanging), SHORT, engine, registry).await();
        assertThat(blocked.finishReason()).isEqualTo(FinishReason.GUARD);
        assertThat(blocked.text()).isEmpty();
        assertThat(trail.verdicts()).containsExactly(new GuardVerdict("slow", "output", "BLOCK", "guard-timeout"));
        assertObserved("output");
    }

    @Test
    void aGuardThatNeverBeginsRefusesThePrompt() {
        OutputGuard hanging = named("slow", request -> {
            Verdict ignored = hang();
            return (window, last) -> ignored;
        });
        ScriptedEngine engine = ScriptedEngine.saying("never");
        assertThatThrownBy(() -> submit(List.of(), List.of(hanging), SHORT, engine, registry))
                .isInstanceOf(PromptBlockedException.class)
                .hasMessageContaining("'slow' did not judge it within 50 ms");
        assertThat(engine.requests).isEmpty();
        assertThat(trail.verdicts()).containsExactly(new GuardVerdict("slow", "output", "BLOCK", "guard-timeout"));
        assertObserved("output");
    }

    @Test
    void aLateGuardIsInterrupted() throws InterruptedException {
        CountDownLatch interrupted = new CountDownLatch(1);
        PromptGuard waiting = (role, text) -> {
            try {
                over.await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
            return Verdict.ALLOW;
        };
        assertThat(catchThrowable(
                        () -> submit(List.of(waiting), List.of(), SHORT, ScriptedEngine.saying("no"), registry)))
                .isInstanceOf(PromptBlockedException.class);
        interrupted.await();
        assertThat(interrupted.getCount()).isZero();
    }

    @Test
    void guardsThatDoNotEndLeaveNoMoreThanTheirThreads() throws Exception {
        GuardLimit limit = new GuardLimit(SHORT, 3);
        CountDownLatch ended = new CountDownLatch(3);
        for (int i = 0; i < 5; i++) {
            assertThat(catchThrowable(() -> limit.ask(this, "slow", () -> {
                        Verdict verdict = hang();
                        ended.countDown();
                        return verdict;
                    })))
                    .isInstanceOf(TimeoutException.class);
        }
        over.countDown();
        ended.await();
        await().untilAsserted(() ->
                assertThat(limit.ask(this, "quick", () -> Verdict.ALLOW)).isEqualTo(Verdict.ALLOW));
        assertThat(ended.getCount()).isZero();
    }

    @Test
    void whoeverIsInterruptedMeanwhileIsCancelled() {
        AtomicBoolean flag = new AtomicBoolean();
        AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
        CountDownLatch asked = new CountDownLatch(1);
        PromptGuard waiting = (role, text) -> {
            asked.countDown();
            return hang();
        };
        Thread caller = Thread.ofVirtual().start(() -> {
            thrown.set(catchThrowable(
                    () -> submit(List.of(waiting), List.of(), LONG, ScriptedEngine.saying("no"), registry)));
            flag.set(Thread.currentThread().isInterrupted());
        });
        assertThat(catchThrowable(() -> {
                    asked.await();
                    caller.interrupt();
                    caller.join();
                }))
                .isNull();
        assertThat(thrown.get()).isInstanceOf(CancellationException.class);
        assertThat(flag).isTrue();
        assertThat(trail.verdicts()).isEmpty();
    }

    @Test
    void aGuardHasTheContextOfWhoeverAsks() {
        SecurityContextHolder.getContext().setAuthentication(new TestingAuthenticationToken("ada", "", "CHAT"));
        List<String> seen = new ArrayList<>();
        PromptGuard looking = (role, text) -> {
            RequestTrail.current().note(new GuardVerdict("own", "prompt", "REDACT", "seen"));
            seen.add(SecurityContextCaller.name() + " " + CallerScope.current().tenant() + " "
                    + (Thread.currentThread().isVirtual() ? "virtual" : "platform"));
            return Verdict.ALLOW;
        };
        CallerScope.during(
                        new Caller("acme", Caller.Priority.NORMAL),
                        () -> submit(List.of(looking), List.of(), LONG, ScriptedEngine.saying("yes"), registry))
                .await();
        assertThat(seen).containsExactly("ada acme platform");
        assertThat(trail.verdicts()).extracting(GuardVerdict::guard).containsExactly("own");
        assertThat(catchThrowable(() -> new GuardLimit(LONG).ask(this, "own", () -> {
                    throw new StackOverflowError();
                })))
                .isInstanceOf(StackOverflowError.class);
    }

    @Test
    void guardsOfOursChangeNoThread() throws Exception {
        Thread here = Thread.currentThread();
        GuardLimit limit = new GuardLimit(LONG);
        for (Object guard : List.of(
                new PiiGuard(new PiiRedactor()),
                new SecretGuard(),
                new SystemPromptGuard(),
                new InvisibleCharacterGuard(true))) {
            assertThat(limit.ask(guard, "own", Thread::currentThread)).isSameAs(here);
        }
        assertThat(limit.ask(this, "other", Thread::currentThread)).isNotSameAs(here);
    }
}
