package org.bloomery.spring.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.time.Clock;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.bloomery.engine.AnsweringModel;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.ModelInfo;
import org.bloomery.engine.audit.AuditException;
import org.bloomery.engine.audit.AuditRecord;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.engine.audit.AuditRecord.Outcome;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.Thinking;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.engine.chat.ToolChoice;
import org.bloomery.engine.chat.ToolSpec;
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.RequestRecorder;
import org.bloomery.spring.chat.ScriptedEngine;
import org.bloomery.spring.security.RequestTrail;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.prompt.Prompt;

class AuditRecorderTest {

    private static final ChatRequest REQUEST = new ChatRequest(
            List.of(ChatMessage.user("Hi")), List.of(new ToolSpec("weather", "", "{}")), GenerationOptions.DEFAULT);

    private static final Prompt PROMPT = new Prompt("Hi");

    private final List<AuditRecord> kept = new CopyOnWriteArrayList<>();

    private AuditRecorder auditing(InferenceAuditSink sink, boolean failClosed) {
        return new AuditRecorder(
                List.of(sink),
                () -> new AuditRecord.Model("scripted", null, null),
                () -> "tenant",
                () -> "principal",
                "0123456789abcdef",
                false,
                UnaryOperator.identity(),
                failClosed,
                Clock.systemUTC());
    }

    private final AuditRecorder recorder = auditing(kept::add, true);

    private static Generation submit(
            AuditRecorder recorder, GenerationRequest request, GenerationSink sink, Answering next) {
        RequestRecorder.Recording recording = recorder.begin(PROMPT);
        try {
            return recording.submit(request, sink, next);
        } catch (RuntimeException e) {
            recording.refused(e);
            throw e;
        }
    }

    private AuditRecord onlyRecord() {
        recorder.close();
        assertThat(kept).hasSize(1);
        return kept.getFirst();
    }

    @Test
    void thePhasesOfAnAnswerArePassedOn() {
        List<String> heard = new CopyOnWriteArrayList<>();
        GenerationSink sink = new GenerationSink() {
            @Override
            public void onStarted() {
                heard.add("started");
            }

            @Override
            public void onFirstToken() {
                heard.add("first token");
            }
        };
        assertThatThrownBy(() -> submit(recorder, REQUEST, sink, (request, audited) -> {
                    audited.onStarted();
                    audited.onFirstToken();
                    throw new EngineOverloadedException("full");
                }))
                .isInstanceOf(EngineOverloadedException.class);
        assertThat(heard).containsExactly("started", "first token");
    }

    /** A model may be replaced while it answers, and an answer may be faster than the return of its submission. */
    @Test
    void theModelThatTookTheRequestIsRecorded() {
        ModelInfo info = new ModelInfo("old", "llama", 1, "Q8_0", 1, 8, 8, 8, true, "cd");
        Generation own = new Generation() {
            @Override
            public String id() {
                return "1";
            }

            @Override
            public AnsweringModel model() {
                return new AnsweringModel(info, () -> CompletableFuture.completedFuture("ab"));
            }

            @Override
            public void cancel() {}

            @Override
            public Completion await() {
                throw new IllegalStateException("Nobody waits for it.");
            }
        };
        submit(recorder, REQUEST, GenerationSink.NONE, (request, audited) -> {
            audited.onComplete(new Completion(
                    "1",
                    "Yes.",
                    null,
                    List.of(),
                    FinishReason.STOP,
                    ScriptedEngine.USAGE,
                    ScriptedEngine.TIMINGS,
                    List.of()));
            return own;
        });
        assertThat(onlyRecord().model()).isEqualTo(new AuditRecord.Model("old", "ab", "cd"));
    }

    @Test
    void anAnswerIsToldOnlyOnceItsRecordIsKept() {
        CountDownLatch disk = new CountDownLatch(1);
        CountDownLatch told = new CountDownLatch(1);
        AuditRecorder slow = auditing(
                record -> {
                    try {
                        disk.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                    kept.add(record);
                },
                true);
        GenerationSink sink = new GenerationSink() {
            @Override
            public void onComplete(Completion completion) {
                assertThat(kept).hasSize(1);
                told.countDown();
            }
        };
        Generation generation = submit(slow, REQUEST, sink, ScriptedEngine.saying("Hello"));
        assertThat(told.getCount()).isOne();
        disk.countDown();
        assertThat(generation.await().text()).isEqualTo("Hello");
        assertThat(told.getCount()).isZero();
    }

    @Test
    void aToolThatWasNotOfferedIsNotNamed() {
        submit(
                        recorder,
                        REQUEST,
                        GenerationSink.NONE,
                        new ScriptedEngine(answer -> answer.end(
                                FinishReason.TOOL_CALLS,
                                new ToolCall("1", "weather", "{\"city\":\"canary\"}"),
                                new ToolCall("2", "canary", "{}"))))
                .await();
        assertThat(onlyRecord().toolCalls()).containsExactly("weather", "(not offered)");
    }

    @Test
    void aRecordSaysWhetherToolsHadToBeCalledAndThought() {
        ScriptedEngine engine = ScriptedEngine.saying("Hello");
        submit(recorder, REQUEST, GenerationSink.NONE, engine).await();
        submit(
                        recorder,
                        REQUEST.withToolChoice(ToolChoice.named("weather"))
                                .withThinking(new Thinking(Thinking.Mode.ON, 99)),
                        GenerationSink.NONE,
                        engine)
                .await();
        recorder.close();
        assertThat(kept.getFirst().options())
                .containsEntry("toolChoice", "AUTO")
                .containsEntry("thinking", "AUTO")
                .doesNotContainKey("thinkingBudget");
        assertThat(kept.getLast().options())
                .containsEntry("toolChoice", "NAMED")
                .containsEntry("thinking", "ON")
                .containsEntry("thinkingBudget", 99);
    }

    @Test
    void aCancelledRequestIsRecordedAsSuch() {
        Generation generation = submit(recorder, REQUEST, GenerationSink.NONE, new ScriptedEngine(answer -> {
            answer.text("Hel");
            answer.awaitCancel();
            answer.end(FinishReason.CANCELLED);
        }));
        generation.cancel();
        assertThat(generation.await().finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(onlyRecord().outcome()).isEqualTo(Outcome.CANCELLED);
    }

    @Test
    void aFailureIsRecordedWithoutItsMessage() {
        Generation generation = submit(recorder, REQUEST, GenerationSink.NONE, new ScriptedEngine(answer -> {
            throw new EngineException("canary");
        }));
        assertThatThrownBy(generation::await)
                .isInstanceOf(EngineException.class)
                .hasMessage("canary");
        AuditRecord record = onlyRecord();
        assertThat(record.outcome()).isEqualTo(Outcome.FAILED);
        assertThat(record.error()).isEqualTo("EngineException");
        assertThat(record.toString()).doesNotContain("canary");
    }

    @Test
    void aRefusalIsRecordedOnceAndThrown() {
        Answering full = (request, sink) -> {
            throw new EngineOverloadedException("canary");
        };
        assertThatThrownBy(() -> submit(recorder, REQUEST, GenerationSink.NONE, full))
                .isInstanceOf(EngineOverloadedException.class);
        assertThat(onlyRecord().outcome()).isEqualTo(Outcome.REFUSED);
        assertThat(onlyRecord().requestId()).isNull();
    }

    @Test
    void whatInterceptorsFurtherInNoteIsInTheRecord() {
        GuardVerdict verdict = new GuardVerdict("pii", "output", "REDACT", "email");
        Answering noting = (request, sink) -> {
            RequestTrail trail = RequestTrail.current();
            return new ScriptedEngine(answer -> {
                        trail.note(verdict);
                        trail.note(verdict);
                        answer.end(FinishReason.STOP);
                    })
                    .submit(request, sink);
        };
        submit(recorder, REQUEST, GenerationSink.NONE, noting).await();
        assertThat(onlyRecord().guards()).containsExactly(verdict);
    }

    @Test
    void aSinkThatKnowsItCannotKeepAnythingRefusesBeforeTheEngine() {
        ScriptedEngine engine = ScriptedEngine.saying("Hello");
        InferenceAuditSink broken = new InferenceAuditSink() {
            @Override
            public void keep(AuditRecord record) {
                throw new AuditException("The disk is gone.");
            }

            @Override
            public @Nullable String refusal() {
                return "The disk is gone.";
            }
        };
        assertThatThrownBy(() -> submit(auditing(broken, true), REQUEST, GenerationSink.NONE, engine))
                .isInstanceOf(AuditException.class)
                .hasMessage("The disk is gone.");
        assertThat(engine.requests).isEmpty();
        assertThat(submit(auditing(broken, false), REQUEST, GenerationSink.NONE, engine)
                        .await()
                        .text())
                .isEqualTo("Hello");
    }

    @Test
    void aRefusalStaysWhatItIsWhereItsRecordIsNotKept() {
        AuditRecorder broken = auditing(
                record -> {
                    throw new AuditException("The disk is gone.");
                },
                true);
        Answering full = (request, sink) -> {
            throw new EngineOverloadedException("Full.");
        };
        Throwable thrown = catchThrowable(() -> submit(broken, REQUEST, GenerationSink.NONE, full));
        assertThat(thrown).isInstanceOf(EngineOverloadedException.class);
        assertThat(Objects.requireNonNull(thrown).getSuppressed()).hasSize(1);
    }

    @Test
    void aSinkThatBreaksFailsTheRequestAndLeavesNobodyWaiting() {
        AuditRecorder broken = auditing(
                record -> {
                    throw new NoClassDefFoundError("canary");
                },
                true);
        Generation generation = submit(broken, REQUEST, GenerationSink.NONE, ScriptedEngine.saying("Hello"));
        assertThatThrownBy(generation::await).isInstanceOf(AuditException.class).hasMessageNotContaining("canary");
    }

    @Test
    void closingWaitsForRecordsUnderWay() throws Exception {
        CountDownLatch ending = new CountDownLatch(1);
        Generation generation = submit(recorder, REQUEST, GenerationSink.NONE, new ScriptedEngine(answer -> {
            ending.countDown();
            answer.end(FinishReason.SHUTDOWN);
        }));
        assertThat(ending.await(10, TimeUnit.SECONDS)).isTrue();
        recorder.close();
        assertThat(kept).hasSize(1);
        assertThat(generation.await().finishReason()).isEqualTo(FinishReason.SHUTDOWN);
    }

    @Test
    void thousandRequestsAtOnceAreThousandRecords() {
        List<Generation> all = IntStream.range(0, 1000)
                .mapToObj(i -> submit(recorder, REQUEST, GenerationSink.NONE, ScriptedEngine.saying("a")))
                .toList();
        all.forEach(Generation::await);
        recorder.close();
        assertThat(kept).hasSize(1000);
    }
}
