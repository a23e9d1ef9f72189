package org.bloomery.spring.audit;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.function.UnaryOperator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.CompletionRequest;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.audit.AuditException;
import org.bloomery.engine.audit.AuditRecord.Content;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolCall;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.prompt.Prompt;

/**
 * What a record tells of texts.
 *
 * @param key of the HMACs
 * @param withText whether records have the texts themselves
 * @param redaction what a text goes through before a record has it
 */
record ContentSummary(SecretKeySpec key, boolean withText, UnaryOperator<String> redaction) {

    Content of(GenerationRequest request) {
        return of(
                switch (request) {
                    case ChatRequest chat -> text(chat);
                    case CompletionRequest completion -> text(completion);
                });
    }

    /** A conversation that was not understood, in the same words as one that was. */
    Content of(Prompt prompt) {
        StringBuilder text = new StringBuilder();
        for (Message message : prompt.getInstructions()) {
            text.append(message.getMessageType().getValue()).append(": ");
            if (message instanceof ToolResponseMessage results) {
                results.getResponses().forEach(result -> text.append(result.responseData()));
            } else if (message.getText() != null) {
                text.append(message.getText());
            }
            if (message instanceof AssistantMessage assistant) {
                assistant.getToolCalls().forEach(call -> append(text, call.name(), call.arguments()));
            }
            text.append('\n');
        }
        return of(text.toString());
    }

    /** A prompt rejected for its memory need would cost the same memory here, but records are of one request each. */
    private static String text(ChatRequest chat) {
        StringBuilder text = new StringBuilder();
        for (ChatMessage message : chat.messages()) {
            text.append(message.role().templateName()).append(": ");
            append(text, message.reasoning());
            text.append(message.content());
            message.toolCalls().forEach(call -> append(text, call));
            text.append('\n');
        }
        return text.toString();
    }

    private static String text(CompletionRequest completion) {
        StringBuilder text = new StringBuilder();
        for (TextSpan span : completion.prompt()) {
            text.append(span.text());
        }
        return text.toString();
    }

    Content of(Completion completion) {
        StringBuilder text = new StringBuilder();
        append(text, completion.reasoning());
        text.append(completion.text());
        completion.toolCalls().forEach(call -> append(text, call));
        return of(text.toString());
    }

    private static void append(StringBuilder text, @Nullable String reasoning) {
        if (reasoning != null) {
            text.append("(thinking) ").append(reasoning).append('\n');
        }
    }

    private static void append(StringBuilder text, ToolCall call) {
        append(text, call.name(), call.arguments());
    }

    private static void append(StringBuilder text, String tool, String arguments) {
        text.append("\n(tool call) ").append(tool).append(' ').append(arguments);
    }

    private Content of(String text) {
        return new Content(text.length(), hmac(text), withText ? redaction.apply(text) : null);
    }

    private String hmac(String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            return HexFormat.of().formatHex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new AuditException("This JVM has no HmacSHA256, which every JVM must have.", e);
        }
    }

    /** Leaves the key out. */
    @Override
    public String toString() {
        return "ContentSummary[withText=" + withText + "]";
    }
}
