package org.bloomery.engine.tokenizer;

import java.text.Normalizer;

/**
 * WordPiece (BERT): text is lower-cased and stripped of accents, cut at white space, punctuation and Chinese
 * characters, and each word is covered by the longest pieces from the left, or is unknown as a whole. The vocabulary
 * marks the beginning of a word with ▁, so each word is looked up with one before it. Mirrors llama.cpp's
 * {@code llm_tokenizer_wpm_session}.
 */
final class WordPieceEncoder implements TextEncoder {

    private static final int WORD_START = '▁';

    private final Vocabulary vocabulary;
    private final boolean lowerCases;
    private final boolean stripsAccents;
    private final Trie pieces;

    WordPieceEncoder(Vocabulary vocabulary, boolean lowerCases, boolean stripsAccents) {
        this.vocabulary = vocabulary;
        this.lowerCases = lowerCases;
        this.stripsAccents = stripsAccents;
        this.pieces = new Trie();
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.isOrdinary(id)) {
                pieces.add(vocabulary.spelling(id), id);
            }
        }
    }

    @Override
    public void encode(Text text, int from, int to, Ints ids) {
        Ints word = new Ints();
        for (int i = from; i < to; i++) {
            int codePoint = stripsAccents ? base(text.codePoint(i)) : text.codePoint(i);
            int atom = Unicode.atom(codePoint);
            if ((atom & Unicode.SPACE) != 0) {
                flush(word, ids);
                continue;
            }
            if (codePoint == 0
                    || codePoint == 0xFFFD
                    || isControl(codePoint, atom)
                    || (stripsAccents && atom == Unicode.MARK)) {
                continue;
            }
            int kept = lowerCases ? Unicode.lowerCase(codePoint) : codePoint;
            if ((atom & (Unicode.PUNCTUATION | Unicode.ASCII_SYMBOL)) != 0 || isChinese(codePoint)) {
                flush(word, ids);
                word.add(kept);
                flush(word, ids);
            } else {
                word.add(kept);
            }
        }
        flush(word, ids);
    }

    /** Emits and empties the word. */
    private void flush(Ints word, Ints ids) {
        if (word.size() == 0) {
            return;
        }
        int before = ids.size();
        int at = -1; // the ▁ before the word
        while (at < word.size()) {
            int node = 0;
            int id = -1;
            int end = at;
            for (int i = at; i < word.size(); i++) {
                node = pieces.child(node, i < 0 ? WORD_START : word.get(i));
                if (node < 0) {
                    break;
                }
                if (pieces.value(node) >= 0) {
                    id = pieces.value(node);
                    end = i + 1;
                }
            }
            if (id < 0) {
                ids.truncate(before);
                break;
            }
            ids.add(id);
            at = end;
        }
        if (ids.size() == before && vocabulary.unknown() >= 0) {
            ids.add(vocabulary.unknown());
        }
        word.clear();
    }

    /** The first character of the canonical decomposition. */
    private static int base(int codePoint) {
        if (codePoint < 0xC0 || Unicode.isAssignedLater(codePoint)) {
            return codePoint;
        }
        return Normalizer.normalize(Character.toString(codePoint), Normalizer.Form.NFD)
                .codePointAt(0);
    }

    private static boolean isControl(int codePoint, int atom) {
        return atom == Unicode.OTHER
                && switch (Character.getType(codePoint)) {
                    case Character.CONTROL, Character.FORMAT, Character.PRIVATE_USE, Character.SURROGATE -> true;
                    default -> false;
                };
    }

    /** The ranges of the reference; one starts at 2B920 where Unicode's starts at 2B820. */
    private static boolean isChinese(int codePoint) {
        return (codePoint >= 0x4E00 && codePoint <= 0x9FFF)
                || (codePoint >= 0x3400 && codePoint <= 0x4DBF)
                || (codePoint >= 0x20000 && codePoint <= 0x2A6DF)
                || (codePoint >= 0x2A700 && codePoint <= 0x2B73F)
                || (codePoint >= 0x2B740 && codePoint <= 0x2B81F)
                || (codePoint >= 0x2B920 && codePoint <= 0x2CEAF)
                || (codePoint >= 0xF900 && codePoint <= 0xFAFF)
                || (codePoint >= 0x2F800 && codePoint <= 0x2FA1F);
    }

    @Override
    public byte[] bytes(int token) {
        return vocabulary.plainBytes(token);
    }
}
