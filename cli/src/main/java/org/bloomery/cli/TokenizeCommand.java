package org.bloomery.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.tokenizer.Tokenizer;
import org.bloomery.engine.tokenizer.Tokenizers;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Text to token ids. */
@Command(
        name = "tokenize",
        mixinStandardHelpOptions = true,
        description = "Writes the token ids of a text as a JSON array.")
final class TokenizeCommand implements Callable<Integer> {

    @Option(
            names = "--model",
            required = true,
            paramLabel = "FILE",
            description = "A GGUF file with a vocabulary; weights are not needed.")
    Path model = Path.of("");

    @ArgGroup(multiplicity = "1")
    Input input = new Input();

    static final class Input {
        @Option(names = "--file", paramLabel = "FILE", description = "The file whose text to tokenise (UTF-8).")
        @Nullable
        Path file;

        @Option(names = "--text", paramLabel = "TEXT", description = "The text to tokenise.")
        @Nullable
        String text;
    }

    @Option(names = "--parse-special", description = "Recognise control tokens written in the text.")
    boolean parseSpecial;

    @Option(names = "--add-special", description = "Add the begin and end tokens that the model asks for.")
    boolean addSpecial;

    @Override
    public Integer call() {
        String text = input.file != null ? TextFile.read(input.file) : String.valueOf(input.text);
        try (ModelFile file = GgufReader.open(model, LoadMode.MAP)) {
            Tokenizer tokenizer = Tokenizers.from(file.metadata());
            int[] ids = tokenizer.encode(text, parseSpecial, addSpecial);
            System.out.println(Arrays.toString(ids).replace(" ", ""));
            return 0;
        }
    }
}
