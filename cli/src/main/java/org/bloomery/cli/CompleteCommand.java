package org.bloomery.cli;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.bloomery.engine.Completion;
import org.bloomery.engine.CompletionRequest;
import org.bloomery.engine.Engine;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.TextSpan;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Continues a text as it stands, without a chat template. */
@Command(
        name = "complete",
        mixinStandardHelpOptions = true,
        description = "Continues a prompt and writes the continuation to standard output as it comes.")
final class CompleteCommand implements Callable<Integer> {

    @Mixin
    ModelOptions model = new ModelOptions();

    @Mixin
    SamplingArguments sampling = new SamplingArguments();

    @ArgGroup(multiplicity = "1")
    Prompt prompt = new Prompt();

    static final class Prompt {
        @Option(names = "--prompt", paramLabel = "TEXT", description = "The text to continue.")
        @Nullable
        String text;

        @Option(names = "--file", paramLabel = "FILE", description = "The file whose text to continue (UTF-8).")
        @Nullable
        Path file;
    }

    @Option(names = "--parse-special", description = "Recognise control tokens written in the prompt.")
    boolean parseSpecial;

    @Option(
            names = "--context-length",
            defaultValue = "0",
            paramLabel = "N",
            description = "Tokens of prompt and answer; 0 for the smaller of the model's own and 8192.")
    int contextLength;

    @Override
    public Integer call() {
        String text = prompt.file != null ? TextFile.read(prompt.file) : String.valueOf(prompt.text);
        TextSpan span = new TextSpan(text, parseSpecial);
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try (Engine engine = model.open(contextLength)) {
            Completion completion =
                    engine.generate(new CompletionRequest(List.of(span), sampling.options()), printingTo(out));
            if (Progress.onTerminal()) {
                out.println();
            }
            System.err.println(summary(completion));
            return 0;
        }
    }

    static GenerationSink printingTo(PrintStream out) {
        return new GenerationSink() {
            @Override
            public boolean onText(String delta) {
                out.print(delta);
                // A reader that went away, such as `head`, ends the answer.
                return !out.checkError();
            }
        };
    }

    static String summary(Completion completion) {
        return String.format(
                Locale.ROOT,
                "%d + %d tokens (%d cached), first after %d ms, then %.1f tokens a second, ended by %s",
                completion.usage().promptTokens(),
                completion.usage().completionTokens(),
                completion.usage().cachedTokens(),
                completion.timings().timeToFirstToken().toMillis(),
                completion.timings().decodeTokensPerSecond(completion.usage().completionTokens()),
                completion.finishReason());
    }
}
