package org.bloomery.benchmarks;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.tokenizer.Tokenizer;

/**
 * A vocabulary as large as those of today's models: every byte, punctuation as JSON has it, and words made of syllables, so
 * that they begin alike as real words do. It only knows its tokens; it encodes nothing.
 */
final class SyntheticVocabulary implements Tokenizer {

    private static final int END = 0;

    private final List<byte[]> tokens = new ArrayList<>();

    SyntheticVocabulary(int size, long seed) {
        Random random = new Random(seed);
        tokens.add(new byte[0]);
        for (int b = 0; b < 256; b++) {
            tokens.add(new byte[] {(byte) b});
        }
        Set<String> words = new LinkedHashSet<>(List.of(
                "\",", "\":", "\": ", "\": \"", "\", \"", "{\"", "\"}", "},", "},{", "}]", "]}", "[]", "{}", "\\\"",
                "\\n", "  ", "    ", "\n", "\n\n", "true", "false", "null", "://", "()", "=>", "):", "',", "'s"));
        for (int i = 0; i < 1_000; i++) {
            words.add(Integer.toString(i));
        }
        String[] syllables = syllables(random);
        while (words.size() < size - tokens.size()) {
            StringBuilder word = new StringBuilder(random.nextBoolean() ? " " : "");
            for (int i = random.nextInt(5); i >= 0; i--) {
                word.append(syllables[(int) (syllables.length * Math.pow(random.nextDouble(), 2))]);
            }
            words.add(word.toString());
        }
        words.forEach(word -> tokens.add(word.getBytes(StandardCharsets.UTF_8)));
    }

    private static String[] syllables(Random random) {
        String[] alphabets = {"abcdefghijklmnoprstuvwy", "абвгдеиклмнопрст", "日本語中文字学生大小"};
        String[] syllables = new String[900];
        for (int i = 0; i < syllables.length; i++) {
            String alphabet = alphabets[i % 10 == 0 ? 1 : i % 10 == 1 ? 2 : 0];
            StringBuilder syllable = new StringBuilder();
            for (int k = random.nextInt(3); k >= 0; k--) {
                syllable.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            syllables[i] = syllable.toString();
        }
        return syllables;
    }

    @Override
    public int vocabSize() {
        return tokens.size();
    }

    @Override
    public int[] encode(List<TextSpan> spans, boolean addSpecial) {
        throw new UnsupportedOperationException("A synthetic vocabulary encodes nothing.");
    }

    @Override
    public byte[] bytes(int token) {
        return tokens.get(token);
    }

    @Override
    public String spelling(int token) {
        return new String(bytes(token), StandardCharsets.UTF_8);
    }

    @Override
    public int idOf(String spelling) {
        return -1;
    }

    @Override
    public boolean isControl(int token) {
        return token == END;
    }

    @Override
    public boolean isEndOfGeneration(int token) {
        return token == END;
    }

    @Override
    public int bosToken() {
        return -1;
    }

    @Override
    public int eosToken() {
        return END;
    }

    @Override
    public boolean addsBos() {
        return false;
    }
}
