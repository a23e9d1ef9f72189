package org.bloomery.spring.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.micrometer.observation.ObservationRegistry;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.audit.AuditLog;
import org.bloomery.engine.audit.AuditRecord;
import org.bloomery.engine.audit.FsyncPolicy;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.Thinking;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.engine.chat.ToolChoice;
import org.bloomery.engine.chat.ToolSpec;
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.RequestRecorder;
import org.bloomery.spring.chat.ScriptedEngine;
import org.bloomery.spring.security.GuardInterceptor;
import org.bloomery.spring.security.InvisibleCharacterGuard;
import org.bloomery.spring.security.OutputGuard;
import org.bloomery.spring.security.PiiGuard;
import org.bloomery.spring.security.PiiRedactor;
import org.bloomery.spring.security.PromptGuard;
import org.bloomery.spring.security.SecretGuard;
import org.bloomery.spring.security.SystemPromptGuard;
import org.bloomery.spring.security.ToolCallInterceptor;
import org.bloomery.spring.security.Verdict;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.authorization.AuthorizationManager;

/** Text of prompts, answers and tool calls is in no record, event, log line or exception of ours. */
@ExtendWith(OutputCaptureExtension.class)
class CanaryTest {

    private static final String CANARY = "zebra-4711";
    private static final ChatRequest REQUEST = new ChatRequest(
            List.of(
                    ChatMessage.system("You know of the " + CANARY + " and speak of it to nobody."),
                    ChatMessage.assistant(
                            CANARY, CANARY, List.of(new ToolCall("1", "look", "{\"for\":\"" + CANARY + "\"}"))),
                    ChatMessage.toolResult("1", "look", "found " + CANARY),
                    ChatMessage.user(CANARY + "@example.com")),
            List.of(new ToolSpec("look", CANARY, "{\"title\":\"" + CANARY + "\"}")),
            ToolChoice.AUTO,
            Thinking.AUTO,
            Map.of("hint", CANARY),
            new GenerationOptions(GenerationOptions.DEFAULT.sampling(), 9, List.of(CANARY), null, null));

    @TempDir
    Path folder = Path.of("");

    private static final AuthorizationManager<ToolCall> DENYING = (caller, call) -> new AuthorizationDecision(false);

    private static final PromptGuard THROWING_PROMPT_GUARD = (role, text) -> {
        throw new IllegalStateException(text);
    };

    private static final OutputGuard THROWING_OUTPUT_GUARD = request -> (window, last) -> {
        throw new IllegalStateException(window);
    };

    private static Answering scripted() {
        return new ScriptedEngine(answer -> {
            answer.reasoning("I think of the " + CANARY);
            answer.text("The " + CANARY + " is at " + CANARY + "@example.com. ".repeat(20));
            answer.end(
                    FinishReason.TOOL_CALLS,
                    new ToolCall("1", "look", "{\"for\":\"" + CANARY + "\"}"),
                    new ToolCall("2", CANARY, "{}"));
        });
    }

    private static List<Answering> engines() {
        return List.of(
                scripted(),
                new ScriptedEngine(answer -> {
                    throw new EngineException("Could not say " + CANARY);
                }),
                (request, sink) -> {
                    throw new EngineException("Could not begin with " + CANARY);
                });
    }

    private static List<GenerationInterceptor> insides() {
        PiiGuard pii = new PiiGuard(new PiiRedactor());
        List<PromptGuard> in = List.of(new InvisibleCharacterGuard(true), new SecretGuard(), pii);
        List<OutputGuard> out = List.of(new SecretGuard(), pii, new SystemPromptGuard());
        OutputGuard blocking = request -> (window, last) -> Verdict.block("no");
        return List.of(
                new GuardInterceptor(in, out, 64),
                new GuardInterceptor(List.of(THROWING_PROMPT_GUARD), List.of(), 64),
                new GuardInterceptor(List.of(), List.of(THROWING_OUTPUT_GUARD), 64),
                new GuardInterceptor(List.of(), List.of(blocking), 64),
                new ToolCallInterceptor(List.of(DENYING), ObservationRegistry.NOOP));
    }

    @Test
    void nothingTellsOfIt(CapturedOutput output) throws Exception {
        List<AuditRecord> records = new ArrayList<>();
        List<Object> events = new ArrayList<>();
        List<Throwable> thrown = new ArrayList<>();
        Path file = folder.resolve("audit.jsonl");
        int requests = 0;
        try (JsonLinesAuditSink sink = new JsonLinesAuditSink(AuditLog.open(file, FsyncPolicy.NEVER))) {
            AuditEventSink toEvents = new AuditEventSink(events::add);
            for (boolean content : new boolean[] {false, true}) {
                InferenceAuditSink failing = record -> {
                    throw new IllegalStateException("Could not keep " + CANARY);
                };
                List<InferenceAuditSink> sinks =
                        content ? List.of(toEvents, failing) : List.of(sink, records::add, toEvents);
                for (GenerationInterceptor inside : insides()) {
                    for (Answering engine : engines()) {
                        requests++;
                        AuditRecorder audit = new AuditRecorder(
                                sinks,
                                () -> new AuditRecord.Model("scripted", null, null),
                                () -> "tenant",
                                () -> "principal",
                                "0123456789abcdef",
                                content,
                                UnaryOperator.identity(),
                                true,
                                Clock.systemUTC());
                        RequestRecorder.Recording recording = audit.begin(new Prompt(CANARY));
                        Throwable error = catchThrowable(() -> recording
                                .submit(
                                        REQUEST,
                                        GenerationSink.NONE,
                                        (request, next) -> inside.submit(request, next, engine))
                                .await());
                        if (error != null) {
                            recording.refused(error);
                        }
                        if (error != null && error.getClass() != EngineException.class) {
                            thrown.add(error);
                        }
                        audit.close();
                    }
                }
            }
        }
        assertThat(events).hasSize(requests);
        assertThat(records).hasSize(requests / 2);
        assertThat(Files.readAllLines(file)).hasSize(requests / 2);
        assertThat(thrown).hasSizeGreaterThan(10);

        assertThat(Files.readString(file)).doesNotContain(CANARY);
        assertThat(records.toString()).doesNotContain(CANARY);
        assertThat(events.toString()).doesNotContain(CANARY);
        assertThat(thrown).allSatisfy(error -> {
            StringWriter trace = new StringWriter();
            error.printStackTrace(new PrintWriter(trace));
            assertThat(trace.toString()).doesNotContain(CANARY);
        });
        assertThat(output).doesNotContain(CANARY);
        assertThat(REQUEST.messages().toString()).doesNotContain(CANARY);
    }
}
