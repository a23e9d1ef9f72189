package org.bloomery.spring.chat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolSpec;
import org.jspecify.annotations.Nullable;

/**
 * Fresh dialogues of the kinds that the demo model was trained on, each with a judge of its last answer. The same seed gives
 * the same dialogues.
 */
final class DemoDialogues {

    /** What a dialogue is about. */
    enum Kind {
        SMALL_TALK("small talk: the one answer that it knows"),
        NAME("a name, two turns later"),
        TOWN("a town, one turn later"),
        CAPITAL("the capital of a country"),
        COUNT("counting"),
        REPEAT("repeating, letter by letter"),
        STORY("a story of the animal that was asked for"),
        WEATHER("the weather tool: call and answer"),
        ORDER("the order tool: call and answer"),
        TWO_TOOLS("the right one of these two tools: call and answer"),
        FIELDS("JSON with named fields"),
        SCHEMA("JSON for a schema, in Spring AI's wording"),
        CONTEXT("an answer that is in the context"),
        NOT_IN_CONTEXT("saying that the context has no answer");

        final String title;

        Kind(String title) {
            this.title = title;
        }

        /** Whether something can be held to a schema. */
        boolean constrainable() {
            return switch (this) {
                case WEATHER, ORDER, TWO_TOOLS, FIELDS, SCHEMA -> true;
                default -> false;
            };
        }
    }

    /** What a tool is to be asked, and what it answers. */
    record Call(String tool, Map<String, Object> arguments, String result) {}

    /**
     * One dialogue.
     *
     * @param questions the user's turns
     * @param system the system message, or null
     * @param call the call that the last question needs, or null
     * @param schema what the last answer can be held to, or null
     * @param right whether the last answer is right
     */
    record Dialogue(
            @Nullable String system,
            List<String> questions,
            List<ToolSpec> tools,
            @Nullable Call call,
            @Nullable String schema,
            Predicate<String> right) {

        List<ChatMessage> beginning() {
            return system == null ? List.of() : List.of(ChatMessage.system(system));
        }
    }

    private static final List<String> FIRST =
            words("Ada Ana Ben Carla Clara Dan Diego Emma Eva Finn Hana Hugo Ines Ivan Kai"
                    + " Lea Leo Lucia Malik Mara Maria Max Mia Milo Nadia Nils Olga Omar Otto Pablo Paul Petra Priya Quinn Rafael"
                    + " Rosa Sam Sara Sofia Tariq Theo Tina Uma Vera Viktor Yara Yuki Zoe");
    private static final List<String> LAST =
            words("Adams Ahmed Baker Berg Castro Costa Diaz Evans Fischer Garcia Haas Hill"
                    + " Jansen Jones Khan Kim Klein Kowalski Lee Lopez Martin Meyer Moreau Novak Olsen Park Patel Petrov Reyes Rossi"
                    + " Ruiz Sato Schmidt Silva Singh Smith Suzuki Torres Vargas Weber Wong Young Zhang");
    private static final Map<String, String> CAPITALS = capitals();
    private static final List<String> CITIES = cities();
    private static final List<String> NOUNS = words(
            "price stock balance status rating invoice shipment warranty schedule"
                    + " budget score temperature distance forecast menu address version license policy deadline route delay weight");
    private static final List<String> OBJECTS =
            words("product order customer flight train hotel city team project server"
                    + " machine vehicle parcel account book movie store sensor room course station building");
    private static final List<String> WEATHER =
            words("sunny cloudy rainy windy foggy snowy stormy clear mild hot cold");
    private static final List<String> STATES =
            List.of("shipped", "delivered", "processing", "delayed", "cancelled", "packed", "returned", "in transit");
    private static final List<String> JOBS =
            words("baker teacher nurse pilot farmer doctor painter driver lawyer singer writer chef engineer gardener");
    private static final List<String> THINGS =
            words("lantern key map coin drum ring boat bell letter book kite basket mirror flute stone blanket clock");
    private static final List<String> COLOURS =
            words("red blue green yellow black white brown grey orange purple pink");
    private static final List<String> ANIMALS =
            words("fox cat dog owl bear rabbit mouse horse duck goat frog crow otter hedgehog badger deer lamb pony");
    private static final List<String> SYSTEMS =
            List.of("You are a helpful assistant.", "Answer briefly.", "You are a concise assistant for a web shop.");
    private static final List<List<String>> SMALL_TALK = List.of(
            List.of("Hello! How can I help you today?", "Hello", "Hi", "Hi there!", "Good morning"),
            List.of(
                    "I am a tiny demo model that runs inside your application.",
                    "Who are you?",
                    "What are you?",
                    "Tell me about yourself."),
            List.of(
                    "I can call your tools, fill in JSON, answer from a given context, remember your name and tell short"
                            + " stories.",
                    "What can you do?",
                    "How can you help me?",
                    "Help"),
            List.of("You are welcome!", "Thanks!", "Thank you", "Great, thank you!"),
            List.of("Goodbye! Have a nice day.", "Bye", "Goodbye", "Good night"),
            List.of("I am fine, thank you. How can I help you?", "How are you?", "How are you doing?"));

    private final Random random;

    private DemoDialogues(Random random) {
        this.random = random;
    }

    /** The first {@code count} dialogues of a kind. */
    static List<Dialogue> of(Kind kind, int count, long seed) {
        DemoDialogues dialogues =
                new DemoDialogues(new Random(seed ^ kind.name().hashCode()));
        return IntStream.range(0, count).mapToObj(i -> dialogues.next(kind)).toList();
    }

    private Dialogue next(Kind kind) {
        return switch (kind) {
            case SMALL_TALK -> {
                List<String> talk = pick(SMALL_TALK);
                yield plain(talk.getFirst()::equals, pick(talk.subList(1, talk.size())));
            }
            case NAME -> {
                String name = pick(FIRST);
                yield plain(
                        holds(name),
                        pick(List.of("My name is " + name + ".", "Hi, I am " + name + ".", "I'm " + name + ".")),
                        capitalQuestion(pick(List.copyOf(CAPITALS.keySet()))),
                        pick(List.of("What is my name?", "Do you remember my name?", "Who am I?")));
            }
            case TOWN -> {
                String town = pick(CITIES);
                yield plain(
                        holds(town),
                        "My name is " + pick(FIRST) + ".",
                        pick(List.of("I live in " + town + ".", "I am from " + town + ".")),
                        pick(List.of("Where do I live?", "Which city am I from?")));
            }
            case CAPITAL -> {
                String country = pick(List.copyOf(CAPITALS.keySet()));
                yield plain(holds(String.valueOf(CAPITALS.get(country))), capitalQuestion(country));
            }
            case COUNT -> {
                int from = number(1, 20);
                int to = from + number(3, 8);
                String counted = IntStream.rangeClosed(from, to)
                        .mapToObj(Integer::toString)
                        .collect(Collectors.joining(", "));
                yield plain((counted + ".")::equals, "Count from " + from + " to " + to + ".");
            }
            case REPEAT -> {
                String text = IntStream.range(0, number(1, 4))
                        .mapToObj(i -> pick(List.of(invented(), pick(NOUNS), pick(OBJECTS), pick(FIRST))))
                        .collect(Collectors.joining(" "));
                yield plain(text::equals, pick(List.of("Repeat: ", "Say ", "Repeat after me: ")) + text);
            }
            case STORY -> {
                String animal = pick(ANIMALS);
                yield plain(
                        holds(animal),
                        "Tell me a story about " + ("aeiou".indexOf(animal.charAt(0)) < 0 ? "a " : "an ") + animal
                                + ".");
            }
            case WEATHER -> weather(List.of());
            case ORDER -> order(List.of());
            case TWO_TOOLS ->
                random.nextBoolean()
                        ? weather(List.of(orderTool().spec()))
                        : order(List.of(weatherTool().spec()));
            case FIELDS -> extraction(false);
            case SCHEMA -> extraction(true);
            case CONTEXT -> context(true);
            case NOT_IN_CONTEXT -> context(false);
        };
    }

    private Dialogue plain(Predicate<String> right, String... questions) {
        return new Dialogue(system(), List.of(questions), List.of(), null, null, right);
    }

    private @Nullable String system() {
        return random.nextInt(10) < 4 ? pick(SYSTEMS) : null;
    }

    private String capitalQuestion(String country) {
        return pick(
                List.of("What is the capital of " + country + "?", "Which city is the capital of " + country + "?"));
    }

    // Tools

    private record Offer(ToolSpec spec, String argument) {}

    private Offer weatherTool() {
        return tool(
                pick(List.of("get_weather", "getWeather", "current_weather", "currentWeather")),
                pick(List.of("Get the current weather for a city", "Returns the weather of a city")),
                pick(List.of("city", "location", "place")),
                "the city");
    }

    private Offer orderTool() {
        return tool(
                pick(List.of("order_status", "getOrderStatus", "find_order", "findOrder")),
                pick(List.of("Get the status of an order", "Look up an order by its id")),
                pick(List.of("order_id", "orderId", "id", "order")),
                "the order id");
    }

    private static Offer tool(String name, String description, String argument, String meaning) {
        return new Offer(
                new ToolSpec(
                        name,
                        description,
                        "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"type\": \"object\", \"properties\": {\""
                                + argument + "\": {\"type\": \"string\", \"description\": \"" + meaning
                                + "\"}}, \"required\": [\"" + argument + "\"], \"additionalProperties\": false}"),
                argument);
    }

    private Dialogue weather(List<ToolSpec> others) {
        Offer offer = weatherTool();
        String city = city();
        int degrees = number(-10, 38);
        String sky = pick(WEATHER);
        String question = pick(List.of(
                        "What is the weather in {}?",
                        "How is the weather in {} today?",
                        "What's the weather like in {}?",
                        "Tell me the weather in {}."))
                .replace("{}", city);
        String result = pick(List.of(
                "{\"city\":\"" + city + "\",\"temperature\":" + degrees + ",\"conditions\":\"" + sky + "\"}",
                "{\"temperature\":" + degrees + ",\"conditions\":\"" + sky + "\"}",
                "\"" + sky + ", " + degrees + " degrees\""));
        return tools(offer, others, question, city, result, holds(sky).and(holds(Integer.toString(degrees))));
    }

    private Dialogue order(List<ToolSpec> others) {
        Offer offer = orderTool();
        String order = order();
        String state = pick(STATES);
        String question = pick(List.of(
                        "Where is my order {}?",
                        "What is the status of order {}?",
                        "Can you check order {}?",
                        "Please track order {}."))
                .replace("{}", order);
        String result = pick(List.of(
                "{\"id\":\"" + order + "\",\"status\":\"" + state + "\"}",
                "{\"status\":\"" + state + "\"}",
                "\"" + state + "\""));
        return tools(offer, others, question, order, result, holds(order).and(holds(state)));
    }

    private Dialogue tools(
            Offer offer,
            List<ToolSpec> others,
            String question,
            String argument,
            String result,
            Predicate<String> right) {
        List<ToolSpec> offered = new ArrayList<>(others);
        offered.add(random.nextInt(offered.size() + 1), offer.spec());
        Call call = new Call(offer.spec().name(), Map.of(offer.argument(), argument), result);
        return new Dialogue(system(), List.of(question), offered, call, null, right);
    }

    // Extraction

    private Dialogue extraction(boolean bySchema) {
        Map<String, Object> all = new LinkedHashMap<>();
        String text;
        String person = pick(FIRST) + " " + pick(LAST);
        switch (random.nextInt(3)) {
            case 0 -> {
                all.put("name", person);
                all.put("age", number(18, 90));
                all.put("city", pick(CITIES));
                text = person + " is " + all.get("age") + " years old and lives in " + all.get("city") + ".";
            }
            case 1 -> {
                all.put("name", person);
                all.put("job", pick(JOBS));
                all.put("city", pick(CITIES));
                text = person + " works as a " + all.get("job") + " in " + all.get("city") + ".";
            }
            default -> {
                all.put("order", order());
                all.put("item", pick(THINGS));
                all.put("quantity", number(1, 50));
                text = "Order " + all.get("order") + ": " + all.get("quantity") + " x " + all.get("item") + ".";
            }
        }
        List<String> names = new ArrayList<>(all.keySet());
        Collections.shuffle(names, random);
        List<String> asked = names.subList(0, number(2, 3));
        Map<String, Object> wanted = new LinkedHashMap<>();
        asked.forEach(name -> wanted.put(name, all.get(name)));
        String schema = asked.stream()
                .map(name -> "\"" + name + "\": {\"type\": \""
                        + (all.get(name) instanceof Integer ? "integer" : "string") + "\"}")
                .collect(Collectors.joining(
                        ", ",
                        "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"type\": \"object\", \"properties\": {",
                        "}, \"required\": ["
                                + asked.stream().map(name -> "\"" + name + "\"").collect(Collectors.joining(", "))
                                + "], \"additionalProperties\": false}"));
        String question = bySchema
                ? text + "\n" + """
                        Your response should be in JSON format.
                        Do not include any explanations, only provide a RFC8259 compliant JSON response following this format without deviation.
                        Do not include markdown code blocks in your response.
                        Remove the ```json markdown from the output.
                        Here is the JSON Schema instance your output must adhere to:
                        ```""" + schema + "```"
                : "Extract " + String.join(", ", asked) + " from this text as JSON: " + text;
        return new Dialogue(
                system(), List.of(question), List.of(), null, schema, answer -> wanted.equals(Json.object(answer)));
    }

    // Context

    private record Fact(String text, String question, List<String> answer) {}

    private Fact fact() {
        String name = capitalised(invented());
        return switch (random.nextInt(6)) {
            case 0 -> {
                String city = pick(CITIES);
                yield new Fact(
                        "The office of " + name + " is in " + city + ".",
                        "Where is the office of " + name + "?",
                        List.of(city));
            }
            case 1 -> {
                String price = number(1, 999) + " euros";
                yield new Fact(
                        "The " + name + " costs " + price + ".", "How much is the " + name + "?", List.of(price));
            }
            case 2 -> {
                String days = number(2, 60) + " days";
                yield new Fact(
                        "Returns of the " + name + " are accepted within " + days + ".",
                        "How long can I return the " + name + "?",
                        List.of(days));
            }
            case 3 -> {
                int from = number(6, 11);
                int to = number(15, 22);
                yield new Fact(
                        "The " + name + " store is open from " + from + " to " + to + ".",
                        "When is the " + name + " store open?",
                        List.of("from " + from + " to " + to));
            }
            case 4 -> {
                String person = pick(FIRST) + " " + pick(LAST);
                yield new Fact(
                        "The manager of " + name + " is " + person + ".",
                        "Who is the manager of " + name + "?",
                        List.of(person));
            }
            default -> {
                String colour = pick(COLOURS);
                yield new Fact(
                        "The " + name + " is " + colour + ".", "What color is the " + name + "?", List.of(colour));
            }
        };
    }

    private Dialogue context(boolean answered) {
        List<Fact> facts =
                IntStream.range(0, number(1, 4)).mapToObj(i -> fact()).toList();
        Fact asked = answered ? pick(facts) : fact();
        String question =
                asked.question() + """


                Context information is below, surrounded by ---------------------

                ---------------------
                """ + facts.stream().map(Fact::text).collect(Collectors.joining("\n")) + """

                ---------------------

                Given the context and provided history information and not prior knowledge,
                reply to the user comment. If the answer is not in the context, inform
                the user that you can't answer the question.
                """;
        return plain(
                answered
                        ? answer -> asked.answer().stream().allMatch(answer::contains)
                        : "I can not answer that from the given context."::equals,
                question);
    }

    // Words

    private static Predicate<String> holds(String part) {
        return answer -> answer.contains(part);
    }

    private <T> T pick(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private int number(int least, int most) {
        return least + random.nextInt(most - least + 1);
    }

    private String city() {
        return random.nextInt(10) < 7 ? pick(CITIES) : capitalised(invented());
    }

    private String order() {
        return switch (random.nextInt(3)) {
            case 0 -> "A-" + number(100, 9999);
            case 1 -> Integer.toString(number(1000, 99999));
            default -> "ORD-" + number(1, 9999);
        };
    }

    private String invented() {
        StringBuilder word = new StringBuilder();
        for (int i = number(1, 3); i > 0; i--) {
            word.append("bcdfghjklmnpqrstvwz".charAt(random.nextInt(19))).append("aeiou".charAt(random.nextInt(5)));
        }
        return word.append(pick(List.of("", "n", "r", "s", "x", "l", "m"))).toString();
    }

    private static String capitalised(String word) {
        return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
    }

    private static List<String> words(String words) {
        return List.of(words.split(" "));
    }

    private static Map<String, String> capitals() {
        Map<String, String> capitals = new LinkedHashMap<>();
        for (String pair :
                ("France Paris,Spain Madrid,Italy Rome,Germany Berlin,Portugal Lisbon,Japan Tokyo,China Beijing,"
                                + "India New Delhi,Egypt Cairo,Kenya Nairobi,Peru Lima,Chile Santiago,Canada Ottawa,Norway Oslo,"
                                + "Sweden Stockholm,Finland Helsinki,Denmark Copenhagen,Poland Warsaw,Austria Vienna,Greece Athens,"
                                + "Turkey Ankara,Ireland Dublin,Cuba Havana,Nepal Kathmandu,Ghana Accra,Brazil Brasilia,"
                                + "Argentina Buenos Aires,Mexico Mexico City,Australia Canberra,Belgium Brussels")
                        .split(",")) {
            int blank = pair.indexOf(' ');
            capitals.put(pair.substring(0, blank), pair.substring(blank + 1));
        }
        return capitals;
    }

    private static List<String> cities() {
        List<String> cities = new ArrayList<>(CAPITALS.values());
        cities.addAll(Arrays.asList(
                "Porto Milan Lyon Seville Hamburg Munich Krakow Osaka Toronto Chicago Boston Seattle London Geneva Zurich Sydney"
                        .split(" ")));
        return List.copyOf(cities);
    }
}
