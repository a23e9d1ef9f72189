package org.bloomery.spring.security;

import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.chat.ChatMessage;

/** Replaces personal data in prompts and answers. */
public final class PiiGuard implements PromptGuard, OutputGuard, Bounded {

    private final PiiRedactor redactor;

    public PiiGuard(PiiRedactor redactor) {
        this.redactor = redactor;
    }

    @Override
    public String name() {
        return "pii";
    }

    @Override
    public Verdict check(ChatMessage.Role role, String text) {
        return Verdict.redact("personal-data", redactor.replacements(text));
    }

    @Override
    public Check begin(GenerationRequest request) {
        return (window, last) -> Verdict.redact("personal-data", redactor.replacements(window));
    }
}
