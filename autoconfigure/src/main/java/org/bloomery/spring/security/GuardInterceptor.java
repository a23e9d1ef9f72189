package org.bloomery.spring.security;

import java.util.ArrayList;
import java.util.List;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.CompletionRequest;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolCall;
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

    /** @param holdBack how many characters of an answer are held back, so that what they begin can still be blocked */
    public GuardInterceptor(List<PromptGuard> promptGuards, List<OutputGuard> outputGuards, int holdBack) {
        this.promptGuards = List.copyOf(promptGuards);
        this.outputGuards = List.copyOf(outputGuards);
        this.holdBack = holdBack;
    }

    @Override
    public int getOrder() {
        return InterceptorOrder.GUARDS;
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationSink sink, Answering next) {
        RequestTrail trail = RequestTrail.current();
        GenerationRequest guarded = promptGuards.isEmpty() ? request : guarded(request, trail);
        if (outputGuards.isEmpty()) {
            return next.submit(guarded, sink);
        }
        GuardedAnswer answer = new GuardedAnswer(checks(guarded, trail), holdBack, sink, trail);
        return answer.over(next.submit(guarded, answer));
    }

    private List<GuardedAnswer.Named> checks(GenerationRequest request, RequestTrail trail) {
        List<GuardedAnswer.Named> checks = new ArrayList<>();
        for (OutputGuard guard : outputGuards) {
            try {
                checks.add(new GuardedAnswer.Named(guard.name(), guard.begin(request)));
            } catch (RuntimeException e) {
                trail.note(new GuardVerdict(guard.name(), "output", "BLOCK", GuardedAnswer.FAILED));
                throw new PromptBlockedException(guard.name(), GuardedAnswer.FAILED);
            }
        }
        return checks;
    }

    private GenerationRequest guarded(GenerationRequest request, RequestTrail trail) {
        return switch (request) {
            case ChatRequest chat ->
                chat.withMessages(chat.messages().stream()
                        .map(message -> guarded(message, trail))
                        .toList());
            case CompletionRequest completion ->
                new CompletionRequest(
                        completion.prompt().stream()
                                .map(span -> new TextSpan(
                                        guarded(
                                                span.trusted() ? ChatMessage.Role.SYSTEM : ChatMessage.Role.USER,
                                                span.text(),
                                                trail),
                                        span.trusted()))
                                .toList(),
                        completion.options());
        };
    }

    private ChatMessage guarded(ChatMessage message, RequestTrail trail) {
        ChatMessage.Role role = message.role();
        String reasoning = message.reasoning();
        return new ChatMessage(
                role,
                guarded(role, message.content(), trail),
                reasoning == null ? null : guarded(role, reasoning, trail),
                message.toolCalls().stream()
                        .map(call -> new ToolCall(
                                call.id(),
                                call.name(),
                                JsonStrings.map(call.arguments(), text -> guarded(role, text, trail))))
                        .toList(),
                message.toolCallId(),
                message.toolName());
    }

    private String guarded(ChatMessage.Role role, String text, RequestTrail trail) {
        String left = text;
        for (PromptGuard guard : promptGuards) {
            switch (verdict(guard, role, left)) {
                case Verdict.Allow allow -> {}
                case Verdict.Redact redact -> {
                    trail.note(new GuardVerdict(guard.name(), "prompt", "REDACT", redact.reason()));
                    left = replaced(left, redact, guard, trail);
                }
                case Verdict.Block block -> throw blocked(guard, block.reason(), trail);
            }
        }
        return left;
    }

    private static Verdict verdict(PromptGuard guard, ChatMessage.Role role, String text) {
        @Nullable Verdict verdict;
        try {
            verdict = guard.check(role, text);
        } catch (RuntimeException e) {
            // Its message may be text of the prompt
            verdict = null;
        }
        return verdict == null ? Verdict.block(GuardedAnswer.FAILED) : verdict;
    }

    private static String replaced(String text, Verdict.Redact redact, PromptGuard guard, RequestTrail trail) {
        if (!redact.replacements().isEmpty() && redact.replacements().getLast().end() > text.length()) {
            throw blocked(guard, GuardedAnswer.FAILED, trail);
        }
        return Verdict.apply(text, redact.replacements());
    }

    private static PromptBlockedException blocked(PromptGuard guard, String reason, RequestTrail trail) {
        trail.note(new GuardVerdict(guard.name(), "prompt", "BLOCK", reason));
        return new PromptBlockedException(guard.name(), reason);
    }
}
