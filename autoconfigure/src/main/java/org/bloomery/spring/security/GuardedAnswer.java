package org.bloomery.spring.security;

import java.util.ArrayList;
import java.util.List;
import org.bloomery.engine.Completion;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.spring.chat.DeferredSink;
import org.bloomery.spring.chat.SerialExecutor;
import org.jspecify.annotations.Nullable;

/**
 * One answer on its way through guards. The worker hands pieces over and goes on; they are judged on a virtual thread, in
 * their order. What was let go is the answer: the completion has the same text.
 */
final class GuardedAnswer extends DeferredSink {

    /** The reason where a guard did not say anything sensible. */
    static final String FAILED = "guard-failed";

    private static final String ENDLESS = "redaction-too-long";

    /**
     * A guard's check.
     *
     * @param guard the guard
     * @param limit how long it may take for a window
     * @param check what judges this answer
     * @param observation what is observed of it
     */
    record Named(OutputGuard guard, GuardLimit limit, OutputGuard.Check check, GuardObservation observation) {

        String name() {
            return guard.name();
        }

        Verdict verdict(String window, boolean last) {
            return limit.verdict(guard, guard.name(), observation, () -> check.check(window, last));
        }
    }

    private final List<Named> checks;
    private final RequestTrail trail;
    private final SerialExecutor tasks = new SerialExecutor();
    private final GuardedText text;
    private final GuardedText reasoning;
    private boolean redacted;
    private volatile boolean blocked;
    private volatile boolean refused;
    private @Nullable Throwable failure;

    GuardedAnswer(List<Named> checks, int holdBack, GenerationSink sink, RequestTrail trail) {
        super(sink);
        this.checks = checks;
        this.trail = trail;
        this.text = new GuardedText(holdBack, this::judge, sink::onText);
        this.reasoning = new GuardedText(holdBack, this::judge, sink::onReasoning);
    }

    @Override
    public boolean onText(String delta) {
        return onPiece(text, reasoning, delta);
    }

    @Override
    public boolean onReasoning(String delta) {
        return onPiece(reasoning, text, delta);
    }

    private boolean onPiece(GuardedText guarded, GuardedText other, String delta) {
        tasks.execute(() -> {
            try {
                // What is held back of the thinking comes before the answer, not behind it
                if (!blocked && !refused && other.holds()) {
                    advance(other, "", true);
                }
                if (!blocked && !refused) {
                    advance(guarded, delta, false);
                }
            } catch (RuntimeException | Error e) {
                // What a sink throws ends its own answer
                failure = e;
                refused = true;
                generation().cancel();
            }
        });
        return !blocked && !refused;
    }

    private void advance(GuardedText guarded, String delta, boolean last) {
        switch (guarded.accept(delta, last)) {
            case PASSED -> {}
            case BLOCKED -> {
                blocked = true;
                generation().cancel();
            }
            case ENDLESS -> {
                note("guards", "BLOCK", ENDLESS);
                blocked = true;
                generation().cancel();
            }
            case REFUSED -> {
                refused = true;
                generation().cancel();
            }
        }
    }

    /** What every check says of a window, or null where one blocks it. */
    private GuardedText.Judgement judge(String window, boolean last) {
        List<Verdict.Replacement> replacements = new ArrayList<>();
        for (Named each : checks) {
            switch (each.verdict(window, last)) {
                case Verdict.Allow allow -> {}
                case Verdict.Redact redact -> {
                    for (Verdict.Replacement replacement : redact.replacements()) {
                        if (replacement.end() > window.length()) {
                            note(each.name(), "BLOCK", FAILED);
                            each.observation.failed();
                            return GuardedText.Judgement.BLOCK;
                        }
                        replacements.add(replacement);
                    }
                    note(each.name(), "REDACT", redact.reason());
                    redacted = true;
                }
                case Verdict.Block block -> {
                    note(each.name(), "BLOCK", block.reason());
                    return GuardedText.Judgement.BLOCK;
                }
            }
        }
        return GuardedText.Judgement.replacing(replacements);
    }

    private void note(String guard, String action, String reason) {
        trail.note(new GuardVerdict(guard, "output", action, reason));
    }

    @Override
    public void onComplete(Completion completion) {
        tasks.execute(() -> {
            Completion whole;
            try {
                if (failure != null) {
                    broken(failure);
                    return;
                }
                whole = guarded(completion);
                checks.forEach(each -> each.observation.stop());
            } catch (RuntimeException | Error e) {
                broken(e);
                return;
            }
            complete(whole);
        });
    }

    private Completion guarded(Completion completion) {
        if (!blocked && !refused) {
            advance(reasoning, "", true);
        }
        if (!blocked && !refused) {
            advance(text, "", true);
        }
        List<ToolCall> calls = blocked ? List.of() : calls(completion.toolCalls());
        FinishReason reason =
                blocked ? FinishReason.GUARD : refused ? FinishReason.CANCELLED : completion.finishReason();
        return new Completion(
                completion.id(),
                text.released(),
                completion.reasoning() == null ? null : reasoning.released(),
                blocked ? List.of() : calls,
                reason,
                completion.usage(),
                completion.timings(),
                // They spell the answer, token by token
                blocked || redacted ? List.of() : completion.logProbabilities());
    }

    private List<ToolCall> calls(List<ToolCall> calls) {
        List<ToolCall> guarded = new ArrayList<>();
        for (ToolCall call : calls) {
            String arguments = JsonStrings.map(call.arguments(), value -> {
                GuardedText.Judgement judgement = judge(value, true);
                if (judgement.blocks()) {
                    blocked = true;
                    return "";
                }
                return Verdict.apply(value, judgement.replacements());
            });
            guarded.add(new ToolCall(call.id(), call.name(), arguments));
        }
        return guarded;
    }

    @Override
    public void onError(RuntimeException error) {
        tasks.execute(() -> {
            try {
                checks.forEach(each -> each.observation.stop());
            } finally {
                fail(error);
            }
        });
    }
}
