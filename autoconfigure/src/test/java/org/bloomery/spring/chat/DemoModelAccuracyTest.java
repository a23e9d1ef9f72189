package org.bloomery.spring.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.CompletionRequest;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ChatFormat;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.sampling.SamplingOptions;
import org.bloomery.spring.chat.DemoDialogues.Call;
import org.bloomery.spring.chat.DemoDialogues.Dialogue;
import org.bloomery.spring.chat.DemoDialogues.Kind;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * How often the demo model is right, on fresh dialogues of each kind, with greedy sampling: once with nothing but its prompt,
 * once held to the tools' schemas or to that of the answer. Prints the table of docs/demo-model.md; ten dialogues of each
 * kind, or with {@code -Dbloomery.soak=true} a hundred.
 */
@NullUnmarked // What is null unexpectedly fails a test anyway.
class DemoModelAccuracyTest {

    private static final Path MODEL = Path.of(System.getProperty("bloomery.demo.model"));
    private static final int COUNT = Boolean.getBoolean("bloomery.soak") ? 100 : 10;
    private static final long SEED = 2026;
    private static final GenerationOptions GREEDY =
            GenerationOptions.DEFAULT.withSampling(SamplingOptions.GREEDY).withMaxTokens(150);
    private static final Pattern CALL = Pattern.compile("\\s*<tool_call>(.*)</tool_call>\\s*", Pattern.DOTALL);

    private record Score(int free, int held) {}

    @Test
    void answersMostDialoguesOfEachKindRight() throws Exception {
        Map<Kind, Score> scores = new EnumMap<>(Kind.class);
        try (Engine engine =
                Engine.open(EngineOptions.builder(MODEL).backend("java").build(), LoadProgress.NONE)) {
            ChatFormat format = ChatFormat.of(template(), engine.tokenizer());
            for (Kind kind : Kind.values()) {
                List<Dialogue> dialogues = DemoDialogues.of(kind, COUNT, SEED);
                int free = right(dialogues, dialogue -> rightFree(engine, format, dialogue));
                int held = kind.constrainable() ? right(dialogues, dialogue -> rightHeld(engine, dialogue)) : free;
                scores.put(kind, new Score(free, held));
            }
        }
        print(scores);
        assertThat(scores).allSatisfy((kind, score) -> {
            assertThat(score.held()).as(kind.title).isGreaterThanOrEqualTo(COUNT * floor(kind) / 100);
        });
    }

    /** Percent that must be right, well below what was measured: a broken template or a wrong mask costs more. */
    private static int floor(Kind kind) {
        return switch (kind) {
            case COUNT, NOT_IN_CONTEXT -> 0;
            default -> 60;
        };
    }

    private static void print(Map<Kind, Score> scores) {
        StringBuilder table = new StringBuilder("Seed " + SEED + ", " + COUNT + " dialogues of each kind\n\n"
                + "| kind | right by the prompt alone | right, held to the schema |\n|---|---|---|\n");
        scores.forEach((kind, score) -> table.append(String.format(
                Locale.ROOT,
                "| %s | %d | %s |%n",
                kind.title,
                score.free(),
                kind.constrainable() ? score.held() : "")));
        System.out.println(table);
    }

    private static int right(List<Dialogue> dialogues, Predicate<Dialogue> answered) throws Exception {
        try (ExecutorService callers = Executors.newFixedThreadPool(8)) {
            List<Callable<Boolean>> calls = new ArrayList<>();
            dialogues.forEach(dialogue -> calls.add(() -> answered.test(dialogue)));
            int right = 0;
            for (Future<Boolean> call : callers.invokeAll(calls)) {
                right += call.get() ? 1 : 0;
            }
            return right;
        }
    }

    /** With the engine's own path: calls are held to the tools' schemas, and an answer to its schema. */
    private static boolean rightHeld(Engine engine, Dialogue dialogue) {
        GenerationOptions options = dialogue.schema() == null
                ? GREEDY
                : GREEDY.withConstraint(new Constraint.JsonSchema(dialogue.schema()));
        List<ChatMessage> messages = new ArrayList<>(dialogue.beginning());
        String answer = "";
        for (String question : dialogue.questions()) {
            messages.add(ChatMessage.user(question));
            Completion completion =
                    engine.generate(new ChatRequest(messages, dialogue.tools(), options), GenerationSink.NONE);
            Call wanted = dialogue.call();
            if (wanted != null) {
                if (completion.toolCalls().size() != 1
                        || !isRight(wanted, completion.toolCalls().getFirst())) {
                    return false;
                }
                messages.add(ChatMessage.assistant("", null, completion.toolCalls()));
                messages.add(
                        ChatMessage.toolResult(completion.toolCalls().getFirst().id(), wanted.tool(), wanted.result()));
                completion = engine.generate(new ChatRequest(messages, dialogue.tools(), options), GenerationSink.NONE);
            }
            answer = completion.text();
            messages.add(ChatMessage.assistant(answer));
        }
        return dialogue.right().test(answer);
    }

    /** With the same prompts, but as texts that are continued, which nothing holds. */
    private static boolean rightFree(Engine engine, ChatFormat format, Dialogue dialogue) {
        List<ChatMessage> messages = new ArrayList<>(dialogue.beginning());
        String answer = "";
        for (String question : dialogue.questions()) {
            messages.add(ChatMessage.user(question));
            answer = continued(engine, format, dialogue, messages);
            Call wanted = dialogue.call();
            if (wanted != null) {
                ToolCall call = call(answer);
                if (call == null || !isRight(wanted, call)) {
                    return false;
                }
                messages.add(ChatMessage.assistant("", null, List.of(call)));
                messages.add(ChatMessage.toolResult(call.id(), wanted.tool(), wanted.result()));
                answer = continued(engine, format, dialogue, messages);
            }
            messages.add(ChatMessage.assistant(answer));
        }
        return dialogue.right().test(answer);
    }

    private static String continued(Engine engine, ChatFormat format, Dialogue dialogue, List<ChatMessage> messages) {
        return engine.generate(
                        new CompletionRequest(format.prompt(messages, dialogue.tools(), Map.of()), GREEDY),
                        GenerationSink.NONE)
                .text();
    }

    private static @Nullable ToolCall call(String answer) {
        Matcher call = CALL.matcher(answer);
        Map<String, Object> object = call.matches() ? Json.object(call.group(1)) : null;
        return object != null
                        && object.get("name") instanceof String name
                        && object.get("arguments") instanceof Map<?, ?> map
                ? new ToolCall("call", name, Json.text(map))
                : null;
    }

    private static boolean isRight(Call wanted, ToolCall call) {
        return call.name().equals(wanted.tool()) && wanted.arguments().equals(Json.object(call.arguments()));
    }

    private static String template() {
        try (ModelFile file = GgufReader.open(MODEL, LoadMode.MAP)) {
            return file.metadata().string("tokenizer.chat_template");
        }
    }
}
