package org.bloomery.engine.tokenizer;

import java.util.Arrays;
import java.util.List;
import org.bloomery.engine.format.ModelFormatException;
import org.jspecify.annotations.Nullable;

/**
 * Merges over code points with ▁ for the blank, and bytes for characters that the vocabulary lacks: SentencePiece BPE
 * (Llama 2, Phi-3, Gemma), where any two neighbours that spell a token merge, the best score first; and its relatives
 * with a list of merges (Gemma 4).
 *
 * <p>Unlike llama.cpp, and like SentencePiece, plain text never merges into a control, unknown or byte token that happens
 * to be spelt like it.
 */
final class SentencePieceEncoder implements TextEncoder {

    private static final char BLANK = '▁';

    /** Finding the parts of a piece takes time with the square of its length; SentencePiece makes 16 by default. */
    private static final int LONGEST_PIECE = 512;

    private final Vocabulary vocabulary;
    /** How text is cut before merging; null where it is merged as a whole. */
    private final @Nullable PreTokenizer preTokenizer;

    private final boolean prefixesBlank;
    private final CharacterSymbols characters;
    private final Merges merges;
    private final int[] byteTokens;

    private SentencePieceEncoder(
            Vocabulary vocabulary,
            @Nullable PreTokenizer preTokenizer,
            boolean prefixesBlank,
            CharacterSymbols characters,
            Merges merges) {
        this.vocabulary = vocabulary;
        this.preTokenizer = preTokenizer;
        this.prefixesBlank = prefixesBlank;
        this.characters = characters;
        this.merges = merges;
        this.byteTokens = vocabulary.byteTokens();
        if (preTokenizer == null) {
            fillMissingBytes();
        }
    }

    /** @param prefixesBlank whether a blank is put before text that begins a prompt or follows a special token */
    static SentencePieceEncoder byScores(Vocabulary vocabulary, float[] scores, boolean prefixesBlank) {
        CharacterSymbols characters = new CharacterSymbols(vocabulary);
        return new SentencePieceEncoder(
                vocabulary, null, prefixesBlank, characters, scoredMerges(vocabulary, characters, scores));
    }

    static SentencePieceEncoder byMerges(Vocabulary vocabulary, PreTokenizer preTokenizer, List<String> rules) {
        CharacterSymbols characters = new CharacterSymbols(vocabulary);
        Merges merges = BytePairEncoder.merges(vocabulary, rules, characters.lengths());
        return new SentencePieceEncoder(vocabulary, preTokenizer, false, characters, merges);
    }

    /** Every way to make a token of two symbols, ranked by the token's score; equal scores have equal rank. */
    private static Merges scoredMerges(Vocabulary vocabulary, CharacterSymbols characters, float[] scores) {
        float[] distinct = scores.clone();
        for (int i = 0; i < distinct.length; i++) {
            distinct[i] = -distinct[i] + 0f; // ascending order is best first; +0 makes both zeros one
        }
        float[] negated = distinct.clone();
        Arrays.sort(distinct);
        LongIntMap rules = new LongIntMap(2 * vocabulary.size());
        Ints ranks = new Ints();
        Ints results = new Ints();
        for (int id = 0; id < vocabulary.size(); id++) {
            if (!isPiece(vocabulary, id)) {
                continue;
            }
            String spelling = vocabulary.spelling(id);
            if (spelling.length() > LONGEST_PIECE) {
                throw new ModelFormatException("'" + Vocabulary.KEY + "tokens' entry " + id + " has "
                        + spelling.length() + " characters; a piece that merges has at most " + LONGEST_PIECE);
            }
            int rank = firstIndex(distinct, negated[id]);
            int[] beginnings = vocabulary.index().findBeginnings(spelling);
            int first = Character.charCount(spelling.codePointAt(0));
            for (int cut = first; cut < spelling.length(); ) {
                int left = cut == first ? characters.symbol(spelling.codePointAt(0)) : beginnings[cut];
                if (cut != first && left >= 0 && !isPiece(vocabulary, left)) {
                    left = -1;
                }
                int right = left < 0 ? -1 : symbol(vocabulary, characters, spelling, cut, spelling.length());
                if (right >= 0) {
                    rules.putIfAbsent(Merges.pair(left, right), results.size());
                    ranks.add(rank);
                    results.add(id);
                }
                cut += Character.charCount(spelling.codePointAt(cut));
            }
        }
        return new Merges(rules, ranks.toArray(), results.toArray(), characters.lengths());
    }

    private static int firstIndex(float[] sorted, float value) {
        int low = 0;
        int high = sorted.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (sorted[middle] < value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private static boolean isPiece(Vocabulary vocabulary, int id) {
        return vocabulary.isOrdinary(id) && !vocabulary.is(id, Vocabulary.BYTE);
    }

    private static int symbol(Vocabulary vocabulary, CharacterSymbols characters, String text, int from, int to) {
        int first = text.codePointAt(from);
        if (to - from == Character.charCount(first)) {
            return characters.symbol(first);
        }
        int id = vocabulary.ordinary(text, from, to);
        return id >= 0 && isPiece(vocabulary, id) ? id : -1;
    }

    /** Bytes without a token of their own fall back to the character with that number, then to the unknown token; else they are left out. */
    private void fillMissingBytes() {
        for (int value = 0; value < byteTokens.length; value++) {
            if (byteTokens[value] < 0 && value < 0x80) {
                byteTokens[value] = vocabulary.ordinary(String.valueOf((char) value), 0, 1);
            }
            int unknown = vocabulary.unknown();
            if (byteTokens[value] < 0 && unknown >= 0 && !vocabulary.is(unknown, Vocabulary.CONTROL)) {
                byteTokens[value] = unknown;
            }
        }
    }

    @Override
    public void encode(Text text, int from, int to, Ints ids) {
        MergeQueue queue = new MergeQueue();
        if (preTokenizer == null) {
            encodeWord(text, from, to, prefixesBlank, queue, ids);
            return;
        }
        Ints words = preTokenizer.words(text, from, to);
        int start = from;
        for (int word = 0; word < words.size(); word++) {
            int end = words.get(word);
            if (!preTokenizer.takesNewlinesWhole() || !takeNewlines(text, start, end, ids)) {
                encodeWord(text, start, end, false, queue, ids);
            }
            start = end;
        }
    }

    private boolean takeNewlines(Text text, int from, int to, Ints ids) {
        if (text.codePoint(from) != '\n' || to - from > vocabulary.index().longest()) {
            return false;
        }
        int id = vocabulary.ordinary("\n".repeat(to - from), 0, to - from);
        if (id >= 0) {
            ids.add(id);
        }
        return id >= 0;
    }

    private void encodeWord(Text text, int from, int to, boolean blankFirst, MergeQueue queue, Ints ids) {
        int shift = blankFirst ? 1 : 0;
        int[] units = new int[to - from + shift];
        if (blankFirst) {
            units[0] = characters.symbol(BLANK);
        }
        for (int i = from; i < to; i++) {
            units[i - from + shift] = characters.symbol(escaped(text.codePoint(i)));
        }
        merges.merge(units, units.length, queue);
        byte[] utf8 = new byte[4];
        for (int i = 0; i < units.length; i += merges.length(units[i])) {
            if (units[i] >= 0 && units[i] < vocabulary.size()) {
                ids.add(units[i]);
                continue;
            }
            int codePoint = i < shift ? BLANK : escaped(text.codePoint(from + i - shift));
            int count = Text.utf8(codePoint, utf8, 0);
            for (int b = 0; b < count; b++) {
                int id = byteTokens[utf8[b] & 0xFF];
                if (id >= 0) {
                    ids.add(id);
                }
            }
        }
    }

    private static int escaped(int codePoint) {
        return codePoint == ' ' ? BLANK : codePoint;
    }

    @Override
    public byte[] bytes(int token) {
        return vocabulary.plainBytes(token);
    }
}
