package org.bloomery.spring.security;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.InterceptorOrder;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;

/**
 * Puts prompts and answers through guards. A prompt that is blocked never reaches the engine; an answer that is blocked
 * ends with {@link org.bloomery.engine.FinishReason#GUARD} and what was let go of it before.
 */
public final class GuardInterceptor implements GenerationInterceptor, Ordered {

    private final List<PromptGuard> promptGuards;
    private final List<OutputGuard> outputGuards;
    private final int holdBack;
    private final GuardLimit limit;
    private final ObservationRegistry observations;

    /** Guards that nobody observes and that have five seconds for a text. */
    public GuardInterceptor(List<PromptGuard> promptGuards, List<OutputGuard> outputGuards, int holdBack) {
        this(promptGuards, outputGuards, holdBack, GuardLimit.DEFAULT, ObservationRegistry.NOOP);
    }

    /**
     * @param holdBack how many characters of an answer are held back, so that what they begin can still be blocked
     * @param timeout how long a guard of an application's own may take to judge one text
     */
    public GuardInterceptor(
            List<PromptGuard> promptGuards,
            List<OutputGuard> outputGuards,
            int holdBack,
            Duration timeout,
            ObservationRegistry observations) {
        this.promptGuards = List.copyOf(promptGuards);
        this.outputGuards = List.copyOf(outputGuards);
        this.holdBack = holdBack;
        this.limit = new GuardLimit(timeout);
        this.observations = observations;
    }

    @Override
    public int getOrder() {
        return InterceptorOrder.GUARDS;
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationSink sink, Answering next) {
        RequestTrail trail = RequestTrail.current();
        Observation parent = observations.getCurrentObservation();
        GenerationRequest guarded = request;
        for (PromptGuard guard : promptGuards) {
            guarded = new PromptCheck(guard, limit, trail, observation(parent, guard.name(), "prompt")).of(guarded);
        }
        if (outputGuards.isEmpty()) {
            return next.submit(guarded, sink);
        }
        GuardedAnswer answer = new GuardedAnswer(checks(guarded, trail, parent), holdBack, sink, trail);
        return answer.over(next.submit(guarded, answer));
    }

    private GuardObservation observation(@Nullable Observation parent, String guard, String stage) {
        return new GuardObservation(observations, parent, guard, stage);
    }

    private List<GuardedAnswer.Named> checks(
            GenerationRequest request, RequestTrail trail, @Nullable Observation parent) {
        List<GuardedAnswer.Named> checks = new ArrayList<>();
        for (OutputGuard guard : outputGuards) {
            GuardObservation observation = observation(parent, guard.name(), "output");
            checks.add(new GuardedAnswer.Named(guard, limit, check(guard, request, trail, observation), observation));
        }
        return checks;
    }

    private OutputGuard.Check check(
            OutputGuard guard, GenerationRequest request, RequestTrail trail, GuardObservation observation) {
        try {
            return limit.ask(guard, guard.name(), () -> guard.begin(request));
        } catch (TimeoutException e) {
            observation.late();
            observation.stop();
            note(trail, guard, GuardLimit.LATE);
            throw PromptBlockedException.late(guard.name(), limit.limit());
        } catch (InterruptedException e) {
            throw GuardLimit.interrupted(guard.name());
        } catch (RuntimeException | Error e) {
            note(trail, guard, GuardedAnswer.FAILED);
            throw new PromptBlockedException(guard.name(), GuardedAnswer.FAILED);
        }
    }

    private static void note(RequestTrail trail, OutputGuard guard, String reason) {
        trail.note(new GuardVerdict(guard.name(), "output", "BLOCK", reason));
    }
}
