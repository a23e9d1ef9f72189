package org.bloomery.cli;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.TemporalAccessor;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.template.Template;
import org.bloomery.engine.template.TemplateException;
import org.bloomery.engine.template.Value;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A chat template alone: what prompt a context gives. */
@Command(
        name = "render",
        mixinStandardHelpOptions = true,
        description = {
            "Renders a chat template as it stands and writes the text, without a newline of its own.",
            "Ends with 3 and the message on standard error where the template refuses."
        })
final class RenderCommand implements Callable<Integer> {

    /** A date, a time of any precision, an offset with or without colon. */
    private static final DateTimeFormatter ISO = new DateTimeFormatterBuilder()
            .append(DateTimeFormatter.ISO_LOCAL_DATE)
            .optionalStart()
            .appendLiteral('T')
            .append(DateTimeFormatter.ISO_LOCAL_TIME)
            .optionalStart()
            .appendOffset("+HH:MM", "Z")
            .optionalEnd()
            .optionalStart()
            .appendOffset("+HHMM", "Z")
            .toFormatter(Locale.ROOT);

    @Option(names = "--template", required = true, paramLabel = "FILE", description = "The template (Jinja, UTF-8).")
    Path template = Path.of("");

    @Option(
            names = "--context",
            required = true,
            paramLabel = "FILE",
            description = "The JSON object handed to the template: messages, tools, add_generation_prompt and so on.")
    Path context = Path.of("");

    @Option(
            names = "--now",
            paramLabel = "ISO",
            description = "What strftime_now reads: an ISO 8601 date, or date and time with or without offset"
                    + " (default: the clock).")
    @Nullable
    String now;

    @Override
    public Integer call() {
        Clock clock = now == null ? Clock.system(ZoneId.systemDefault()) : fixed(now);
        Map<String, Value> variables = variables();
        StringBuilder text = new StringBuilder();
        for (TextSpan span : Template.parse(TextFile.read(template)).render(variables, clock)) {
            text.append(span.text());
        }
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        out.print(text);
        out.flush();
        return 0;
    }

    /** A context that is no JSON object is no refusal by the template. */
    private Map<String, Value> variables() {
        try {
            return Value.variables(TextFile.read(context));
        } catch (TemplateException e) {
            throw new EngineException("File " + context + " is no context: " + e.getMessage(), e);
        }
    }

    private static Clock fixed(String iso) {
        try {
            TemporalAccessor time =
                    ISO.parseBest(iso.replace(' ', 'T'), OffsetDateTime::from, LocalDateTime::from, LocalDate::from);
            ZonedDateTime moment = switch (time) {
                case OffsetDateTime offset -> offset.toZonedDateTime();
                case LocalDateTime local -> local.atZone(ZoneId.systemDefault());
                case LocalDate date -> date.atStartOfDay(ZoneId.systemDefault());
                default -> throw new IllegalStateException("Time of " + time.getClass());
            };
            return Clock.fixed(moment.toInstant(), moment.getZone());
        } catch (DateTimeException e) {
            throw new InvalidOptionException("Option '--now' is '" + iso
                    + "'; it must be an ISO 8601 date, or date and time, such as 2026-02-03T04:05:06Z.");
        }
    }
}
