package org.bloomery.engine.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Turns generated tokens into text piece by piece and never emits half a character: bytes of an unfinished UTF-8
 * sequence wait for the next token; bytes that cannot become a character come out as U+FFFD. Not safe for use by
 * several threads.
 *
 * <p>An answer continues its prompt, so the blank that SentencePiece vocabularies put before a word is kept at the
 * beginning of an answer too, as llama.cpp does; who shows the answer alone may strip it.
 */
public final class StreamingDecoder {

    private final Tokenizer tokenizer;
    private final CharsetDecoder utf8 = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);

    /** The at most three bytes that wait for the rest of their character. */
    private byte[] waiting = new byte[0];

    StreamingDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** Takes a token and returns the characters that are complete now, possibly none. */
    public String accept(int token) {
        byte[] bytes = tokenizer.bytes(token);
        return bytes.length == 0 ? "" : decode(bytes, false);
    }

    /** The end of the answer: what still waits comes out as U+FFFD. The decoder is then ready for another answer. */
    public String finish() {
        String rest = decode(new byte[0], true);
        utf8.reset();
        return rest;
    }

    private String decode(byte[] bytes, boolean end) {
        ByteBuffer in = ByteBuffer.allocate(waiting.length + bytes.length)
                .put(waiting)
                .put(bytes)
                .flip();
        CharBuffer out = CharBuffer.allocate(in.remaining() + 1);
        utf8.decode(in, out, end);
        if (end) {
            utf8.flush(out);
        }
        waiting = new byte[in.remaining()];
        in.get(waiting);
        return out.flip().toString();
    }
}
