package org.bloomery.spring.security;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import org.bloomery.engine.EngineException;
import org.jspecify.annotations.Nullable;

/**
 * Which chat template may be used: it decides what a model takes for instructions.
 *
 * @param source where it comes from
 * @param sha256 its SHA-256 in hexadecimal, for {@link Source#PINNED}
 */
public record ChatTemplatePolicy(Source source, @Nullable String sha256) {

    /** Where a chat template comes from. */
    public enum Source {
        /** From the model, or from the configuration where that has one. */
        EMBEDDED,
        /** From wherever, but only the one of a known SHA-256. */
        PINNED,
        /** From the configuration; the model's own is not used. */
        OVERRIDE
    }

    /**
     * Judges a template.
     *
     * @param embedded the model's own, or null
     * @param override the configuration's, or null
     */
    ModelVerdict judge(@Nullable String embedded, @Nullable String override) {
        return switch (source) {
            case EMBEDDED -> ModelVerdict.ACCEPTED;
            case OVERRIDE ->
                override != null
                        ? ModelVerdict.ACCEPTED
                        : ModelVerdict.refused(
                                "The chat template must come from the configuration, but none is set there;"
                                        + " set 'bloomery.engine.chat-template'.");
            case PINNED -> pinned(override != null ? override : embedded);
        };
    }

    private ModelVerdict pinned(@Nullable String template) {
        String found = template == null ? "none" : hash(template);
        String expected = sha256 == null ? "" : sha256.toLowerCase(Locale.ROOT);
        return found.equals(expected)
                ? ModelVerdict.ACCEPTED
                : ModelVerdict.refused("The chat template has the SHA-256 " + found + ", but " + expected
                        + " is pinned; use the model that has it, or examine the template and pin its hash.");
    }

    private static String hash(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new EngineException("This JVM has no SHA-256, which every JVM must have.", e);
        }
    }
}
