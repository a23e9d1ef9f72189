package org.bloomery.engine.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * SentencePiece unigram (T5, multilingual embedding models): text is normalised, then cut into the tokens whose scores
 * have the greatest sum (Viterbi). Mirrors llama.cpp's {@code llm_tokenizer_ugm_session}.
 */
final class UnigramEncoder implements TextEncoder {

    private static final double UNKNOWN_PENALTY = 10;
    private static final byte[] BLANK = "▁".getBytes(StandardCharsets.UTF_8);

    private final Vocabulary vocabulary;
    private final float[] scores;
    private final double unknownScore;
    private final boolean prefixesBlank;
    private final boolean mergesBlanks;
    private final CharacterMap characterMap;
    private final Trie pieces = new Trie();
    private final Trie userDefined = new Trie();

    /**
     * @param prefixesBlank whether a blank is put before the first word
     * @param mergesBlanks whether runs of blanks count as one, and those at the end as none
     */
    UnigramEncoder(
            Vocabulary vocabulary,
            float[] scores,
            boolean prefixesBlank,
            boolean mergesBlanks,
            CharacterMap characterMap) {
        this.vocabulary = vocabulary;
        this.scores = scores;
        this.prefixesBlank = prefixesBlank;
        this.mergesBlanks = mergesBlanks;
        this.characterMap = characterMap;
        float least = Float.MAX_VALUE;
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.is(id, Vocabulary.NORMAL)) {
                least = Math.min(least, scores[id]);
            }
            if (vocabulary.isOrdinary(id)
                    && vocabulary.is(id, Vocabulary.NORMAL | Vocabulary.USER_DEFINED | Vocabulary.UNUSED)) {
                pieces.add(vocabulary.spelling(id), id);
            }
            if (vocabulary.is(id, Vocabulary.USER_DEFINED)) {
                // One character a byte: prefixes are compared as UTF-8.
                byte[] utf8 = vocabulary.spelling(id).getBytes(StandardCharsets.UTF_8);
                userDefined.add(new String(utf8, StandardCharsets.ISO_8859_1), id);
            }
        }
        unknownScore = (float) (least - UNKNOWN_PENALTY);
    }

    @Override
    public void encode(Text text, int from, int to, Ints ids) {
        int[] normal = new String(normalised(text, from, to), StandardCharsets.UTF_8)
                .codePoints()
                .toArray();
        int[] tokens = new int[normal.length + 1];
        int[] starts = new int[normal.length + 1];
        double[] sums = new double[normal.length + 1];
        Arrays.fill(sums, -Double.MAX_VALUE);
        sums[0] = 0;
        for (int start = 0; start < normal.length; start++) {
            boolean single = false;
            int node = 0;
            for (int end = start + 1; end <= normal.length; end++) {
                node = pieces.child(node, normal[end - 1]);
                if (node < 0) {
                    break;
                }
                int token = pieces.value(node);
                if (token >= 0) {
                    single |= end == start + 1;
                    double sum = sums[start] + (vocabulary.is(token, Vocabulary.USER_DEFINED) ? 0 : scores[token]);
                    if (sum > sums[end]) {
                        sums[end] = sum;
                        tokens[end] = token;
                        starts[end] = start;
                    }
                }
            }
            if (!single && sums[start] + unknownScore > sums[start + 1]) {
                sums[start + 1] = sums[start] + unknownScore;
                tokens[start + 1] = vocabulary.unknown();
                starts[start + 1] = start;
            }
        }
        int first = ids.size();
        boolean afterUnknown = false;
        for (int end = normal.length; end > 0; end = starts[end]) {
            boolean unknown = tokens[end] == vocabulary.unknown();
            if (!(unknown && afterUnknown)) {
                ids.add(tokens[end]);
            }
            afterUnknown = unknown;
        }
        ids.reverse(first, ids.size());
    }

    /** UTF-8 after the character map, blanks escaped, merged and prefixed as the model asks. */
    private byte[] normalised(Text text, int from, int to) {
        byte[] in = utf8(text, from, to);
        ByteArrayOutputStream out = new ByteArrayOutputStream(in.length + BLANK.length);
        ByteArrayOutputStream part = new ByteArrayOutputStream();
        boolean prefixed = false;
        boolean inWord = false;
        for (int at = 0; at < in.length; ) {
            part.reset();
            int taken = userDefinedPrefix(in, at);
            if (taken > 0) {
                part.write(in, at, taken);
            } else {
                taken = characterMap.replace(in, at, part);
            }
            if (taken == 0) {
                taken = Math.min(sequenceLength(in[at]), in.length - at);
                part.write(in, at, taken);
            }
            at += taken;
            for (byte b : part.toByteArray()) {
                if (b != ' ') {
                    if (!inWord && ((prefixesBlank && !prefixed) || mergesBlanks)) {
                        out.writeBytes(BLANK);
                        prefixed = true;
                    }
                    out.write(b);
                } else if (!mergesBlanks) {
                    out.writeBytes(BLANK);
                }
                inWord = b != ' ';
            }
        }
        return out.toByteArray();
    }

    /**
     * Bytes at an index that begin a user-defined token, which normalisation leaves alone: as far as any such token
     * goes, whole or not, as in the reference.
     */
    private int userDefinedPrefix(byte[] in, int at) {
        int node = 0;
        int length = 0;
        while (at + length < in.length) {
            node = userDefined.child(node, in[at + length] & 0xFF);
            if (node < 0) {
                break;
            }
            length++;
        }
        return length;
    }

    private static byte[] utf8(Text text, int from, int to) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(to - from);
        byte[] one = new byte[4];
        for (int i = from; i < to; i++) {
            out.write(one, 0, Text.utf8(text.codePoint(i), one, 0));
        }
        return out.toByteArray();
    }

    /** Bytes of the UTF-8 sequence that a byte begins. */
    private static int sequenceLength(byte first) {
        int value = first & 0xFF;
        return value < 0xC0 ? 1 : value < 0xE0 ? 2 : value < 0xF0 ? 3 : 4;
    }

    @Override
    public byte[] bytes(int token) {
        return vocabulary.plainBytes(token);
    }
}
