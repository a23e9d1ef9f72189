package org.bloomery.spring.overflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.bloomery.spring.chat.BloomeryChatOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.observation.ChatModelMeterObservationHandler;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.prompt.Prompt;

/** A request that overflows is two observations, one in the other, and its tokens are counted once. */
@Timeout(120)
class OverflowObservationTest {

    private static final String LONG = "one ".repeat(200);

    private final CompletionsServer server = new CompletionsServer();
    private final Engine engine = Engine.open(
            EngineOptions.builder(Path.of(Objects.requireNonNull(System.getProperty("bloomery.demo.model"))))
                    .contextLength(64)
                    .build(),
            LoadProgress.NONE);
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final List<ChatModelObservationContext> stopped = new CopyOnWriteArrayList<>();
    private final BloomeryChatModel model;

    OverflowObservationTest() throws IOException {
        ObservationRegistry registry = ObservationRegistry.create();
        registry.observationConfig()
                .observationHandler(new ChatModelMeterObservationHandler(meters))
                .observationHandler(new ObservationHandler<ChatModelObservationContext>() {
                    @Override
                    public void onStop(ChatModelObservationContext context) {
                        stopped.add(context);
                    }

                    @Override
                    public boolean supportsContext(Observation.Context context) {
                        return context instanceof ChatModelObservationContext;
                    }
                });
        ChatModel cluster = server.client("none", registry);
        model = BloomeryChatModel.builder(engine)
                .options(BloomeryChatOptions.builder().maxTokens(5).build())
                .observationRegistry(registry)
                .interceptors(List.of(new OverflowInterceptor(
                        new OverflowInterceptor.Target("cluster", cluster),
                        EnumSet.allOf(OverflowReason.class),
                        OverflowPolicy.ALL,
                        () -> "ada",
                        () -> "acme",
                        List.of())))
                .build();
    }

    @AfterEach
    void close() {
        engine.close();
        server.close();
    }

    private double tokens(String provider) {
        return meters
                .find("gen_ai.client.token.usage")
                .tags("gen_ai.system", provider, "gen_ai.token.type", "total")
                .counters()
                .stream()
                .mapToDouble(Counter::count)
                .sum();
    }

    private ChatResponse ask(String text, boolean streaming) {
        return Objects.requireNonNull(
                streaming ? model.stream(new Prompt(text)).blockLast() : model.call(new Prompt(text)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void tokensAreCountedOnceWhereTheyAreWritten(boolean streaming) {
        ChatResponse response = ask(LONG, streaming);
        await().until(() -> stopped.size() == 2);
        assertThat(response.getMetadata().getUsage().getTotalTokens()).isEqualTo(8);
        assertThat(tokens("openai")).isEqualTo(8);
        assertThat(tokens("bloomery")).isZero();

        int used = ask("Hi", streaming).getMetadata().getUsage().getTotalTokens();
        await().until(() -> stopped.size() == 3);
        assertThat(tokens("openai")).isEqualTo(8);
        assertThat(tokens("bloomery")).isEqualTo(used);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theOtherModelsObservationIsWithinOurs(boolean streaming) {
        ask(LONG, streaming);
        await().until(() -> stopped.size() == 2);
        ChatModelObservationContext theirs = stopped.stream()
                .filter(context -> context.getOperationMetadata().provider().equals("openai"))
                .findFirst()
                .orElseThrow();
        ChatModelObservationContext ours = stopped.stream()
                .filter(context -> context.getOperationMetadata().provider().equals("bloomery"))
                .findFirst()
                .orElseThrow();
        assertThat(Objects.requireNonNull(theirs.getParentObservation()).getContextView())
                .isSameAs(ours);
    }
}
