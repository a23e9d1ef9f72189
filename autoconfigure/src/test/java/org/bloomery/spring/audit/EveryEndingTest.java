package org.bloomery.spring.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.audit.AuditRecord;
import org.bloomery.engine.audit.AuditRecord.Outcome;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.bloomery.spring.chat.ScriptedEngine;
import org.bloomery.spring.security.PrincipalResolver;
import org.bloomery.spring.security.TenantResolver;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.tool.annotation.Tool;

/** However a request ends, it ends in one record. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
class EveryEndingTest {

    /** A tool. */
    static final class Dice {
        @Tool(description = "Throws a dice")
        int dice() {
            return 6;
        }
    }

    private final Endings endings;
    private final List<AuditRecord> kept = new CopyOnWriteArrayList<>();

    EveryEndingTest() throws IOException {
        endings = new Endings();
    }

    @AfterAll
    void close() {
        endings.close();
    }

    @BeforeAll
    void namesAreOneEach() {
        assertThat(endings.all().map(Endings.Ending::name)).doesNotHaveDuplicates();
    }

    private AuditRecorder recorder(PrincipalResolver principals, TenantResolver tenants) {
        return new AuditRecorder(
                List.of(kept::add),
                () -> new AuditRecord.Model("demo", null, null),
                tenants,
                principals,
                "0123456789abcdef",
                false,
                UnaryOperator.identity(),
                true,
                Clock.systemUTC());
    }

    Stream<Arguments> cases() {
        return endings.all().flatMap(ending -> Stream.of(Asking.values()).map(asking -> Arguments.of(ending, asking)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cases")
    void isOneRecord(Endings.Ending ending, Asking asking) {
        kept.clear();
        AuditRecorder[] made = new AuditRecorder[1];
        Throwable thrown = endings.happens(
                ending,
                asking,
                (principals, tenants) -> made[0] = recorder(principals, tenants),
                ObservationRegistry.NOOP);
        await().until(() -> !kept.isEmpty());
        made[0].close();

        assertThat(kept).as("records").hasSize(1);
        AuditRecord record = kept.getFirst();
        assertThat(record.outcome()).isEqualTo(ending.outcome());
        assertThat(record.principal()).isIn("ada", "unknown");
        assertThat(record.prompt().length()).isGreaterThanOrEqualTo(0);
        assertThat(record.options()).containsKey("messages");
        if (ending.outcome() == Outcome.COMPLETED) {
            assertThat(record.finishReason()).isEqualTo(ending.told());
            assertThat(record.error()).isNull();
            assertThat(thrown).isNull();
        } else if (ending.outcome() == Outcome.CANCELLED) {
            assertThat(record.finishReason()).isIn("CANCELLED", null);
        } else {
            assertThat(record.error()).isEqualTo(ending.told());
            assertThat(thrown).isNotNull();
            assertThat(record.answer()).isNull();
        }
    }

    private AuditRecord recordOf(Endings.Ending ending) {
        kept.clear();
        endings.happens(ending, Asking.CALL, this::recorder, ObservationRegistry.NOOP);
        await().until(() -> !kept.isEmpty());
        return kept.getFirst();
    }

    @Test
    void whatStoodInTheWayIsNamed() {
        Map<String, String> reasons = Map.of(
                "the tenant has no room", "admission/tenant-budget",
                "a prompt too long for its tenant", "admission/prompt-tokens",
                "the circuit breaker is open", "circuit-breaker/open",
                "the bulkhead is full", "bulkhead/full",
                "the rate limit is reached", "rate-limiter/limit-reached",
                "an answer takes too long", "time-limiter/timeout",
                "a tool may not be called", "tool-authorization/denied",
                "another model answers", "overflow/refused");
        assertThat(endings.all().filter(ending -> reasons.containsKey(ending.name())))
                .hasSize(reasons.size())
                .allSatisfy(ending -> {
                    assertThat(recordOf(ending).guards())
                            .extracting(verdict -> verdict.guard() + "/" + verdict.reason())
                            .containsExactly(reasons.get(ending.name()));
                });
    }

    @Test
    void whoAnsweredIsNamed() {
        Map<String, String> models = Map.of(
                "the engine answers", endings.engine().model().name(),
                "another model answers", "other",
                "another model fails", "demo");
        assertThat(endings.all().filter(ending -> models.containsKey(ending.name())))
                .hasSize(models.size())
                .allSatisfy(
                        ending -> assertThat(recordOf(ending).model().name()).isEqualTo(models.get(ending.name())));
    }

    @Test
    void eachRoundOfAToolLoopIsARequest() {
        kept.clear();
        AuditRecorder recorder = recorder(() -> "ada", () -> "acme");
        ScriptedEngine engine = new ScriptedEngine(answer -> {
            if (kept.isEmpty()) {
                answer.end(FinishReason.TOOL_CALLS, new ToolCall("1", "dice", "{}"));
            } else {
                answer.text("Six.");
                answer.end(FinishReason.STOP);
            }
        });
        BloomeryChatModel model = BloomeryChatModel.builder(endings.engine())
                .interceptors(List.of((request, sink, next) -> engine.submit(request, sink)))
                .recorder(recorder)
                .build();
        assertThat(ChatClient.create(model)
                        .prompt("Throw it.")
                        .tools(new Dice())
                        .call()
                        .content())
                .isEqualTo("Six.");
        recorder.close();
        assertThat(kept).extracting(AuditRecord::finishReason).containsExactly("TOOL_CALLS", "STOP");
        assertThat(kept.getFirst().toolCalls()).containsExactly("dice");
    }

    @Test
    void aStreamThatNobodySubscribesToIsNoRequest() {
        kept.clear();
        AuditRecorder recorder = recorder(() -> "ada", () -> "acme");
        BloomeryChatModel model =
                BloomeryChatModel.builder(endings.engine()).recorder(recorder).build();
        var stream = model.stream(new Prompt("Hello"));
        recorder.close();
        assertThat(kept).isEmpty();
        stream.blockLast();
        stream.blockLast();
        recorder.close();
        assertThat(kept).hasSize(2);
    }
}
