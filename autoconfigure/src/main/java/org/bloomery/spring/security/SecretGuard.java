package org.bloomery.spring.security;

import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.chat.ChatMessage;

/**
 * Replaces keys and passwords that have a form of their own in prompts and answers: keys of AWS, GitHub and Slack, private
 * keys, JSON Web Tokens, and values with much entropy behind words like {@code api_key=}.
 */
public final class SecretGuard implements PromptGuard, OutputGuard, Bounded {

    @Override
    public String name() {
        return "secrets";
    }

    @Override
    public Verdict check(ChatMessage.Role role, String text) {
        return Verdict.redact("secret", SecretScanner.find(text));
    }

    @Override
    public Check begin(GenerationRequest request) {
        return (window, last) -> Verdict.redact("secret", SecretScanner.find(window));
    }
}
