package org.bloomery.spring.security;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.util.List;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.DeferredSink;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.HookObservation;
import org.bloomery.spring.chat.InterceptorOrder;
import org.bloomery.spring.chat.SerialExecutor;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.security.authorization.AuthorizationManager;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.context.SecurityContextHolder;

/**
 * Asks every {@code AuthorizationManager<ToolCall>} about each tool call of an answer before the call is handed out, with
 * the authentication of whoever asked. A call that is denied fails the request: an answer without it would say something
 * else. They are asked on a virtual thread, which has no security context.
 */
public final class ToolCallInterceptor implements GenerationInterceptor, Ordered {

    private final List<AuthorizationManager<ToolCall>> managers;
    private final ObservationRegistry observations;

    public ToolCallInterceptor(List<AuthorizationManager<ToolCall>> managers, ObservationRegistry observations) {
        this.managers = List.copyOf(managers);
        this.observations = observations;
    }

    @Override
    public int getOrder() {
        return InterceptorOrder.TOOL_CALLS;
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationSink sink, Answering next) {
        if (managers.isEmpty()
                || !(request instanceof ChatRequest chat)
                || chat.tools().isEmpty()) {
            return next.submit(request, sink);
        }
        Checked checked = new Checked(chat, sink);
        return checked.over(next.submit(request, checked));
    }

    /** An answer whose tool calls are asked about. */
    private final class Checked extends DeferredSink {

        private final RequestTrail trail = RequestTrail.current();
        private final @Nullable Authentication caller =
                SecurityContextHolder.getContext().getAuthentication();
        private final @Nullable Observation parent = observations.getCurrentObservation();
        private final SerialExecutor tasks = new SerialExecutor();
        private final ChatRequest request;

        Checked(ChatRequest request, GenerationSink sink) {
            super(sink);
            this.request = request;
        }

        @Override
        public void onComplete(Completion completion) {
            tasks.execute(() -> {
                try {
                    if (!completion.toolCalls().isEmpty()) {
                        HookObservation.authorization(observations, "tool-calls")
                                .around(parent, () -> completion.toolCalls().forEach(this::check));
                    }
                } catch (RuntimeException | Error e) {
                    broken(e);
                    return;
                }
                complete(completion);
            });
        }

        /** Whatever a manager throws is a denial; its own message may have the call's arguments in it. */
        private void check(ToolCall call) {
            for (AuthorizationManager<ToolCall> manager : managers) {
                try {
                    manager.verify(() -> caller, call);
                } catch (RuntimeException | Error e) {
                    trail.note(new GuardVerdict("tool-authorization", "tool", "BLOCK", "denied"));
                    boolean offered = request.tools().stream()
                            .anyMatch(tool -> tool.name().equals(call.name()));
                    throw new ToolCallDeniedException(offered ? call.name() : "(not offered)");
                }
            }
        }

        @Override
        public void onError(RuntimeException error) {
            tasks.execute(() -> fail(error));
        }
    }
}
