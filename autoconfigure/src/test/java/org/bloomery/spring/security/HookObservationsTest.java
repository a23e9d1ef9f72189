package org.bloomery.spring.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.tck.TestObservationRegistry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.bloomery.engine.Caller;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.spring.admission.AdmissionInterceptor;
import org.bloomery.spring.admission.TenantLimits;
import org.bloomery.spring.audit.Canary;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.bloomery.spring.chat.BloomeryChatOptions;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.ScriptedEngine;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.support.ToolCallbacks;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.authorization.AuthorizationManager;

/** Each hook is observed once for a request, as a child of the chat's observation. */
@Timeout(120)
class HookObservationsTest {

    private static final String CHAT = "gen_ai.client.operation";
    private static final Prompt PROMPT = new Prompt(
            List.of(new SystemMessage("You are " + Canary.in("system")), new UserMessage("I am a@example.com")),
            BloomeryChatOptions.builder()
                    .toolCallbacks(List.of(ToolCallbacks.from(new Dice())))
                    .build());

    private static final Engine ENGINE = open();

    private final TestObservationRegistry registry = TestObservationRegistry.create();
    private final List<Observation.Context> stopped = new CopyOnWriteArrayList<>();

    static final class Dice {
        @Tool(description = "Throws a dice")
        int dice() {
            return 6;
        }
    }

    private static Engine open() {
        return Engine.open(
                EngineOptions.builder(Path.of(Objects.requireNonNull(System.getProperty("bloomery.demo.model"))))
                        .contextLength(128)
                        .build(),
                LoadProgress.NONE);
    }

    @BeforeAll
    static void isReady() {
        assertThat(ENGINE.model().name()).isNotEmpty();
    }

    @AfterAll
    static void close() {
        ENGINE.close();
    }

    @BeforeEach
    void listen() {
        registry.observationConfig().observationHandler(new ObservationHandler<>() {
            @Override
            public void onStop(Observation.Context context) {
                stopped.add(context);
            }

            @Override
            public boolean supportsContext(Observation.Context context) {
                return true;
            }
        });
    }

    private BloomeryChatModel model(GenerationInterceptor... interceptors) {
        ScriptedEngine scripted = new ScriptedEngine(answer -> {
            answer.reasoning("Hm. ");
            for (int i = 0; i < 20; i++) {
                answer.text("Ask b@example.com about " + Canary.in("answer") + " ");
            }
            answer.end(FinishReason.TOOL_CALLS, new ToolCall("1", "dice", "{}"));
        });
        List<GenerationInterceptor> all = new ArrayList<>(List.of(interceptors));
        all.add((request, sink, next) -> scripted.submit(request, sink));
        return BloomeryChatModel.builder(ENGINE)
                .interceptors(all)
                .observationRegistry(registry)
                .build();
    }

    private AuthorizationInterceptor requests(boolean allowed) {
        return new AuthorizationInterceptor(
                List.of((caller, request) -> new AuthorizationDecision(allowed)), () -> "demo", () -> "ada", registry);
    }

    private ToolCallInterceptor toolCalls(AuthorizationManager<ToolCall> manager) {
        return new ToolCallInterceptor(List.of(manager), registry);
    }

    private AdmissionInterceptor admission() {
        TenantLimits limits = new TenantLimits(0, 5, 100, Caller.Priority.NORMAL);
        return new AdmissionInterceptor(() -> "acme", limits, Map.of(), request -> 9, 100, registry);
    }

    private GuardInterceptor guards(PromptGuard in, OutputGuard out) {
        PiiGuard pii = new PiiGuard(new PiiRedactor());
        return new GuardInterceptor(List.of(pii, in), List.of(pii, out), 64, GuardLimit.DEFAULT, registry);
    }

    private List<String> hooks() {
        await().until(() -> stopped.stream().anyMatch(context -> CHAT.equals(context.getName())));
        Observation.Context chat = stopped.getLast();
        assertThat(chat.getName()).isEqualTo(CHAT);
        List<Observation.Context> children = stopped.subList(0, stopped.size() - 1);
        assertThat(children).allSatisfy(child -> {
            assertThat(Objects.requireNonNull(child.getParentObservation()).getContextView())
                    .isSameAs(chat);
            assertThat(child.getAllKeyValues()
                            .and("span", String.valueOf(child.getContextualName()))
                            .toString())
                    .doesNotContain(Canary.TEXT);
        });
        return children.stream().map(HookObservationsTest::told).toList();
    }

    private static String told(Observation.Context context) {
        StringBuilder text = new StringBuilder(context.getName());
        context.getLowCardinalityKeyValues().forEach(pair -> text.append(' ').append(pair.getValue()));
        return text.toString();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void eachIsObservedOnce(boolean streaming) {
        BloomeryChatModel model = model(
                requests(true),
                admission(),
                toolCalls((caller, call) -> new AuthorizationDecision(true)),
                guards((role, text) -> Verdict.ALLOW, request -> (window, last) -> Verdict.ALLOW));
        if (streaming) {
            model.stream(PROMPT).blockLast();
        } else {
            model.call(PROMPT);
        }
        assertThat(hooks())
                .hasSize(7)
                .startsWith(
                        "bloomery.authorization request allow",
                        "bloomery.admission allow",
                        "bloomery.guard pii prompt redact")
                .endsWith("bloomery.authorization tool-calls allow")
                .filteredOn(hook -> hook.startsWith("bloomery.guard"))
                .anySatisfy(hook -> assertThat(hook).isEqualTo("bloomery.guard pii output redact"))
                .anySatisfy(
                        hook -> assertThat(hook).startsWith("bloomery.guard ").endsWith(" prompt allow"))
                .anySatisfy(
                        hook -> assertThat(hook).startsWith("bloomery.guard ").endsWith(" output allow"));
    }

    @Test
    void aDenialIsAnAnswerToo() {
        assertThat(catchThrowable(() -> model(requests(false)).call(PROMPT))).isNotNull();
        assertThat(hooks()).containsExactly("bloomery.authorization request deny");
    }

    @Test
    void aDeniedToolCallIsObserved() {
        assertThat(catchThrowable(() -> model(toolCalls((caller, call) -> new AuthorizationDecision(false)))
                        .call(PROMPT)))
                .isInstanceOf(ToolCallDeniedException.class);
        assertThat(hooks()).containsExactly("bloomery.authorization tool-calls deny");
    }

    @Test
    void whatAGuardThrowsIsNotObserved() {
        PromptGuard throwing = (role, text) -> {
            throw new IllegalStateException(text);
        };
        assertThat(catchThrowable(() -> model(guards(throwing, request -> (window, last) -> Verdict.ALLOW))
                        .call(PROMPT)))
                .isInstanceOf(PromptBlockedException.class);
        assertThat(hooks()).hasSize(2).last().asString().endsWith(" prompt block");
        assertThat(stopped.subList(0, 2))
                .allSatisfy(context -> assertThat(context.getError()).isNull());
    }

    @Test
    void aBlockedAnswerIsObservedOnce() {
        OutputGuard throwing = request -> (window, last) -> {
            throw new StackOverflowError(window);
        };
        assertThat(Objects.requireNonNull(model(guards((role, text) -> Verdict.ALLOW, throwing))
                                .call(PROMPT)
                                .getResult())
                        .getMetadata()
                        .getFinishReason())
                .isEqualTo("GUARD");
        assertThat(hooks())
                .filteredOn(hook -> hook.contains(" output "))
                .hasSize(2)
                .anySatisfy(hook -> assertThat(hook).endsWith(" output block"));
        assertThat(stopped).allSatisfy(context -> assertThat(context.getError()).isNull());
    }

    @Test
    void aGuardsOwnQuestionsArePartOfIt() {
        PromptGuard asking = (role, text) -> {
            Observation.createNotStarted("own", registry).observe(() -> {});
            return Verdict.ALLOW;
        };
        model(guards(asking, request -> (window, last) -> Verdict.ALLOW)).call(PROMPT);
        assertThat(stopped)
                .filteredOn(context -> "own".equals(context.getName()))
                .hasSize(2)
                .allSatisfy(context -> assertThat(Objects.requireNonNull(context.getParentObservation())
                                .getContextView()
                                .getName())
                        .isEqualTo("bloomery.guard"));
    }
}
