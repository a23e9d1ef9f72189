package org.bloomery.engine.tokenizer;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bloomery.engine.format.ModelFormatException;

/**
 * Byte-level byte-pair encoding (GPT-2 and its descendants): words of a {@link PreTokenizer}, each merged from its
 * UTF-8 bytes. Tokens spell a byte as one of 256 printable characters.
 */
final class BytePairEncoder implements TextEncoder {

    /** Byte → the character that spells it, and back (-1 for none). */
    private static final char[] CHARACTER_OF = new char[256];

    private static final short[] BYTE_OF = new short[512];

    static {
        Arrays.fill(BYTE_OF, (short) -1);
        int next = 256;
        for (int value = 0; value < 256; value++) {
            boolean printable = (value >= '!' && value <= '~') || (value >= 0xA1 && value <= 0xFF && value != 0xAD);
            CHARACTER_OF[value] = (char) (printable ? value : next++);
            BYTE_OF[CHARACTER_OF[value]] = (short) value;
        }
    }

    /** Merge rules that one thread reads at a time. */
    private static final int RULES_AT_ONCE = 1 << 14;

    private final Vocabulary vocabulary;
    private final PreTokenizer preTokenizer;
    private final Merges merges;
    private final int[] byteTokens = new int[256];

    BytePairEncoder(Vocabulary vocabulary, PreTokenizer preTokenizer, List<String> rules) {
        this.vocabulary = vocabulary;
        this.preTokenizer = preTokenizer;
        int[] lengths = new int[vocabulary.size()];
        for (int id = 0; id < lengths.length; id++) {
            lengths[id] = vocabulary.spelling(id).length(); // one char a byte in what bytes can merge to
        }
        this.merges = merges(vocabulary, rules, lengths);
        for (int value = 0; value < 256; value++) {
            byteTokens[value] = vocabulary.ordinary(String.valueOf(CHARACTER_OF[value]), 0, 1);
        }
    }

    /**
     * Rules of the form {@code left right}, the most urgent first.
     *
     * @throws ModelFormatException where a rule has another form or names what is no token
     */
    static Merges merges(Vocabulary vocabulary, List<String> rules, int[] lengths) {
        int count = rules.size();
        long[] pairs = new long[count];
        int[] results = new int[count];
        // Finding three spellings for each of some hundred thousand rules is most of what a model waits for at its
        // start.
        IntStream.range(0, Math.ceilDiv(count, RULES_AT_ONCE)).parallel().forEach(part -> {
            int from = part * RULES_AT_ONCE;
            resolve(vocabulary.index(), rules, from, Math.min(count, from + RULES_AT_ONCE), pairs, results);
        });
        LongIntMap index = new LongIntMap(count);
        int[] ranks = new int[count];
        for (int rank = 0; rank < count; rank++) {
            int result = results[rank];
            if (result < 0) {
                throw new ModelFormatException("'" + Vocabulary.KEY + "merges' entry " + rank
                        + (rules.get(rank).indexOf(' ', 1) < 0
                                ? " has no blank; a merge is two tokens with a blank between"
                                : " joins what is no token, or to what is no token; both parts and the result must be"
                                        + " in '" + Vocabulary.KEY + "tokens'"));
            }
            ranks[rank] = rank;
            if (vocabulary.isOrdinary(result)) {
                index.putIfAbsent(pairs[rank], rank);
            }
        }
        return new Merges(index, ranks, results, lengths);
    }

    /** Finds the pair and the result of some rules; the result is -1 where a rule is wrong. */
    private static void resolve(
            SpellingIndex index, List<String> rules, int from, int to, long[] pairs, int[] results) {
        for (int rank = from; rank < to; rank++) {
            String rule = rules.get(rank);
            int blank = rule.indexOf(' ', 1);
            int left = blank < 0 ? -1 : index.find(rule, 0, blank);
            int right = left < 0 ? -1 : index.find(rule, blank + 1, rule.length());
            results[rank] = right < 0 ? -1 : index.findWithout(rule, blank);
            pairs[rank] = right < 0 ? -1 : Merges.pair(left, right);
        }
    }

    @Override
    public void encode(Text text, int from, int to, Ints ids) {
        Ints words = preTokenizer.words(text, from, to);
        MergeQueue queue = new MergeQueue();
        byte[] bytes = new byte[256];
        int[] units = new int[256];
        int start = from;
        for (int word = 0; word < words.size(); word++) {
            int end = words.get(word);
            int most = Math.multiplyExact(4, end - start);
            if (most > bytes.length) {
                bytes = new byte[utf8Length(text, start, end) + 4];
                units = new int[bytes.length];
            }
            int count = 0;
            for (int i = start; i < end; i++) {
                count += Text.utf8(text.codePoint(i), bytes, count);
            }
            encodeWord(bytes, units, count, queue, ids);
            start = end;
        }
    }

    private void encodeWord(byte[] bytes, int[] units, int count, MergeQueue queue, Ints ids) {
        if (preTokenizer.ignoresMerges()
                && count > 1
                && count <= vocabulary.index().longest()) {
            int whole = wholeWord(bytes, count);
            if (whole >= 0) {
                ids.add(whole);
                return;
            }
        }
        for (int i = 0; i < count; i++) {
            units[i] = byteTokens[bytes[i] & 0xFF];
        }
        merges.merge(units, count, queue);
        for (int i = 0; i < count; i += merges.length(units[i])) {
            if (units[i] >= 0) { // a byte that the vocabulary lacks is left out, as in the reference
                ids.add(units[i]);
            }
        }
    }

    private int wholeWord(byte[] bytes, int count) {
        StringBuilder spelling = new StringBuilder(count);
        for (int i = 0; i < count; i++) {
            spelling.append(CHARACTER_OF[bytes[i] & 0xFF]);
        }
        return vocabulary.ordinary(spelling, 0, count);
    }

    private static int utf8Length(Text text, int from, int to) {
        int length = 0;
        for (int i = from; i < to; i++) {
            int codePoint = text.codePoint(i);
            length = Math.addExact(length, codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4);
        }
        return length;
    }

    @Override
    public byte[] bytes(int token) {
        if (!vocabulary.is(token, Vocabulary.NORMAL)) {
            return vocabulary.plainBytes(token);
        }
        String spelling = vocabulary.spelling(token);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(spelling.length());
        byte[] utf8 = new byte[4];
        for (int i = 0; i < spelling.length(); i += Character.charCount(spelling.codePointAt(i))) {
            int codePoint = spelling.codePointAt(i);
            int value = codePoint < BYTE_OF.length ? BYTE_OF[codePoint] : -1;
            if (value >= 0) {
                bytes.write(value);
            } else { // no byte: the character stands for itself
                bytes.write(utf8, 0, Text.utf8(codePoint, utf8, 0));
            }
        }
        return bytes.toByteArray();
    }
}
