package org.bloomery.spring.security;

import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.CompletionRequest;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.audit.AuditRecord.GuardVerdict;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolCall;

/**
 * One guard over all texts of one prompt.
 *
 * @param limit how long it may take
 * @param trail where its verdicts are noted
 * @param observation what is observed of it
 */
record PromptCheck(PromptGuard guard, GuardLimit limit, RequestTrail trail, GuardObservation observation) {

    /**
     * What the guard leaves of the request.
     *
     * @throws PromptBlockedException if it blocks it
     * @throws java.util.concurrent.CancellationException if this thread is interrupted
     */
    GenerationRequest of(GenerationRequest request) {
        try {
            return switch (request) {
                case ChatRequest chat ->
                    chat.withMessages(
                            chat.messages().stream().map(this::guarded).toList());
                case CompletionRequest completion ->
                    new CompletionRequest(
                            completion.prompt().stream()
                                    .map(span -> new TextSpan(
                                            guarded(
                                                    span.trusted() ? ChatMessage.Role.SYSTEM : ChatMessage.Role.USER,
                                                    span.text()),
                                            span.trusted()))
                                    .toList(),
                            completion.options());
            };
        } finally {
            observation.stop();
        }
    }

    private ChatMessage guarded(ChatMessage message) {
        ChatMessage.Role role = message.role();
        String reasoning = message.reasoning();
        return new ChatMessage(
                role,
                guarded(role, message.content()),
                reasoning == null ? null : guarded(role, reasoning),
                message.toolCalls().stream()
                        .map(call -> new ToolCall(
                                call.id(), call.name(), JsonStrings.map(call.arguments(), text -> guarded(role, text))))
                        .toList(),
                message.toolCallId(),
                message.toolName());
    }

    private String guarded(ChatMessage.Role role, String text) {
        return switch (limit.verdict(guard, guard.name(), observation, () -> guard.check(role, text))) {
            case Verdict.Allow allow -> text;
            case Verdict.Redact redact -> {
                note("REDACT", redact.reason());
                if (!redact.replacements().isEmpty()
                        && redact.replacements().getLast().end() > text.length()) {
                    observation.failed();
                    throw blocked(GuardedAnswer.FAILED);
                }
                yield Verdict.apply(text, redact.replacements());
            }
            case Verdict.Block block -> throw blocked(block.reason());
        };
    }

    private PromptBlockedException blocked(String reason) {
        note("BLOCK", reason);
        return reason.equals(GuardLimit.LATE)
                ? PromptBlockedException.late(guard.name(), limit.limit())
                : new PromptBlockedException(guard.name(), reason);
    }

    private void note(String action, String reason) {
        trail.note(new GuardVerdict(guard.name(), "prompt", action, reason));
    }
}
