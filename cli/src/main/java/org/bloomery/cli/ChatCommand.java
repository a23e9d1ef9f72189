package org.bloomery.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.ContextLengthExceededException;
import org.bloomery.engine.Engine;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.Thinking;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A conversation in the terminal: each line of standard input is a turn. */
@Command(
        name = "chat",
        mixinStandardHelpOptions = true,
        description = {
            "Talks with a model: each line is a turn, the answer streams to standard output.",
            "/new begins a new conversation, /exit or the end of input leaves."
        })
final class ChatCommand implements Callable<Integer> {

    @Mixin
    ModelOptions model = new ModelOptions();

    @Mixin
    SamplingArguments sampling = new SamplingArguments();

    @Option(names = "--system", paramLabel = "TEXT", description = "The system message.")
    @Nullable
    String system;

    @Option(names = "--message", paramLabel = "TEXT", description = "Asks this once and leaves.")
    @Nullable
    String message;

    @Option(
            names = "--context-length",
            defaultValue = "0",
            paramLabel = "N",
            description = "Tokens of a conversation; 0 for the smaller of the model's own and 8192.")
    int contextLength;

    @Option(
            names = "--thinking",
            defaultValue = "auto",
            paramLabel = "on|off|auto",
            description = "Whether the model thinks before it answers (default: ${DEFAULT-VALUE}).")
    Thinking.Mode thinking = Thinking.Mode.AUTO;

    @Option(
            names = "--thinking-budget",
            paramLabel = "N",
            description = "Most tokens of thinking, after which the model is made to answer.")
    @Nullable
    Integer thinkingBudget;

    private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    @Override
    public Integer call() throws IOException {
        try (Engine engine = model.open(contextLength)) {
            if (message != null) {
                answer(engine, opening(), message);
                return 0;
            }
            engine.report().forEach(System.err::println);
            converse(engine, new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
            return 0;
        }
    }

    private void converse(Engine engine, BufferedReader in) throws IOException {
        List<ChatMessage> conversation = opening();
        while (true) {
            System.err.print("> ");
            System.err.flush();
            String line = in.readLine();
            if (line == null || line.equals("/exit")) {
                return;
            }
            if (line.equals("/new")) {
                conversation = opening();
            } else if (!line.isBlank()) {
                try {
                    answer(engine, conversation, line);
                } catch (ContextLengthExceededException e) {
                    conversation.removeLast();
                    System.err.println(e.getMessage() + " /new begins a new conversation.");
                }
            }
        }
    }

    private List<ChatMessage> opening() {
        List<ChatMessage> conversation = new ArrayList<>();
        if (system != null) {
            conversation.add(ChatMessage.system(system));
        }
        return conversation;
    }

    private void answer(Engine engine, List<ChatMessage> conversation, String question) {
        conversation.add(ChatMessage.user(question));
        Completion completion = engine.generate(
                new ChatRequest(conversation, sampling.options()).withThinking(new Thinking(thinking, thinkingBudget)),
                CompleteCommand.printingTo(out));
        out.println();
        System.err.println(CompleteCommand.summary(completion));
        conversation.add(ChatMessage.assistant(completion.text(), completion.reasoning(), completion.toolCalls()));
    }
}
