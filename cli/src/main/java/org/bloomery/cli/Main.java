package org.bloomery.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.template.TemplateException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line's root. */
@Command(
        name = "bloomery",
        mixinStandardHelpOptions = true,
        version = "bloomery 0.1.0",
        description = "Runs language models from GGUF files, in Java.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            ChatCommand.class,
            CompleteCommand.class,
            BenchCommand.class,
            InspectCommand.class,
            TokenizeCommand.class,
            LogitsCommand.class,
            RenderCommand.class,
            SynthCommand.class,
            AuditCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            " 0:Done",
            " 1:Failed, with the reason on standard error",
            " 2:Wrong usage",
            " 3:Refused by the chat template"
        })
public final class Main {

    static final int FAILED = 1;
    static final int REFUSED_BY_TEMPLATE = 3;

    private Main() {}

    /** Runs one command and ends the process with its exit code. */
    public static void main(String[] args) throws IOException, InterruptedException {
        int code = VectorModule.isNeededBy(args)
                ? VectorModule.runAgainWith(args)
                : commandLine().execute(args);
        System.exit(code);
    }

    static CommandLine commandLine() {
        return new CommandLine(new Main())
                .setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler(Main::report);
    }

    private static int report(Exception e, CommandLine command, CommandLine.ParseResult parsed) throws Exception {
        if (e instanceof EngineException || e instanceof UncheckedIOException || e instanceof IOException) {
            command.getErr().println(e.getMessage());
            return e instanceof TemplateException ? REFUSED_BY_TEMPLATE : FAILED;
        }
        throw e;
    }
}
