package org.bloomery.spring.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.observation.ObservationRegistry;
import java.util.List;
import java.util.Objects;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.engine.chat.ToolSpec;
import org.bloomery.spring.chat.ScriptedEngine;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.security.authentication.TestingAuthenticationToken;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.authorization.AuthorizationManager;
import org.springframework.security.core.context.SecurityContextHolder;

class ToolCallInterceptorTest {

    private static final AuthorizationManager<ToolCall> ADA_MAY_LOOK =
            (caller, call) -> new AuthorizationDecision(call.name().equals("look")
                    && Objects.requireNonNull(caller.get()).getName().equals("ada"));
    private static final ChatRequest REQUEST = new ChatRequest(
            List.of(ChatMessage.user("Hi")),
            List.of(new ToolSpec("look", "", "{}"), new ToolSpec("delete", "", "{}")),
            GenerationOptions.DEFAULT);

    private final RequestTrail trail = new RequestTrail();

    @AfterEach
    void forgetCaller() {
        SecurityContextHolder.clearContext();
    }

    private Generation calling(AuthorizationManager<ToolCall> manager, String... tools) {
        SecurityContextHolder.getContext().setAuthentication(new TestingAuthenticationToken("ada", "", "USER"));
        ScriptedEngine engine = new ScriptedEngine(answer -> answer.end(
                FinishReason.TOOL_CALLS,
                List.of(tools).stream()
                        .map(tool -> new ToolCall("1", tool, "{\"what\":\"canary\"}"))
                        .toArray(ToolCall[]::new)));
        return trail.during(() -> new ToolCallInterceptor(List.of(manager), ObservationRegistry.NOOP)
                .submit(REQUEST, GenerationSink.NONE, engine));
    }

    @Test
    void aCallThatIsAllowedIsHandedOut() {
        Completion completion = calling(ADA_MAY_LOOK, "look").await();
        assertThat(completion.toolCalls()).hasSize(1);
        assertThat(trail.verdicts()).isEmpty();
    }

    @Test
    void aCallThatIsDeniedFailsTheRequestAndIsNoted() {
        assertThatThrownBy(() -> calling(ADA_MAY_LOOK, "look", "delete").await())
                .isInstanceOf(ToolCallDeniedException.class)
                .hasMessageContaining("'delete'")
                .hasMessageNotContaining("canary")
                .hasNoCause();
        assertThat(trail.verdicts()).containsExactly(new GuardVerdict("tool-authorization", "tool", "BLOCK", "denied"));
    }

    @Test
    void aManagerThatFailsDenies() {
        AuthorizationManager<ToolCall> failing = (caller, call) -> {
            throw new IllegalStateException(call.arguments());
        };
        assertThatThrownBy(() -> calling(failing, "look").await())
                .isInstanceOf(ToolCallDeniedException.class)
                .hasMessageNotContaining("canary")
                .hasNoCause();
    }

    @Test
    void aManagerThatBreaksDenies() {
        AuthorizationManager<ToolCall> breaking = (caller, call) -> {
            throw new StackOverflowError(call.arguments());
        };
        assertThatThrownBy(() -> calling(breaking, "look").await())
                .isInstanceOf(ToolCallDeniedException.class)
                .hasNoCause();
    }

    @Test
    void aToolThatWasNotOfferedIsNotNamed() {
        assertThatThrownBy(() -> calling(ADA_MAY_LOOK, "canary").await())
                .isInstanceOf(ToolCallDeniedException.class)
                .hasMessageContaining("(not offered)")
                .hasMessageNotContaining("canary");
    }
}
