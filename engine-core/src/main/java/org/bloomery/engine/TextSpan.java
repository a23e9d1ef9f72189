package org.bloomery.engine;

/**
 * A run of prompt text with its origin.
 *
 * @param text the characters
 * @param trusted true where the text comes from the model's own template or its operator, so that control tokens
 *     written in it count; false for text of users, documents and tools, in which they are ordinary characters
 */
public record TextSpan(String text, boolean trusted) {

    public static TextSpan trusted(String text) {
        return new TextSpan(text, true);
    }

    public static TextSpan untrusted(String text) {
        return new TextSpan(text, false);
    }

    /** Names the length only: prompt text stays out of logs. */
    @Override
    public String toString() {
        return "TextSpan[" + text.length() + " characters, " + (trusted ? "trusted" : "untrusted") + "]";
    }
}
