package org.bloomery.engine.chat;

import java.util.List;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.tokenizer.Tokenizer;

/** A tokenizer with a begin and an end token and nothing else. */
record FewTokens(String bos, String eos, boolean addsBos) implements Tokenizer {

    static final FewTokens CHATML = new FewTokens("<|endoftext|>", "<|im_end|>", false);

    @Override
    public int vocabSize() {
        return 2;
    }

    @Override
    public int[] encode(List<TextSpan> spans, boolean addSpecial) {
        throw new UnsupportedOperationException();
    }

    @Override
    public byte[] bytes(int token) {
        return new byte[0];
    }

    @Override
    public String spelling(int token) {
        return token == 0 ? bos : eos;
    }

    @Override
    public int idOf(String spelling) {
        return spelling.equals(bos) ? 0 : spelling.equals(eos) ? 1 : -1;
    }

    @Override
    public boolean isControl(int token) {
        return true;
    }

    @Override
    public boolean isEndOfGeneration(int token) {
        return token == 1;
    }

    @Override
    public int bosToken() {
        return 0;
    }

    @Override
    public int eosToken() {
        return 1;
    }
}
