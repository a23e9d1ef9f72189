package org.bloomery.spring.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.tck.TestObservationRegistry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.bloomery.engine.ContextLengthExceededException;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.spring.audit.Canary;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.ai.chat.prompt.Prompt;

/** The engine's phases as children of the chat's observation, on the demo model. */
@NullUnmarked // What is null unexpectedly fails a test anyway.
@Timeout(120)
class PhaseObservationsTest {

    private static final String CHAT = "gen_ai.client.operation";
    private static final String CANARY = Canary.TEXT;
    private static final String QUESTION = "My name is " + CANARY + ". Hello!";

    private static Engine engine;

    private final TestObservationRegistry registry = TestObservationRegistry.create();
    private final List<String> events = new CopyOnWriteArrayList<>();
    private final List<Observation.Context> contexts = new CopyOnWriteArrayList<>();

    @BeforeAll
    static void open() {
        engine = Engine.open(
                EngineOptions.builder(Path.of(Objects.requireNonNull(System.getProperty("bloomery.demo.model"))))
                        .contextLength(256)
                        .build(),
                LoadProgress.NONE);
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    @BeforeEach
    void listen() {
        registry.observationConfig().observationHandler(new ObservationHandler<>() {
            @Override
            public void onStart(Observation.Context context) {
                events.add("start " + context.getName());
                contexts.add(context);
            }

            @Override
            public void onStop(Observation.Context context) {
                events.add("stop " + context.getName());
            }

            @Override
            public boolean supportsContext(Observation.Context context) {
                return true;
            }
        });
    }

    private BloomeryChatModel model() {
        return BloomeryChatModel.builder(engine)
                .options(BloomeryChatOptions.builder()
                        .temperature(0.0)
                        .maxTokens(30)
                        .build())
                .observationRegistry(registry)
                .build();
    }

    private void sawEveryPhaseInsideTheChat() {
        await().until(() -> events.contains("stop " + CHAT));
        assertThat(events)
                .containsExactly(
                        "start " + CHAT,
                        "start bloomery.queue",
                        "stop bloomery.queue",
                        "start bloomery.prefill",
                        "stop bloomery.prefill",
                        "start bloomery.decode",
                        "stop bloomery.decode",
                        "stop " + CHAT);
        Observation.Context chat = contexts.getFirst();
        assertThat(contexts.subList(1, contexts.size())).allSatisfy(phase -> {
            assertThat(phase.getParentObservation().getContextView()).isSameAs(chat);
            assertThat(phase.getLowCardinalityKeyValue("gen_ai.request.model").getValue())
                    .isEqualTo(engine.model().name());
            assertThat(phase.getError()).isNull();
        });
    }

    @Test
    void aCallHasItsPhasesAsChildren() {
        model().call(new Prompt(QUESTION));
        sawEveryPhaseInsideTheChat();
        assertThat(registry.getCurrentObservation()).isNull();
    }

    @Test
    void aStreamHasItsPhasesAsChildren() {
        model().stream(new Prompt(QUESTION)).blockLast();
        sawEveryPhaseInsideTheChat();
    }

    @Test
    void aRefusedRequestMarksTheQueue() {
        assertThatThrownBy(() -> model().call(new Prompt("one ".repeat(300))))
                .isInstanceOf(ContextLengthExceededException.class);
        assertThat(events)
                .containsExactly("start " + CHAT, "start bloomery.queue", "stop bloomery.queue", "stop " + CHAT);
        assertThat(contexts.getLast().getError()).isInstanceOf(ContextLengthExceededException.class);
    }

    @Test
    void aCancelledStreamEndsItsPhases() {
        model().stream(new Prompt(QUESTION)).take(1).blockLast();
        await().until(() -> events.contains("stop bloomery.decode") && events.contains("stop " + CHAT));
        assertThat(contexts).hasSize(4);
    }

    @Test
    void noTextOfPromptOrAnswerIsInAPhase() {
        String answer =
                model().call(new Prompt(QUESTION)).getResult().getOutput().getText();
        List<String> told = new ArrayList<>();
        for (Observation.Context context : contexts.subList(1, contexts.size())) {
            told.add(context.getName() + " " + context.getContextualName());
            context.getAllKeyValues().forEach(pair -> told.add(pair.getKey() + "=" + pair.getValue()));
        }
        assertThat(answer).isNotBlank();
        assertThat(told).hasSize(6).noneMatch(text -> text.contains(CANARY) || text.contains(answer));
    }
}
