package org.bloomery.engine.audit;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What happened to one request. Nothing in it is text of a prompt or an answer, unless a {@link Content} has it.
 *
 * @param time when the request came
 * @param requestId the engine's id, or null for a request that never reached it
 * @param principal who asked
 * @param tenant on whose behalf
 * @param model what was asked
 * @param options how: names to numbers, truth values or short words of ours
 * @param outcome how it ended
 * @param finishReason why the answer ended, or null where there is none
 * @param error the exception's class, or null; its message stays out
 * @param tokens figures of the engine, or null where it gave none
 * @param guards what guards said against it
 * @param toolCalls names of the tools that the answer calls
 * @param timings where the time went, or null where nothing ran
 * @param prompt the conversation as it was given
 * @param answer the answer as it was handed out, or null where there is none
 */
public record AuditRecord(
        Instant time,
        @Nullable String requestId,
        String principal,
        String tenant,
        Model model,
        SortedMap<String, Object> options,
        Outcome outcome,
        @Nullable String finishReason,
        @Nullable String error,
        @Nullable Tokens tokens,
        List<GuardVerdict> guards,
        List<String> toolCalls,
        @Nullable Spent timings,
        Content prompt,
        @Nullable Content answer) {

    /** How a request ended. */
    public enum Outcome {
        /** With an answer, whole or cut short. */
        COMPLETED,
        /** Stopped by its caller. */
        CANCELLED,
        /** With an error after it had begun. */
        FAILED,
        /** Before the engine saw it, or by the engine before anything ran. */
        REFUSED
    }

    /**
     * A model.
     *
     * @param name its name
     * @param digest SHA-256 of its file in hexadecimal, or null where nobody computed it
     * @param templateHash SHA-256 of its chat template in hexadecimal, or null where it has none
     */
    public record Model(
            String name, @Nullable String digest, @Nullable String templateHash) {}

    /**
     * Tokens of one request.
     *
     * @param prompt tokens of the prompt
     * @param completion tokens generated
     * @param cached tokens of the prompt that were in the cache
     */
    public record Tokens(int prompt, int completion, int cached) {}

    /**
     * Where the time went.
     *
     * @param queued from submission to the first prefill
     * @param prefill from there to the first token
     * @param decode from there to the end
     */
    public record Spent(Duration queued, Duration prefill, Duration decode) {}

    /**
     * What a guard said.
     *
     * @param guard its name
     * @param stage {@code prompt}, {@code output} or {@code tool}
     * @param action {@code REDACT} or {@code BLOCK}
     * @param reason a code, never text of the request
     */
    public record GuardVerdict(String guard, String stage, String action, String reason) {}

    /**
     * A text, or what can be told of it without it.
     *
     * @param length characters of the whole text
     * @param hmac HMAC-SHA-256 of the whole text in hexadecimal: tells whether two texts are equal, to holders of the key
     * @param text the text, cut off after {@value #MOST_CHARACTERS} characters, or null to leave it out
     */
    public record Content(
            long length, String hmac, @Nullable String text) {

        /** Characters of a text that a record keeps. */
        public static final int MOST_CHARACTERS = 1_000_000;

        public Content {
            if (text != null && text.length() > MOST_CHARACTERS) {
                text = text.substring(0, MOST_CHARACTERS);
            }
        }

        /** Leaves the text out. */
        @Override
        public String toString() {
            return "Content[" + length + " characters]";
        }
    }

    public AuditRecord {
        options = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(options));
        guards = List.copyOf(guards);
        toolCalls = List.copyOf(toolCalls);
        for (Map.Entry<String, Object> option : options.entrySet()) {
            Object value = option.getValue();
            if (!(value instanceof Number || value instanceof Boolean || value instanceof String)) {
                throw new IllegalArgumentException("Option '" + option.getKey() + "' of an audit record is a "
                        + value.getClass().getSimpleName() + "; it must be a number, a truth value or a word.");
            }
        }
    }
}
