package org.bloomery.engine.tokenizer;

/** How a kind of vocabulary turns ordinary text, in which no special token is left, into ids and back into bytes. */
interface TextEncoder {

    /** Appends the ids of {@code [from, to)}, which begins the prompt or follows a special token. */
    void encode(Text text, int from, int to, Ints ids);

    /** The bytes of a token that is neither control nor unknown. */
    byte[] bytes(int token);
}
