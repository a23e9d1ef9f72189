package org.bloomery.spring.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.grammar.GrammarException;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.ai.tool.annotation.ToolParam;
import org.springframework.core.ParameterizedTypeReference;

/** Answers of a type, through Spring AI's client: the schema is kept by the engine and not by the prompt. */
@NullUnmarked // What is null unexpectedly fails a test anyway.
class TypedAnswersTest {

    private static Engine engine;
    private static BloomeryChatModel model;

    enum Level {
        LOW,
        MIDDLE,
        HIGH
    }

    record Address(String city, int number) {}

    record Numbers(int count, long big, double ratio, float half, boolean open, Level level, Integer boxed) {}

    record Times(LocalDate day, LocalTime hour, Instant instant, UUID id) {}

    record Amounts(BigDecimal price, @Nullable Level level, List<Level> levels, Address home) {}

    record Step(Level level, List<Step> next) {}

    @BeforeAll
    static void open() {
        engine = Engine.open(
                EngineOptions.builder(Path.of(System.getProperty("bloomery.demo.model")))
                        .contextLength(1024)
                        .build(),
                LoadProgress.NONE);
        model = BloomeryChatModel.builder(engine)
                .options(BloomeryChatOptions.builder()
                        .temperature(0.0)
                        .maxTokens(400)
                        .build())
                .build();
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static ChatClient client(double temperature, long seed) {
        return ChatClient.builder(model)
                .defaultOptions(
                        BloomeryChatOptions.builder().temperature(temperature).seed(seed))
                .build();
    }

    private static <T> T ask(String question, Class<T> type, double temperature, long seed) {
        return client(temperature, seed)
                .prompt(question)
                .call()
                .entity(type, spec -> spec.useProviderStructuredOutput());
    }

    @ParameterizedTest
    @ValueSource(classes = {Numbers.class, Times.class, Level.class, Address.class})
    void recordsOfEveryKindAreRead(Class<?> type) {
        for (long seed = 0; seed < 5; seed++) {
            Object answer = ask("My name is Sofia and I live in Paris.", type, seed == 0 ? 0 : 1, seed);
            assertThat(answer).as("seed %d", seed).isInstanceOf(type);
        }
    }

    @Test
    void listsAndMapsAreRead() {
        List<Level> levels = client(0, 1)
                .prompt("Name some levels.")
                .call()
                .entity(new ParameterizedTypeReference<>() {}, spec -> spec.useProviderStructuredOutput());
        assertThat(levels).isNotNull();
        Map<String, Object> map = client(0, 1)
                .prompt("Hello")
                .call()
                .entity(new ParameterizedTypeReference<>() {}, spec -> spec.useProviderStructuredOutput());
        assertThat(map).isNotNull();
    }

    @Test
    void nestedAndRecursiveRecordsAreRead() {
        assertThat(ask("What does it cost?", Amounts.class, 0, 1).price()).isNotNull();
        assertThat(ask("What is next?", Step.class, 0, 1).level()).isNotNull();
    }

    @Test
    void choicesAndExpressionsAreKept() {
        assertThat(client(1, 3)
                        .prompt("Is it good?")
                        .options(BloomeryChatOptions.builder().choices(List.of("yes", "no")))
                        .call()
                        .content())
                .isIn("yes", "no");
        assertThat(client(1, 3)
                        .prompt("Give me a code.")
                        .options(BloomeryChatOptions.builder().regex("[A-Z]{3}-[0-9]{4}"))
                        .call()
                        .content())
                .matches("[A-Z]{3}-[0-9]{4}");
    }

    static final class Weather {
        @Tool(description = "Get the current weather for a city")
        Map<String, Object> getWeather(@ToolParam(description = "the city") String city) {
            return Map.of("weather", "sunny", "temperature", 21);
        }
    }

    record Forecast(Level warmth, int degrees) {}

    @Test
    void toolsAreCalledBeforeATypedAnswer() {
        Forecast forecast = client(0, 1)
                .prompt("What is the weather in Paris?")
                .tools(new Weather())
                .call()
                .entity(Forecast.class, spec -> spec.useProviderStructuredOutput());
        assertThat(forecast.warmth()).isNotNull();
    }

    @Test
    void streamsKeepToTheirConstraint() {
        List<String> pieces = model.stream(new Prompt(
                        "Give me a date.",
                        model.getOptions()
                                .mutate()
                                .jsonSchema("{\"type\":\"string\",\"format\":\"date\"}")
                                .build()))
                .map(chunk -> chunk.getResult().getOutput().getText())
                .collectList()
                .block();
        assertThat(String.join("", pieces)).matches("\"\\d{4}-\\d\\d-\\d\\d\"");
    }

    @Test
    void schemasThatCannotBeKeptAreRefusedByKeywordAndPath() {
        assertThatThrownBy(() -> client(0, 1)
                        .prompt("Hello")
                        .options(BloomeryChatOptions.builder()
                                .jsonSchema("{\"properties\":{\"a\":{\"not\":{\"type\":\"string\"}}}}"))
                        .call()
                        .content())
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("'not' at #/properties/a/not");
    }
}
