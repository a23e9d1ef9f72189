package org.bloomery.spring.autoconfigure;

import java.time.Duration;
import org.bloomery.engine.InvalidOptionException;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What prompts and answers may say. Guards of your own are beans of the types PromptGuard and OutputGuard.
 *
 * @param holdBack How many characters of a streamed answer are held back while there are output guards, 64 to 65,536. What
 *     is longer than this can have begun to appear before it is found.
 * @param timeout How long a guard of your own may take to judge one text, or one window of an answer, 1 ms to 1 h. One that
 *     takes longer blocks.
 * @param pii Whether e-mail addresses, telephone numbers, IBANs, card numbers, IP addresses and German tax identification
 *     numbers are replaced in prompts, answers and the contents of audit records.
 * @param secrets Whether keys, tokens and passwords with a form of their own are replaced in prompts and answers.
 * @param systemPromptLeak Whether an answer that repeats the request's system message is blocked.
 * @param invisibleCharacters Whether zero-width, bidirectional and other format characters are taken out of prompts.
 * @param nfkc Whether prompts are also brought into Unicode's normalization form KC. Works with invisible-characters.
 */
@ConfigurationProperties(BloomeryGuardProperties.PREFIX)
public record BloomeryGuardProperties(
        @DefaultValue("256") int holdBack,
        @DefaultValue("5s") Duration timeout,
        @DefaultValue("false") boolean pii,
        @DefaultValue("false") boolean secrets,
        @DefaultValue("false") boolean systemPromptLeak,
        @DefaultValue("false") boolean invisibleCharacters,
        @DefaultValue("false") boolean nfkc) {

    static final String PREFIX = "bloomery.guards";

    /** @throws InvalidOptionException naming the property, its value and its range */
    public BloomeryGuardProperties {
        if (holdBack < 64 || holdBack > 65_536) {
            throw new InvalidOptionException(
                    "Property '" + PREFIX + ".hold-back' is " + holdBack + "; it must be 64 to 65536.");
        }
        if (timeout.compareTo(Duration.ofMillis(1)) < 0 || timeout.compareTo(Duration.ofHours(1)) > 0) {
            throw new InvalidOptionException(
                    "Property '" + PREFIX + ".timeout' is " + timeout + "; it must be 1ms to 1h.");
        }
        if (nfkc && !invisibleCharacters) {
            throw new InvalidOptionException("Property '" + PREFIX + ".nfkc' is true, but '" + PREFIX
                    + ".invisible-characters' is false; switch both on.");
        }
    }
}
