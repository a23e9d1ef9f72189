package org.bloomery.spring.security;

import io.micrometer.observation.ObservationRegistry;
import java.util.List;
import java.util.function.Supplier;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.chat.ToolSpec;
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.HookObservation;
import org.bloomery.spring.chat.InterceptorOrder;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.security.authorization.AuthorizationManager;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.context.SecurityContextHolder;

/**
 * Asks every {@code AuthorizationManager<InferenceRequest>} whether a request may be made, before anything else happens, on
 * the caller's thread. A denial is Spring Security's {@code AuthorizationDeniedException}.
 */
public final class AuthorizationInterceptor implements GenerationInterceptor, Ordered {

    private final List<AuthorizationManager<InferenceRequest>> managers;
    private final Supplier<String> model;
    private final PrincipalResolver principals;
    private final ObservationRegistry observations;

    public AuthorizationInterceptor(
            List<AuthorizationManager<InferenceRequest>> managers,
            Supplier<String> model,
            PrincipalResolver principals,
            ObservationRegistry observations) {
        this.managers = List.copyOf(managers);
        this.model = model;
        this.principals = principals;
        this.observations = observations;
    }

    @Override
    public int getOrder() {
        return InterceptorOrder.AUTHORIZATION;
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationSink sink, Answering next) {
        if (!managers.isEmpty()) {
            HookObservation.authorization(observations, "request")
                    .around(observations.getCurrentObservation(), () -> authorize(request));
        }
        return next.submit(request, sink);
    }

    private void authorize(GenerationRequest request) {
        List<String> tools = request instanceof ChatRequest chat
                ? chat.tools().stream().map(ToolSpec::name).toList()
                : List.of();
        InferenceRequest wanted =
                new InferenceRequest(model.get(), InferenceRequest.CHAT, tools, principals.principal());
        @Nullable Authentication caller = SecurityContextHolder.getContext().getAuthentication();
        for (AuthorizationManager<InferenceRequest> manager : managers) {
            manager.verify(() -> caller, wanted);
        }
    }
}
