package org.bloomery.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.bloomery.engine.audit.AuditVerifier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Audit files. */
@Command(
        name = "audit",
        mixinStandardHelpOptions = true,
        description = "Checks audit files.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = AuditCommand.Verify.class)
final class AuditCommand {

    /** Whether a file is as it was written. */
    @Command(
            name = "verify",
            mixinStandardHelpOptions = true,
            description = "Says whether the chain of an audit file holds, or where it breaks and why.",
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {" 0:Intact", " 1:Broken, or not to be read", " 2:Wrong usage"})
    static final class Verify implements Callable<Integer> {

        @Parameters(paramLabel = "FILE", description = "An audit file.")
        Path file = Path.of("");

        @Option(
                names = "--contains",
                paramLabel = "HASH",
                description = "A hash noted earlier that a record must have: tells that the end was not cut off.")
        @Nullable
        String hash;

        @Override
        public Integer call() {
            AuditVerifier.Report report = AuditVerifier.verify(file, hash);
            AuditVerifier.Problem problem = report.problem();
            if (problem != null) {
                System.err.println("Audit file " + file + " is broken: line " + problem.line() + ", at byte "
                        + problem.offset() + ", " + problem.reason() + "; the " + report.records()
                        + " records before it hold.");
                return Main.FAILED;
            }
            if (!report.sought()) {
                System.err.println("Audit file " + file + " was cut off or replaced: its " + report.records()
                        + " records hold, but none has the hash " + hash + ".");
                return Main.FAILED;
            }
            System.out.println("Audit file " + file + " is intact: " + report.records()
                    + " records, the last with the hash " + report.lastHash() + ".");
            return 0;
        }
    }
}
