package org.bloomery.javaengine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.Thinking;
import org.bloomery.engine.chat.ToolChoice;
import org.bloomery.engine.chat.ToolSpec;
import org.bloomery.engine.sampling.SamplingOptions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tool choice, thinking and biases on the demo model: the whole path from the options to the answer. */
@Timeout(120)
class ChatOptionsTest {

    private static final GenerationOptions GREEDY =
            GenerationOptions.DEFAULT.withMaxTokens(150).withSampling(SamplingOptions.GREEDY);

    private static final ToolSpec WEATHER = new ToolSpec(
            "get_weather",
            "Get the current weather in a city",
            "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\",\"maxLength\":20}},\"required\":[\"city\"]}");
    private static final ToolSpec ORDER = new ToolSpec(
            "get_order",
            "Get an order",
            "{\"type\":\"object\",\"properties\":{\"number\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":99}},"
                    + "\"required\":[\"number\"]}");

    /** As the demo model's own, with marks of thinking. */
    private static final String THINKING_TEMPLATE = """
            {#<think></think>#}{% for m in messages %}<|im_start|>{{ m.role }}
            {{ m.content }}<|im_end|>
            {% endfor %}<|im_start|>assistant
            """;

    private static Engine engine;
    private static Engine thinker;

    @BeforeAll
    static void open() {
        Path model = Path.of(System.getProperty("bloomery.demo.model"));
        engine = Engine.open(EngineOptions.builder(model).build(), LoadProgress.NONE);
        thinker = Engine.open(
                EngineOptions.builder(model).chatTemplate(THINKING_TEMPLATE).build(), LoadProgress.NONE);
    }

    @AfterAll
    static void close() {
        engine.close();
        thinker.close();
    }

    private static ChatRequest ask(String question) {
        return new ChatRequest(List.of(ChatMessage.user(question)), GREEDY);
    }

    private static Completion answer(ChatRequest request) {
        return engine.generate(request, GenerationSink.NONE);
    }

    private static Completion thought(ChatRequest request) {
        return thinker.generate(request, GenerationSink.NONE);
    }

    @Test
    void aDemandedCallComesWhateverIsAsked() {
        Completion any = answer(ask("Hello").withTools(List.of(ORDER, WEATHER)).withToolChoice(ToolChoice.REQUIRED));
        assertThat(any.finishReason()).isEqualTo(FinishReason.TOOL_CALLS);
        assertThat(any.toolCalls())
                .isNotEmpty()
                .allSatisfy(call -> assertThat(call.name()).isIn("get_order", "get_weather"));
        assertThat(any.text()).isBlank();
        Completion named = answer(ask("What is the weather in Oslo?")
                .withTools(List.of(ORDER, WEATHER))
                .withToolChoice(ToolChoice.named("get_order")));
        assertThat(named.toolCalls()).isNotEmpty().allSatisfy(call -> {
            assertThat(call.name()).isEqualTo("get_order");
            assertThat(call.arguments()).matches("\\{\\s*\"number\":\\s*[1-9][0-9]?\\s*}");
        });
    }

    @Test
    void noCallComesWhereNoneMay() {
        Completion answer = answer(
                ask("What is the weather in Oslo?").withTools(List.of(WEATHER)).withToolChoice(ToolChoice.NONE));
        assertThat(answer.toolCalls()).isEmpty();
        assertThat(answer.text()).doesNotContain("<tool_call>");
    }

    @Test
    void textBesideToolsStreamsAsItComes() {
        List<String> pieces = new ArrayList<>();
        Completion answer =
                engine.generate(ask("What is the weather in Oslo?").withTools(List.of(WEATHER)), new GenerationSink() {
                    @Override
                    public boolean onText(String delta) {
                        return pieces.add(delta);
                    }
                });
        assertThat(answer.toolCalls()).hasSize(1);
        assertThat(String.join("", pieces)).isEqualTo(answer.text()).doesNotContain("tool_call");
    }

    @Test
    void thinkingThatWasAskedForEndsAtItsBudget() {
        Completion answer = thought(ask("Hello").withThinking(new Thinking(Thinking.Mode.ON, 6)));
        assertThat(answer.reasoning()).isNotBlank().hasSizeLessThan(100);
        assertThat(answer.text()).doesNotContain("think>");
        assertThat(answer.usage().completionTokens()).isLessThan(150);
    }

    @Test
    void noThinkingIsNoThinking() {
        Completion answer = thought(ask("Hello").withThinking(Thinking.OFF));
        assertThat(answer.reasoning()).isNull();
        assertThat(answer.text()).isNotBlank();
    }

    @Test
    void aTypedAnswerStandsBehindThinking() {
        Completion answer = thought(ask("Hello")
                .withThinking(new Thinking(Thinking.Mode.ON, 8))
                .withOptions(GREEDY.withConstraint(new Constraint.Choices(List.of("good", "bad")))));
        assertThat(answer.reasoning()).isNotNull();
        assertThat(answer.text()).isIn("good", "bad");
    }

    @Test
    void biasesOfTextsReachTheirTokens() {
        String free = answer(ask("Hello")).text();
        String word = free.substring(0, free.indexOf(' '));
        GenerationOptions biased =
                new GenerationOptions(SamplingOptions.GREEDY, 40, List.of(), null, null, null, Map.of(word, -100.0));
        assertThat(answer(ask("Hello").withOptions(biased)).text()).doesNotStartWith(word);
    }
}
