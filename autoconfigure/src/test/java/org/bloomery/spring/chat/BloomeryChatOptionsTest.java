package org.bloomery.spring.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.chat.Thinking;
import org.bloomery.engine.chat.ToolChoice;
import org.bloomery.engine.sampling.SamplingOptions;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.function.FunctionToolCallback;

class BloomeryChatOptionsTest {

    private static final ToolCallback TOOL = FunctionToolCallback.builder("weather", (Map<String, Object> in) -> "sun")
            .description("Weather of a town")
            .inputType(Map.class)
            .build();

    private static BloomeryChatOptions.Builder everything() {
        return BloomeryChatOptions.builder()
                .model("tiny")
                .temperature(0.3)
                .topK(12)
                .topP(0.7)
                .frequencyPenalty(0.4)
                .presencePenalty(-0.5)
                .maxTokens(77)
                .stopSequences(List.of("END"))
                .toolCallbacks(TOOL)
                .toolContext("tenant", "blue")
                .minP(0.11)
                .typicalP(0.9)
                .seed(42L)
                .penaltyLastN(33)
                .repeatPenalty(1.2)
                .dryMultiplier(0.8)
                .dryBase(1.5)
                .dryAllowedLength(3)
                .dryPenaltyLastN(99)
                .drySequenceBreakers(List.of(";"))
                .xtcProbability(0.2)
                .xtcThreshold(0.15)
                .logitBias(Map.of(5, -3.0))
                .textBias(Map.of("sure", -2.0))
                .toolChoice("search")
                .thinking(Thinking.Mode.ON)
                .thinkingBudget(55)
                .timeout(Duration.ofSeconds(9))
                .logProbabilities(4)
                .templateArguments(Map.of("enable_thinking", false))
                .jsonSchema("{\"title\":\"Secret\"}");
    }

    /** Fails when a new option is forgotten in {@link #everything}, and with it in all tests below. */
    @Test
    void theOptionsOfTheseTestsSetEverything() throws Exception {
        BloomeryChatOptions options = everything().build();
        for (Method getter : BloomeryChatOptions.class.getMethods()) {
            // One constraint excludes the others
            if (getter.getName().startsWith("get")
                    && getter.getParameterCount() == 0
                    && !List.of("getRegex", "getChoices", "getGrammar").contains(getter.getName())) {
                assertThat(getter.invoke(options)).as(getter.getName()).isNotNull();
            }
        }
    }

    @Test
    void everyOptionReachesTheEngine() {
        assertThat(everything().build().generationOptions())
                .isEqualTo(new GenerationOptions(
                        new SamplingOptions(
                                0.3,
                                12,
                                0.7,
                                0.11,
                                0.9,
                                33,
                                1.2,
                                0.4,
                                -0.5,
                                new SamplingOptions.Dry(0.8, 1.5, 3, 99, List.of(";")),
                                new SamplingOptions.Xtc(0.2, 0.15),
                                Map.of(5, -3.0),
                                42L),
                        77,
                        List.of("END"),
                        Duration.ofSeconds(9),
                        4,
                        new Constraint.JsonSchema("{\"title\":\"Secret\"}"),
                        Map.of("sure", -2.0)));
        assertThat(everything().build().toolChoice()).isEqualTo(ToolChoice.named("search"));
        assertThat(everything().build().thinking()).isEqualTo(new Thinking(Thinking.Mode.ON, 55));
    }

    @Test
    void unsetOptionsAreTheEnginesDefaults() {
        assertThat(BloomeryChatOptions.builder().build().generationOptions()).isEqualTo(GenerationOptions.DEFAULT);
    }

    @Test
    void mutateKeepsEverything() {
        BloomeryChatOptions options = everything().build();
        assertThat(options.mutate()).isInstanceOf(BloomeryChatOptions.Builder.class);
        assertThat(options.mutate().build()).isEqualTo(options).hasSameHashCodeAs(options);
    }

    @Test
    void combiningWithNothingKeepsEverything() {
        assertThat(everything().combineWith(BloomeryChatOptions.builder()).build())
                .isEqualTo(everything().build());
    }

    @Test
    void combiningNothingWithEverythingTakesEverything() {
        assertThat(BloomeryChatOptions.builder().combineWith(everything()).build())
                .isEqualTo(everything().build());
    }

    @Test
    void theOtherBuildersValuesWinAndCollectionsAddUp() {
        BloomeryChatOptions combined = everything()
                .combineWith(BloomeryChatOptions.builder()
                        .temperature(0.0)
                        .minP(0.5)
                        .stopSequences(List.of("HALT"))
                        .logitBias(Map.of(6, 1.0))
                        .templateArgument("style", "short"))
                .build();
        assertThat(combined.getTemperature()).isZero();
        assertThat(combined.getMinP()).isEqualTo(0.5);
        assertThat(combined.getSeed()).isEqualTo(42);
        assertThat(combined.getStopSequences()).containsExactly("END", "HALT");
        assertThat(combined.getLogitBias()).containsOnly(Map.entry(5, -3.0), Map.entry(6, 1.0));
        assertThat(combined.getTemplateArguments())
                .containsOnly(Map.entry("enable_thinking", false), Map.entry("style", "short"));
    }

    @Test
    void combinesWithPortableBuilders() {
        BloomeryChatOptions combined = everything()
                .combineWith(ChatOptions.builder().topK(3))
                .combineWith(ToolCallingChatOptions.builder().toolContext("user", "u1"))
                .build();
        assertThat(combined.getTopK()).isEqualTo(3);
        assertThat(combined.getToolContext()).containsOnlyKeys("tenant", "user");
        assertThat(combined.getMinP()).isEqualTo(0.11);
    }

    @Test
    void aCloneOfABuilderIsIndependent() {
        BloomeryChatOptions.Builder original = everything();
        BloomeryChatOptions.Builder copy = original.clone();
        copy.minP(0.9).toolContext("more", 1).templateArgument("more", 1);
        assertThat(original.build()).isEqualTo(everything().build());
        assertThat(copy.build()).isNotEqualTo(original.build());
    }

    @Test
    void aBuilderGoesOnWithoutChangingWhatItBuilt() {
        BloomeryChatOptions.Builder builder = everything();
        BloomeryChatOptions built = builder.build();
        builder.minP(0.2).stopSequences(List.of()).templateArguments(null).toolCallbacks(TOOL);
        assertThat(built).isEqualTo(everything().build());
    }

    @Test
    void everyOptionCountsForEquality() {
        BloomeryChatOptions all = everything().build();
        List<BloomeryChatOptions> others = List.of(
                everything().minP(null).build(),
                everything().typicalP(null).build(),
                everything().seed(null).build(),
                everything().penaltyLastN(null).build(),
                everything().repeatPenalty(null).build(),
                everything().dryMultiplier(null).build(),
                everything().dryBase(null).build(),
                everything().dryAllowedLength(null).build(),
                everything().dryPenaltyLastN(null).build(),
                everything().drySequenceBreakers(null).build(),
                everything().xtcProbability(null).build(),
                everything().xtcThreshold(null).build(),
                everything().logitBias(null).build(),
                everything().timeout(null).build(),
                everything().logProbabilities(null).build(),
                everything().templateArguments(null).build(),
                everything().jsonSchema(null).build(),
                everything().jsonSchema(null).regex("a").build(),
                everything().jsonSchema(null).choices(List.of("a")).build(),
                everything().jsonSchema(null).grammar("root ::= \"a\"").build(),
                everything().temperature(null).build(),
                everything().toolContext(null).build());
        assertThat(others).doesNotContain(all).doesNotHaveDuplicates();
    }

    @Test
    void toStringShowsNumbersAndNoContent() {
        assertThat(everything().build().toString())
                .contains("temperature=0.3", "minP=0.11", "seed=42", "1 stopSequences", "1 templateArguments")
                .doesNotContain("END", "blue", "enable_thinking", "weather", "tenant", "Secret");
    }

    @Test
    void refusesWhatIsOutOfRangeWhenItIsBuilt() {
        for (BloomeryChatOptions.Builder wrong : Arrays.asList(
                BloomeryChatOptions.builder().temperature(11.0),
                BloomeryChatOptions.builder().temperature(Double.NaN),
                BloomeryChatOptions.builder().topP(1.5),
                BloomeryChatOptions.builder().minP(-0.1),
                BloomeryChatOptions.builder().maxTokens(0),
                BloomeryChatOptions.builder().timeout(Duration.ZERO),
                BloomeryChatOptions.builder().logProbabilities(21),
                BloomeryChatOptions.builder().stopSequences(List.of("")))) {
            assertThatThrownBy(wrong::build)
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageStartingWith("Option '");
        }
    }

    @Test
    void refusesTemplateArgumentsWithoutAValue() {
        java.util.HashMap<String, Object> arguments = new java.util.HashMap<>();
        arguments.put("enable_thinking", null);
        assertThatThrownBy(() -> BloomeryChatOptions.builder().templateArguments(arguments))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("'enable_thinking'");
    }

    @Test
    void theOutputSchemaIsTheJsonSchema() {
        StructuredOutputChatOptions.Builder<?> portable = BloomeryChatOptions.builder();
        StructuredOutputChatOptions options =
                (StructuredOutputChatOptions) portable.outputSchema("{}").build();
        assertThat(options.getOutputSchema()).isEqualTo("{}");
        assertThat(options)
                .isEqualTo(BloomeryChatOptions.builder().jsonSchema("{}").build());
    }

    @Test
    void everyConstraintReachesTheEngine() {
        assertThat(BloomeryChatOptions.builder()
                        .regex("a+")
                        .build()
                        .generationOptions()
                        .constraint())
                .isEqualTo(new Constraint.Regex("a+"));
        assertThat(BloomeryChatOptions.builder()
                        .choices(List.of("a", "b"))
                        .build()
                        .generationOptions()
                        .constraint())
                .isEqualTo(new Constraint.Choices(List.of("a", "b")));
        assertThat(BloomeryChatOptions.builder()
                        .grammar("root ::= [a]")
                        .build()
                        .generationOptions()
                        .constraint())
                .isEqualTo(new Constraint.Gbnf("root ::= [a]"));
    }

    @Test
    void refusesTwoConstraints() {
        assertThatThrownBy(() -> BloomeryChatOptions.builder()
                        .regex("a")
                        .jsonSchema("{}")
                        .build())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("'json-schema' and 'regex'");
    }

    @Test
    void aConstraintTakesThePlaceOfAnyOther() {
        BloomeryChatOptions combined = BloomeryChatOptions.builder()
                .regex("a")
                .combineWith(BloomeryChatOptions.builder().choices(List.of("b")))
                .build();
        assertThat(combined.getRegex()).isNull();
        assertThat(combined.getChoices()).containsExactly("b");
        assertThat(everything()
                        .combineWith(BloomeryChatOptions.builder().regex("a"))
                        .build()
                        .getOutputSchema())
                .isNull();
    }
}
