package org.bloomery.spring.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.observation.Observation;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.chat.ToolCall;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.observation.DefaultChatModelObservationConvention;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;

@NullUnmarked // What is null unexpectedly fails a test anyway.
class ChatObservationTest {

    private static final String NAME = "gen_ai.client.operation";

    private final TestObservationRegistry registry = TestObservationRegistry.create();

    private BloomeryChatModel model(ScriptedEngine engine) {
        return new BloomeryChatModel(
                engine,
                "tiny",
                BloomeryChatOptions.builder()
                        .temperature(0.5)
                        .stopSequences(List.of("END"))
                        .build(),
                registry,
                null);
    }

    private static Prompt prompt() {
        return new Prompt(
                "Hi", ChatOptions.builder().maxTokens(9).topK(3).topP(0.5).build());
    }

    private TestObservationRegistryAssert.TestObservationRegistryAssertReturningObservationContextAssert observed() {
        return observed(NAME);
    }

    /** Waits for the stop, which comes after the stream's last signal. */
    private TestObservationRegistryAssert.TestObservationRegistryAssertReturningObservationContextAssert observed(
            String name) {
        await().untilAsserted(() -> TestObservationRegistryAssert.assertThat(registry)
                .hasObservationWithNameEqualTo(name)
                .that()
                .hasBeenStopped());
        return TestObservationRegistryAssert.assertThat(registry)
                .hasObservationWithNameEqualTo(name)
                .that();
    }

    private ChatModelObservationContext context() {
        ChatModelObservationContext[] found = new ChatModelObservationContext[1];
        observed().satisfies(context -> found[0] = (ChatModelObservationContext) context);
        return found[0];
    }

    @Test
    void aCallIsObservedWithMergedOptionsAndItsResponse() {
        model(ScriptedEngine.saying("Hello")).call(prompt());
        observed()
                .hasBeenStarted()
                .hasBeenStopped()
                .hasContextualNameEqualTo("chat tiny")
                .hasLowCardinalityKeyValue("gen_ai.operation.name", "chat")
                .hasLowCardinalityKeyValue("gen_ai.system", "bloomery")
                .hasLowCardinalityKeyValue("gen_ai.request.model", "tiny")
                .hasLowCardinalityKeyValue("gen_ai.response.model", "tiny")
                .hasHighCardinalityKeyValue("gen_ai.request.temperature", "0.5")
                .hasHighCardinalityKeyValue("gen_ai.request.max_tokens", "9")
                .hasHighCardinalityKeyValue("gen_ai.request.top_k", "3")
                .hasHighCardinalityKeyValue("gen_ai.request.top_p", "0.5")
                .hasHighCardinalityKeyValue("gen_ai.request.stop_sequences", "[\"END\"]")
                .hasHighCardinalityKeyValue("gen_ai.response.finish_reasons", "[\"STOP\"]")
                .hasHighCardinalityKeyValue("gen_ai.response.id", "answer-1")
                .hasHighCardinalityKeyValue("gen_ai.usage.input_tokens", "11")
                .hasHighCardinalityKeyValue("gen_ai.usage.output_tokens", "7")
                .hasHighCardinalityKeyValue("gen_ai.usage.total_tokens", "18")
                .hasHighCardinalityKeyValue("gen_ai.usage.cache_read.input_tokens", "5");
    }

    @Test
    void aStreamIsObservedWithItsWholeResponse() {
        model(new ScriptedEngine(answer -> {
                    answer.text("Hel");
                    answer.text("lo");
                    answer.end(FinishReason.TOOL_CALLS, new ToolCall("c1", "weather", "{}"));
                }))
                .stream(prompt())
                .blockLast();
        observed()
                .hasBeenStarted()
                .hasBeenStopped()
                .hasLowCardinalityKeyValue("gen_ai.request.model", "tiny")
                .hasLowCardinalityKeyValue("gen_ai.response.model", "tiny")
                .hasHighCardinalityKeyValue("gen_ai.request.stream", "true")
                .hasHighCardinalityKeyValue("gen_ai.response.finish_reasons", "[\"TOOL_CALLS\"]")
                .hasHighCardinalityKeyValue("gen_ai.response.id", "answer-1")
                .hasHighCardinalityKeyValue("gen_ai.usage.total_tokens", "18");
        assertThat(context().getResponse().getResult().getOutput().getText()).isEqualTo("Hello");
        assertThat(context().getResponse().getResult().getOutput().getToolCalls())
                .hasSize(1);
    }

    @Test
    void aStreamsParentComesFromTheReactorContext() {
        Observation parent = Observation.start("parent", registry);
        model(ScriptedEngine.saying("Hello")).stream(prompt())
                .contextWrite(context -> context.put(ObservationThreadLocalAccessor.KEY, parent))
                .blockLast();
        parent.stop();
        observed().hasParentObservationEqualTo(parent);
        assertThat(registry.getCurrentObservationScope()).isNull();
    }

    @Test
    void ownConventionIsUsedAndRefusalsAreObserved() {
        BloomeryChatModel model = new BloomeryChatModel(
                (request, sink) -> {
                    throw new EngineException("refused");
                },
                "tiny",
                BloomeryChatOptions.builder().build(),
                registry,
                new DefaultChatModelObservationConvention() {
                    @Override
                    public String getName() {
                        return "own.name";
                    }
                });
        assertThatThrownBy(() -> model.stream(prompt()).blockLast()).hasMessage("refused");
        observed("own.name").hasBeenStopped().hasError();
    }

    @Test
    void failuresAreObserved() {
        ScriptedEngine engine = new ScriptedEngine(answer -> {
            throw new EngineException("The backend broke.");
        });
        assertThatThrownBy(() -> model(engine).call(prompt())).isInstanceOf(EngineException.class);
        observed().hasBeenStopped().hasError();
    }

    @Test
    void aCancelledStreamEndsItsObservation() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        ScriptedEngine engine = new ScriptedEngine(answer -> {
            answer.text("a");
            answer.awaitCancel();
            answer.end(FinishReason.CANCELLED);
            ended.countDown();
        });
        model(engine).stream(prompt()).take(1).blockLast();
        assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
        observed().hasBeenStopped().doesNotHaveError();
    }

    @Test
    void promptAndAnswerAreInNoKeyValue() {
        model(ScriptedEngine.saying("a secret answer")).call(new Prompt("a secret question"));
        observed()
                .satisfies(context -> assertThat(context.getAllKeyValues())
                        .allSatisfy(pair -> assertThat(pair.getValue()).doesNotContain("secret")));
    }
}
