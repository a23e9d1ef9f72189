package org.bloomery.engine.tokenizer;

import java.util.List;
import org.bloomery.engine.TextSpan;

/** Text to token ids and back. Immutable and safe for use by many threads. */
public interface Tokenizer {

    /** Number of token ids. */
    int vocabSize();

    /**
     * Tokenises a prompt as one text. Control tokens are recognised only where they lie wholly in trusted spans; the
     * boundaries of spans have no other effect. User-defined tokens are recognised everywhere.
     *
     * @param addSpecial whether to add the model's begin and end tokens as its metadata asks for
     */
    int[] encode(List<TextSpan> spans, boolean addSpecial);

    /** Tokenises one text, with or without recognising control tokens in it. */
    default int[] encode(String text, boolean parseSpecial, boolean addSpecial) {
        return encode(List.of(new TextSpan(text, parseSpecial)), addSpecial);
    }

    /** The bytes a token stands for when it is generated as content; empty for control tokens. */
    byte[] bytes(int token);

    /** The token as the file spells it, control tokens included. */
    String spelling(int token);

    /** The id with exactly this spelling, or -1. */
    int idOf(String spelling);

    /** Whether it is a control token (begin, end of turn, …). */
    boolean isControl(int token);

    /** Whether generating it ends the answer (end of text, of turn, of message). */
    boolean isEndOfGeneration(int token);

    /** Begin-of-sequence token, or -1. */
    int bosToken();

    /** End-of-sequence token, or -1. */
    int eosToken();

    /** Whether the model wants the begin token before a prompt. */
    boolean addsBos();

    /** Turns generated tokens into text, never half a character. One generation, one decoder. */
    default StreamingDecoder decoder() {
        return new StreamingDecoder(this);
    }
}
