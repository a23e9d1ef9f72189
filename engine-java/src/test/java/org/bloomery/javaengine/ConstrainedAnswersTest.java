package org.bloomery.javaengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.CompletionRequest;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolSpec;
import org.bloomery.engine.grammar.Grammar;
import org.bloomery.engine.grammar.GrammarException;
import org.bloomery.engine.sampling.SamplingOptions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Constrained answers on the demo model: the whole path from the options to the text. */
@Timeout(120)
class ConstrainedAnswersTest {

    private static final Path MODEL = Path.of(System.getProperty("bloomery.demo.model"));
    private static final GenerationOptions SAMPLED = GenerationOptions.DEFAULT.withMaxTokens(150);
    private static final GenerationOptions GREEDY = SAMPLED.withSampling(SamplingOptions.GREEDY);
    private static final String PERSON = """
            {"type":"object","properties":{
              "name":{"type":"string","maxLength":20},
              "age":{"type":"integer","minimum":0,"maximum":150},
              "kind":{"enum":["friend","stranger"]}},
             "required":["name","age","kind"]}""";

    private static Engine engine;

    @BeforeAll
    static void open() {
        engine = Engine.open(EngineOptions.builder(MODEL).build(), LoadProgress.NONE);
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static Completion answer(GenerationOptions options, Constraint constraint) {
        return engine.generate(
                new ChatRequest(
                        List.of(ChatMessage.user("My name is Sofia and I am 31. Who am I?")),
                        options.withConstraint(constraint)),
                GenerationSink.NONE);
    }

    @Test
    void answersAreOfTheirSchemaAndInItsOrder() {
        Grammar grammar = Grammar.jsonSchema(PERSON);
        for (int i = 0; i < 10; i++) {
            Completion completion = answer(i == 0 ? GREEDY : SAMPLED, new Constraint.JsonSchema(PERSON));
            assertThat(completion.finishReason()).as(completion.text()).isEqualTo(FinishReason.STOP);
            assertThat(grammar.matches(completion.text().getBytes(StandardCharsets.UTF_8)))
                    .as(completion.text())
                    .isTrue();
            assertThat(completion.text()).matches("(?s).*\"name\".*\"age\".*\"kind\".*");
        }
    }

    @Test
    void answersOfManyCallersKeepToTheirOwnConstraints() {
        List<Generation> running = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            running.add(engine.submit(
                    new CompletionRequest(
                            "Once", SAMPLED.withConstraint(new Constraint.Regex("[a-z]{" + (i + 1) + "}!"))),
                    GenerationSink.NONE));
        }
        for (int i = 0; i < running.size(); i++) {
            assertThat(running.get(i).await().text()).matches("[a-z]{" + (i + 1) + "}!");
        }
    }

    @Test
    void choosesOneOfTheChoices() {
        List<String> choices = List.of("positive", "negative", "neither");
        assertThat(answer(GREEDY, new Constraint.Choices(choices)).text()).isIn(choices);
    }

    @Test
    void writesWhatAGrammarSays() {
        Completion completion =
                answer(GREEDY, new Constraint.Gbnf("root ::= item item item\nitem ::= \"- \" [A-Za-z ]{1,12} \"\\n\""));
        assertThat(completion.text()).matches("(- [A-Za-z ]{1,12}\n){3}");
    }

    @Test
    void anAnswerThatIsCutOffSaysSo() {
        Completion completion = answer(GREEDY.withMaxTokens(3), new Constraint.JsonSchema(PERSON));
        assertThat(completion.finishReason()).isEqualTo(FinishReason.LENGTH);
    }

    @Test
    void marksInConstrainedTextAreText() {
        Completion completion = answer(GREEDY, new Constraint.Choices(List.of("<think>a</think>b")));
        assertThat(completion.text()).isEqualTo("<think>a</think>b");
        assertThat(completion.reasoning()).isNull();
    }

    @Test
    void offeredToolsMayBeCalledInsteadOfTheConstrainedAnswer() {
        ToolSpec weather = new ToolSpec(
                "get_weather",
                "Get the current weather in a city",
                "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}");
        GenerationOptions options =
                GREEDY.withConstraint(new Constraint.JsonSchema("{\"type\":\"object\",\"properties\":{\"summary\":"
                        + "{\"type\":\"string\",\"maxLength\":60}},\"required\":[\"summary\"]}"));
        List<ChatMessage> conversation = new ArrayList<>(List.of(ChatMessage.user("What is the weather in Paris?")));

        Completion call =
                engine.generate(new ChatRequest(conversation, List.of(weather), options), GenerationSink.NONE);

        assertThat(call.finishReason()).isEqualTo(FinishReason.TOOL_CALLS);
        assertThat(call.text()).isEmpty();
        assertThat(call.toolCalls())
                .singleElement()
                .satisfies(each -> assertThat(each.name()).isEqualTo("get_weather"));
        conversation.add(ChatMessage.assistant("", null, call.toolCalls()));
        conversation.add(
                ChatMessage.toolResult(call.toolCalls().getFirst().id(), "get_weather", "{\"sky\":\"clear\"}"));

        Completion last =
                engine.generate(new ChatRequest(conversation, List.of(weather), options), GenerationSink.NONE);

        assertThat(last.finishReason()).as(last.text()).isEqualTo(FinishReason.STOP);
        assertThat(last.text()).startsWith("{").contains("\"summary\"").endsWith("}");
    }

    @Test
    void reportsTheProbabilitiesBeforeTheConstraint() {
        GenerationOptions options = new GenerationOptions(
                SamplingOptions.GREEDY, 5, List.of(), null, 2, new Constraint.Choices(List.of("zzz")), Map.of());
        Completion completion = engine.generate(new CompletionRequest("Once upon a", options), GenerationSink.NONE);
        assertThat(completion.text()).isEqualTo("zzz");
        assertThat(completion.logProbabilities())
                .isNotEmpty()
                .allSatisfy(token -> assertThat(token.logProbability())
                        .isLessThanOrEqualTo(token.top().getFirst().logProbability()));
        assertThat(completion.logProbabilities().getFirst().logProbability()).isLessThan(-1);
    }

    @Test
    void refusesConstraintsThatItCannotKeepBeforeAnythingIsGenerated() {
        long refused = engine.stats().refusedRequests();
        assertThatThrownBy(() ->
                        answer(GREEDY, new Constraint.JsonSchema("{\"properties\":{\"a\":{\"uniqueItems\":true}}}")))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("uniqueItems")
                .hasMessageContaining("#/properties/a");
        assertThat(engine.stats().refusedRequests()).isEqualTo(refused + 1);
    }
}
