package org.bloomery.engine.tokenizer;

import java.util.List;
import org.bloomery.engine.TextSpan;

/** A tokenizer over a vocabulary: special tokens first, ordinary text between them by the vocabulary's kind. */
final class VocabularyTokenizer implements Tokenizer {

    private final Vocabulary vocabulary;
    private final SpecialTokens specialTokens;
    private final TextEncoder encoder;
    private final int begin;
    private final int end;

    /**
     * @param begin token before every prompt, -1 for none
     * @param end token after every prompt, -1 for none
     */
    VocabularyTokenizer(Vocabulary vocabulary, TextEncoder encoder, int begin, int end) {
        this.vocabulary = vocabulary;
        this.specialTokens = new SpecialTokens(vocabulary);
        this.encoder = encoder;
        this.begin = begin;
        this.end = end;
    }

    @Override
    public int vocabSize() {
        return vocabulary.size();
    }

    @Override
    public int[] encode(List<TextSpan> spans, boolean addSpecial) {
        Text text = new Text(spans);
        Ints ids = new Ints();
        if (addSpecial && begin >= 0) {
            ids.add(begin);
        }
        int done = 0;
        for (SpecialTokens.Found found : specialTokens.find(text)) {
            if (found.start() > done) {
                encoder.encode(text, done, found.start(), ids);
            }
            ids.add(found.id());
            done = found.end();
        }
        if (text.length() > done) {
            encoder.encode(text, done, text.length(), ids);
        }
        if (addSpecial && end >= 0) {
            ids.add(end);
        }
        return ids.toArray();
    }

    @Override
    public byte[] bytes(int token) {
        return vocabulary.is(token, Vocabulary.CONTROL | Vocabulary.UNKNOWN) ? new byte[0] : encoder.bytes(token);
    }

    @Override
    public String spelling(int token) {
        return vocabulary.spelling(token);
    }

    @Override
    public int idOf(String spelling) {
        return vocabulary.index().find(spelling);
    }

    @Override
    public boolean isControl(int token) {
        return vocabulary.is(token, Vocabulary.CONTROL);
    }

    @Override
    public boolean isEndOfGeneration(int token) {
        return vocabulary.is(token, Vocabulary.ENDS_GENERATION);
    }

    @Override
    public int bosToken() {
        return vocabulary.bos();
    }

    @Override
    public int eosToken() {
        return vocabulary.eos();
    }

    @Override
    public boolean addsBos() {
        return begin >= 0;
    }
}
