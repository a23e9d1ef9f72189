package org.bloomery.spring.overflow;

import io.micrometer.context.ContextSnapshot;
import io.micrometer.context.ContextSnapshotFactory;
import java.util.concurrent.CompletableFuture;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.spring.chat.AnswerOrigin;
import org.bloomery.spring.chat.DeferredSink;
import org.bloomery.spring.overflow.OverflowListener.Outcome;
import org.bloomery.spring.security.RequestTrail;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.prompt.Prompt;

/**
 * One request: the engine's answer to it as far as the engine gives one, else the other model's. The other model is asked on
 * a virtual thread that has the caller's context, since the engine's worker must go on.
 */
final class OverflowAnswer extends DeferredSink {

    private static final ContextSnapshotFactory CONTEXTS =
            ContextSnapshotFactory.builder().build();

    private final OverflowInterceptor overflow;
    private final GenerationRequest request;
    private final OverflowPolicy.Caller caller;
    private final AnswerOrigin origin = AnswerOrigin.current();
    private final RequestTrail trail = RequestTrail.current();
    private final ContextSnapshot context = CONTEXTS.captureAll();
    private final long submitted = System.nanoTime();
    private final CompletableFuture<String> localId = new CompletableFuture<>();
    private volatile boolean begun;

    OverflowAnswer(
            OverflowInterceptor overflow,
            GenerationRequest request,
            GenerationSink sink,
            OverflowPolicy.Caller caller) {
        super(sink);
        this.overflow = overflow;
        this.request = request;
        this.caller = caller;
    }

    /** The engine has taken the request. */
    Generation taken(Generation local) {
        localId.complete(local.id());
        return over(local);
    }

    /**
     * The engine has refused the request.
     *
     * @throws RuntimeException the refusal, where no other model may answer
     */
    Generation instead(String id, OverflowReason reason, RuntimeException refusal) {
        Prompt prompt = leaving(reason, refusal);
        if (prompt == null) {
            throw refusal;
        }
        RemoteAnswer remote = remote(id, reason, refusal);
        over(remote);
        Thread.ofVirtual().name("bloomery-overflow").start(context.wrap(() -> remote.ask(prompt)));
        return generation();
    }

    @Override
    public boolean onText(String delta) {
        begun = true;
        return sink.onText(delta);
    }

    @Override
    public boolean onReasoning(String delta) {
        begun = true;
        return sink.onReasoning(delta);
    }

    @Override
    public void onError(RuntimeException error) {
        OverflowReason reason = begun ? null : overflow.reason(error);
        if (reason == null) {
            fail(error);
            return;
        }
        Thread.ofVirtual().name("bloomery-overflow").start(context.wrap(() -> {
            try {
                // Pieces have the id that the caller was given
                String id = localId.join();
                Prompt prompt = leaving(reason, error);
                if (prompt == null) {
                    fail(error);
                    return;
                }
                RemoteAnswer remote = remote(id, reason, error);
                over(remote);
                remote.ask(prompt);
            } catch (RuntimeException | Error e) {
                error.addSuppressed(e);
                fail(error);
            }
        }));
    }

    /** What is sent to the other model, or null where nothing is. */
    private @Nullable Prompt leaving(OverflowReason reason, RuntimeException failure) {
        Prompt prompt;
        boolean may;
        try {
            prompt = OverflowPrompt.of(request, overflow.target().model().getOptions());
            may = prompt != null && overflow.policy().mayLeave(prompt, caller);
        } catch (RuntimeException | Error e) {
            failure.addSuppressed(e);
            overflow.tell(reason, Outcome.DENIED);
            return null;
        }
        if (prompt == null) {
            overflow.tell(reason, Outcome.UNSUPPORTED);
        } else if (!may) {
            overflow.tell(reason, Outcome.DENIED);
        }
        return may ? prompt : null;
    }

    private RemoteAnswer remote(String id, OverflowReason reason, RuntimeException failure) {
        trail.note(new GuardVerdict("overflow", "prompt", "LEAVE", reason.label()));
        return new RemoteAnswer(
                id,
                overflow.target(),
                origin,
                context,
                submitted,
                this,
                failure,
                outcome -> overflow.tell(reason, outcome));
    }
}
