package org.bloomery.spring.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.bloomery.engine.Caller;
import org.bloomery.engine.Caller.Priority;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.EngineOverloadedException.Reason;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.CallerScope;
import org.bloomery.spring.chat.ScriptedEngine;
import org.junit.jupiter.api.Test;

class AdmissionInterceptorTest {

    private static final int PROMPT = 11; // What the scripted engine says it has used, with 7 for the answer
    private static final int USED = 18;

    private final TestObservationRegistry observations = TestObservationRegistry.create();
    private final AtomicLong clock = new AtomicLong();
    private final ScriptedEngine engine = ScriptedEngine.saying("Hello");
    private String tenant = "ada";

    private AdmissionInterceptor interceptor(TenantLimits usual, Map<String, TenantLimits> own) {
        return new AdmissionInterceptor(() -> tenant, usual, own, request -> PROMPT, 100, observations, clock::get);
    }

    private static TenantLimits limits(long tokensPerMinute, int concurrentRequests, int maxPromptTokens) {
        return new TenantLimits(tokensPerMinute, concurrentRequests, maxPromptTokens, Priority.NORMAL);
    }

    private static ChatRequest request(int maxTokens) {
        return new ChatRequest(List.of(ChatMessage.user("Hi")), GenerationOptions.DEFAULT.withMaxTokens(maxTokens));
    }

    private Generation submit(AdmissionInterceptor interceptor, int maxTokens) {
        return interceptor.submit(request(maxTokens), GenerationSink.NONE, engine);
    }

    private EngineOverloadedException refusal(AdmissionInterceptor interceptor, int maxTokens) {
        return catchThrowableOfType(EngineOverloadedException.class, () -> submit(interceptor, maxTokens));
    }

    @Test
    void theEngineLearnsWhoAsks() {
        List<Caller> callers = new ArrayList<>();
        Answering noting = (request, sink) -> {
            callers.add(CallerScope.current());
            return engine.submit(request, sink);
        };
        AdmissionInterceptor interceptor =
                interceptor(TenantLimits.NONE, Map.of("grace", new TenantLimits(0, 0, 0, Priority.HIGH)));
        interceptor.submit(request(5), GenerationSink.NONE, noting).await();
        tenant = "grace";
        interceptor.submit(request(5), GenerationSink.NONE, noting).await();
        assertThat(callers).containsExactly(new Caller("ada", Priority.NORMAL), new Caller("grace", Priority.HIGH));
        assertThat(CallerScope.current()).isEqualTo(Caller.ANONYMOUS);
    }

    @Test
    void onlyALimitIsAskedAndObserved() {
        submit(interceptor(TenantLimits.NONE, Map.of()), 5).await();
        TestObservationRegistryAssert.assertThat(observations).doesNotHaveAnyObservation();
        AdmissionInterceptor interceptor = interceptor(limits(60, 0, 0), Map.of());
        submit(interceptor, 40).await();
        refusal(interceptor, 41);
        TestObservationRegistryAssert.assertThat(observations)
                .hasNumberOfObservationsWithNameEqualTo("bloomery.admission", 2)
                .hasAnObservationWithAKeyValue("bloomery.verdict", "allow")
                .hasAnObservationWithAKeyValue("bloomery.verdict", "deny");
    }

    @Test
    void whatARequestDidNotUseIsGivenBack() {
        AdmissionInterceptor interceptor = interceptor(limits(100, 0, 0), Map.of());
        for (int i = 0; i < 5; i++) {
            // Takes 61 and uses 18: of 100 there are 10 left after five
            if (100 - i * USED < PROMPT + 50) {
                assertThat(refusal(interceptor, 50).reason()).isEqualTo(Reason.TENANT_BUDGET);
            } else {
                submit(interceptor, 50).await();
            }
        }
        assertThat(engine.requests).hasSize(3);
        assertThat(interceptor.refusedForBudget()).isEqualTo(2);
    }

    @Test
    void tokensComeBackSteadilyAndTheRefusalSaysWhen() {
        AdmissionInterceptor interceptor = interceptor(limits(60, 0, 0), Map.of());
        submit(interceptor, 40).await(); // 42 left
        EngineOverloadedException refusal = refusal(interceptor, 41); // wants 52
        assertThat(refusal.retryAfter()).isEqualTo(Duration.ofSeconds(10));
        assertThat(refusal).hasMessageContaining("42 left of its 60");
        clock.addAndGet(Duration.ofSeconds(9).toNanos());
        assertThat(refusal(interceptor, 41)).isNotNull();
        clock.addAndGet(Duration.ofSeconds(1).toNanos());
        assertThat(submit(interceptor, 41).await().finishReason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void aRequestThatMayNeedMoreThanAMinutesTokensWaitsForAFullMinute() {
        AdmissionInterceptor interceptor = interceptor(limits(60, 0, 0), Map.of());
        submit(interceptor, 5000).await();
        assertThat(refusal(interceptor, 5000).retryAfter()).isEqualTo(Duration.ofSeconds(18));
        clock.addAndGet(Duration.ofSeconds(18).toNanos());
        submit(interceptor, 5000).await();
    }

    @Test
    void aTenantMayHaveSoManyRequestsAtOnceAndOthersAreNotAffected() {
        ScriptedEngine waiting = new ScriptedEngine(answer -> {
            answer.awaitCancel();
            answer.end(FinishReason.CANCELLED);
        });
        AdmissionInterceptor interceptor = interceptor(limits(0, 2, 0), Map.of("big", limits(0, 3, 0)));
        List<Generation> running = new ArrayList<>();
        running.add(interceptor.submit(request(5), GenerationSink.NONE, waiting));
        running.add(interceptor.submit(request(5), GenerationSink.NONE, waiting));
        EngineOverloadedException refusal = refusal(interceptor, 5);
        assertThat(refusal.reason()).isEqualTo(Reason.TENANT_BUDGET);
        assertThat(refusal).hasMessageContaining("2 requests under way");
        tenant = "big";
        for (int i = 0; i < 3; i++) {
            running.add(interceptor.submit(request(5), GenerationSink.NONE, waiting));
        }
        assertThat(refusal(interceptor, 5)).hasMessageContaining("may have 3");
        running.forEach(Generation::cancel);
        running.forEach(Generation::await);
        tenant = "ada";
        submit(interceptor, 5).await();
    }

    @Test
    void whatIsRefusedFurtherInOrFailsCostsNoPlace() {
        AdmissionInterceptor interceptor = interceptor(limits(200, 1, 0), Map.of());
        Answering full = (request, sink) -> {
            throw new EngineOverloadedException("Full.");
        };
        ScriptedEngine failing = new ScriptedEngine(answer -> answer.fail(new IllegalStateException("broken")));
        for (int i = 0; i < 5; i++) {
            assertThatThrownBy(() -> interceptor.submit(request(150), GenerationSink.NONE, full))
                    .hasMessage("Full.");
        }
        assertThatThrownBy(() -> interceptor
                        .submit(request(150), GenerationSink.NONE, failing)
                        .await())
                .hasMessage("broken");
        // The prompt of the one that failed was read: 189 are left
        assertThat(submit(interceptor, 178).await().finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(interceptor.refusedForBudget()).isZero();
    }

    @Test
    void aPromptThatIsTooLongForItsTenantIsRefusedForGood() {
        AdmissionInterceptor interceptor = interceptor(limits(0, 0, 10), Map.of("big", limits(100, 1, 11)));
        assertThatThrownBy(() -> submit(interceptor, 5))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("11 tokens")
                .hasMessageContaining("max-prompt-tokens");
        assertThat(engine.requests).isEmpty();
        assertThat(interceptor.refusedForPrompt()).isEqualTo(1);
        tenant = "big";
        submit(interceptor, 5).await();
    }

    @Test
    void remembersABoundedNumberOfTenants() {
        Tenants tenants = new Tenants(limits(100, 2, 0), Map.of(), clock::get);
        tenants.enter("runs");
        for (int i = 0; i < 50_000; i++) {
            String each = "t" + i;
            tenants.enter(each);
            tenants.leave(each, tenants.take(each, 50), 50);
            assertThat(tenants.size()).isLessThanOrEqualTo(10_000);
        }
        tenants.enter("runs");
        assertThatThrownBy(() -> tenants.enter("runs")).isInstanceOf(EngineOverloadedException.class);
    }
}
