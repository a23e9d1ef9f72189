package org.bloomery.spring.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolChoice;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.ai.chat.client.AdvisorParams;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.client.advisor.MessageChatMemoryAdvisor;
import org.springframework.ai.chat.client.advisor.vectorstore.QuestionAnswerAdvisor;
import org.springframework.ai.chat.memory.ChatMemory;
import org.springframework.ai.chat.memory.MessageWindowChatMemory;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.document.Document;
import org.springframework.ai.support.ToolCallbacks;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.ai.tool.annotation.ToolParam;
import org.springframework.ai.tool.definition.ToolDefinition;
import org.springframework.ai.vectorstore.SearchRequest;
import org.springframework.ai.vectorstore.SimpleVectorStore;

/**
 * What a plain {@link ChatClient} does over a backend with the demo model: tools, typed answers, memory and retrieval, called
 * and streamed, with no mark of calls or of thinking in any text.
 */
@NullUnmarked // What is null unexpectedly fails a test anyway.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class ChatClientContract {

    private static final String WEATHER_IN_PARIS = "What is the weather in Paris?";

    private final List<ChatRequest> requests = new CopyOnWriteArrayList<>();
    private Engine engine;
    private ChatClient client;

    /** The backend's name, as in the option {@code backend}. */
    protected abstract String backend();

    @BeforeAll
    protected void open() {
        engine = Engine.open(
                EngineOptions.builder(Path.of(System.getProperty("bloomery.demo.model")))
                        .backend(backend())
                        // Threads of llama.cpp wait for each other by spinning, which takes ages on a busy machine
                        .threads(1)
                        .build(),
                LoadProgress.NONE);
        BloomeryChatModel model = BloomeryChatModel.builder(engine)
                .options(BloomeryChatOptions.builder()
                        .temperature(0.0)
                        .maxTokens(200)
                        .build())
                .interceptors(List.of((request, sink, next) -> {
                    requests.add((ChatRequest) request);
                    return next.submit(withAnEnd((ChatRequest) request), sink);
                }))
                .build();
        client = ChatClient.create(model);
    }

    /** A model as small as this may ask for the same again and again where a result is like none that it was shown. */
    private static ChatRequest withAnEnd(ChatRequest request) {
        long results = request.messages().stream()
                .filter(message -> message.role() == ChatMessage.Role.TOOL)
                .count();
        return results > 1 ? request.withToolChoice(ToolChoice.NONE) : request;
    }

    @AfterAll
    void close() {
        if (engine != null) {
            engine.close();
        }
    }

    @BeforeEach
    void forgetRequests() {
        requests.clear();
    }

    // Asking, called and streamed

    /** The answer, after a look at every piece of it. */
    private static String answer(ChatClient.ChatClientRequestSpec request, boolean streamed) {
        if (!streamed) {
            return plain(text(request.call().chatResponse()));
        }
        StringBuilder whole = new StringBuilder();
        for (ChatResponse piece : request.stream().chatResponse().collectList().block()) {
            whole.append(plain(text(piece)));
        }
        return plain(whole.toString());
    }

    private static String text(ChatResponse response) {
        String text = response.getResult() == null
                ? null
                : response.getResult().getOutput().getText();
        return text == null ? "" : text;
    }

    private static String plain(String text) {
        return assertThat(text)
                .doesNotContain("tool_call", "tool_response", "<think", "</think", "<|im_")
                .actual();
    }

    /** What the engine was told of a tool's results. */
    private List<String> results() {
        return requests.getLast().messages().stream()
                .filter(message -> message.role() == ChatMessage.Role.TOOL)
                .map(ChatMessage::content)
                .toList();
    }

    // Tools

    static final class Weather {

        final List<String> asked = new CopyOnWriteArrayList<>();

        @Tool(description = "Get the current weather for a city")
        WeatherReports.Reading getWeather(@ToolParam(description = "the city") String city) {
            asked.add(city);
            return new WeatherReports.Reading(city, 21, "sunny");
        }
    }

    static final class Orders {

        final List<String> asked = new CopyOnWriteArrayList<>();

        @Tool(description = "Get the status of an order")
        String getOrderStatus(@ToolParam(description = "the order id") String orderId) {
            asked.add(orderId);
            return "delivered";
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aToolIsCalledAndItsResultAnswered(boolean streamed) {
        Weather weather = new Weather();
        assertThat(answer(client.prompt(WEATHER_IN_PARIS).tools(weather), streamed))
                .contains("Paris", "sunny", "21");
        assertThat(weather.asked).containsExactly("Paris");
        assertThat(requests).hasSize(2);
    }

    @Test
    void aCallThatIsCutShortIsNotMade() {
        Weather weather = new Weather();
        ChatResponse cut = client.prompt(WEATHER_IN_PARIS)
                .options(BloomeryChatOptions.builder().maxTokens(8))
                .tools(weather)
                .call()
                .chatResponse();
        assertThat(cut.getResult().getMetadata().getFinishReason()).isEqualTo("LENGTH");
        assertThat(cut.getResult().getOutput().getToolCalls()).isEmpty();
        assertThat(weather.asked).isEmpty();
        assertThat(requests).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void ofTwoToolsTheOneThatIsAskedForIsCalled(boolean streamed) {
        Weather weather = new Weather();
        Orders orders = new Orders();
        assertThat(answer(client.prompt("Where is my order A-1042?").tools(weather, orders), streamed))
                .contains("A-1042", "delivered");
        assertThat(orders.asked).containsExactly("A-1042");
        assertThat(weather.asked).isEmpty();
        assertThat(answer(client.prompt("What is the weather in Oslo?").tools(weather, orders), streamed))
                .contains("Oslo", "21");
        assertThat(weather.asked).containsExactly("Oslo");
        assertThat(orders.asked).hasSize(1);
    }

    /** A tool of one shape of result: what the model is told of it, and what of that its answer holds. */
    record Shape(Object tool, String told, List<String> answered) {
        @Override
        public String toString() {
            return tool.getClass().getSimpleName();
        }
    }

    static Stream<Shape> shapes() {
        return Stream.of(
                new Shape(new WeatherReports.Text(), "\"sunny, 21 degrees\"", List.of("sunny", "21")),
                new Shape(
                        new WeatherReports.OfRecord(),
                        "{\"city\":\"Paris\",\"temperature\":21,\"conditions\":\"sunny\"}",
                        List.of("sunny", "21")),
                new Shape(new WeatherReports.OfMap(), "{\"conditions\":\"sunny\"}", List.of("sunny")),
                new Shape(
                        new WeatherReports.OfList(),
                        "[{\"city\":\"Paris\",\"temperature\":21,\"conditions\":\"sunny\"}]",
                        List.of("sunny", "21")),
                // The model was never shown what follows, so the answer may be anything without marks
                new Shape(new WeatherReports.OfNull(), "null", List.of()),
                new Shape(new WeatherReports.Nothing(), "\"Done\"", List.of()),
                new Shape(new WeatherReports.Failing(), "no station in Paris", List.of()));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void resultsOfEveryShapeReachTheModel(Shape shape) {
        for (boolean streamed : new boolean[] {false, true}) {
            requests.clear();
            String answer = answer(client.prompt(WEATHER_IN_PARIS).tools(shape.tool()), streamed);
            assertThat(results()).isNotEmpty().containsOnly(shape.told());
            if (!shape.answered().isEmpty()) {
                assertThat(requests).hasSize(2);
            }
            assertThat(shape.answered()).allSatisfy(part -> assertThat(answer).contains(part));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aResultThatIsReturnedDirectlyIsTheAnswer(boolean streamed) {
        assertThat(answer(client.prompt(WEATHER_IN_PARIS).tools(new WeatherReports.Direct()), streamed))
                .contains("See for yourself in Paris");
        assertThat(requests).hasSize(1);
    }

    // Whether tools are called

    private ChatClient.ChatClientRequestSpec choosing(String question, String choice, Object... tools) {
        return client.prompt(question)
                .options(BloomeryChatOptions.builder().toolChoice(choice))
                .tools(tools);
    }

    @Test
    void toolsAreCalledWhereTheModelLikes() {
        Weather weather = new Weather();
        assertThat(answer(choosing(WEATHER_IN_PARIS, "auto", weather), false)).contains("sunny");
        assertThat(weather.asked).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void noToolIsCalledWhereNoneMay(boolean streamed) {
        Weather weather = new Weather();
        assertThat(answer(choosing(WEATHER_IN_PARIS, "none", weather), streamed))
                .isNotNull();
        assertThat(weather.asked).isEmpty();
        assertThat(requests).hasSize(1);
    }

    enum Day {
        TODAY,
        TOMORROW
    }

    /** Tools whose arguments are short whatever the model makes of them. */
    static final class Bounded {

        final List<Object> asked = new CopyOnWriteArrayList<>();

        @Tool(description = "Get the weather of a day")
        String getForecast(Day day) {
            asked.add(day);
            return "sunny, 21 degrees";
        }

        @Tool(description = "Get the status of an order")
        String getOrder(int number) {
            asked.add(number);
            return "delivered";
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aDemandedCallIsMadeWhateverIsAsked(boolean streamed) {
        Bounded tools = new Bounded();
        answer(choosing("Thanks!", "required", tools), streamed);
        assertThat(tools.asked).isNotEmpty();
        assertThat(results()).hasSize(tools.asked.size());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theNamedToolIsCalledWhateverIsAsked(boolean streamed) {
        for (String name : List.of("getForecast", "getOrder")) {
            Bounded tools = new Bounded();
            answer(choosing("Where is my order 1042, and what is the weather today?", name, tools), streamed);
            assertThat(tools.asked)
                    .isNotEmpty()
                    .first()
                    .isInstanceOf(name.equals("getOrder") ? Integer.class : Day.class);
        }
    }

    // Broken tools

    private static ToolCallback tool(String name, String schema) {
        ToolDefinition definition = ToolDefinition.builder()
                .name(name)
                .description("Get the " + name)
                .inputSchema(schema)
                .build();
        return new ToolCallback() {
            @Override
            public ToolDefinition getToolDefinition() {
                return definition;
            }

            @Override
            public String call(String input) {
                throw new AssertionError("A broken tool was called");
            }
        };
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aToolWithABrokenSchemaSparesTheOthers(boolean streamed) {
        String name = streamed ? "getTides" : "getWind";
        ToolCallback broken = tool(
                name,
                "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\",\"pattern\":\"(\"}},\"required\":[\"city\"]}");
        Weather weather = new Weather();
        List<ToolCallback> tools = new ArrayList<>(List.of(ToolCallbacks.from(weather)));
        tools.add(broken);
        List<String> log = new CopyOnWriteArrayList<>();
        String answer =
                logged(log::add, () -> answer(client.prompt(WEATHER_IN_PARIS).tools(tools.toArray()), streamed));
        assertThat(answer).contains("sunny", "21");
        assertThat(weather.asked).containsExactly("Paris");
        assertThat(log).singleElement().asString().contains("left out", "'" + name + "'", "#/properties/city/pattern");
    }

    /** Runs something while what the engine's chat package logs is looked at. */
    private static <T> T logged(Consumer<String> lines, Supplier<T> work) {
        Logger logger = Logger.getLogger("org.bloomery.engine.chat");
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord line) {
                lines.accept(line.getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        logger.addHandler(handler);
        try {
            return work.get();
        } finally {
            logger.removeHandler(handler);
        }
    }

    // Typed answers

    record Person(String name, int age, String city) {}

    private static final String EMMA = "Extract the data: Emma Rossi is 34 years old and lives in Paris.";

    @Test
    void anAnswerBecomesARecordByThePromptAlone() {
        assertThat(client.prompt(EMMA).call().entity(Person.class)).isEqualTo(new Person("Emma Rossi", 34, "Paris"));
        assertThat(requests.getLast().options().constraint()).isNull();
    }

    @Test
    void anAnswerIsHeldToARecord() {
        Person byAdvisor = client.prompt(EMMA)
                .advisors(AdvisorParams.ENABLE_NATIVE_STRUCTURED_OUTPUT)
                .call()
                .entity(Person.class);
        assertThat(byAdvisor).isNotNull();
        assertThat(requests.getLast().options().constraint()).isNotNull();
        Person bySpec = client.prompt(EMMA).call().entity(Person.class, spec -> spec.useProviderStructuredOutput());
        assertThat(bySpec).isEqualTo(byAdvisor);
    }

    @Test
    void aTypedAnswerMayFollowATool() {
        Weather weather = new Weather();
        WeatherReports.Reading reading = client.prompt(WEATHER_IN_PARIS)
                .tools(weather)
                .call()
                .entity(WeatherReports.Reading.class, spec -> spec.useProviderStructuredOutput());
        assertThat(weather.asked).containsExactly("Paris");
        assertThat(reading).isNotNull();
    }

    // Memory

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aConversationIsRememberedOverThreeTurns(boolean streamed) {
        ChatMemory memory = MessageWindowChatMemory.builder().build();
        ChatClient remembering = client.mutate()
                .defaultAdvisors(MessageChatMemoryAdvisor.builder(memory).build())
                .build();
        List<String> answers = Stream.of("My name is Emma.", "I live in Lisbon.", "What is my name?")
                .map(question -> answer(
                        remembering
                                .prompt(question)
                                .advisors(advisor -> advisor.param(ChatMemory.CONVERSATION_ID, "emma")),
                        streamed))
                .toList();
        assertThat(answers.get(0)).contains("Emma");
        assertThat(answers.get(1)).contains("Lisbon");
        assertThat(answers.get(2)).contains("Emma");
        assertThat(memory.get("emma")).hasSize(6);
    }

    // Retrieval

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aQuestionIsAnsweredFromRetrievedText(boolean streamed) {
        SimpleVectorStore store =
                SimpleVectorStore.builder(new WordCountEmbedding()).build();
        store.add(Stream.of(
                        "The manager of Zumba is Priya Patel.",
                        "The lamp costs 45 euros.",
                        "The kite is purple.",
                        "The office of Rovi is in Lisbon.")
                .map(Document::new)
                .toList());
        QuestionAnswerAdvisor retrieval = QuestionAnswerAdvisor.builder(store)
                .searchRequest(SearchRequest.builder().topK(2).build())
                .build();
        assertThat(answer(client.prompt("What does the lamp cost?").advisors(retrieval), streamed))
                .contains("45 euros");
        assertThat(requests.getLast().messages().getLast().content()).contains("The lamp costs 45 euros.");
        assertThat(answer(client.prompt("Where is the office of Rovi?").advisors(retrieval), streamed))
                .contains("Lisbon");
    }
}
