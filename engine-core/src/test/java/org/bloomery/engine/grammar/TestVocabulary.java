package org.bloomery.engine.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.tokenizer.Tokenizer;

/**
 * A vocabulary made for tests: every byte, pieces of JSON, random pieces of text that begin and end anywhere, also within a
 * character, two control tokens and an end of generation.
 */
public final class TestVocabulary implements Tokenizer {

    static final int BEGIN = 0;
    public static final int END = 1;
    public static final int TURN = 2;

    private static final String[] PIECES = {
        "\",\"", "\":", "\":\"", "\": ", "{\"", "\"}", "}}", "}]", "[{", "[[", "]]", "],", "},", "},{", "[]", "{}",
                "true", "false",
        "null", "tr", "alse", ", ", ",\n", "\n  ", "  ", "12", "0.", "-1", "1e", "00", "abc", "\\\"", "\\u", "\\n",
                "the ", " a",
        "é", "ü", "日本", "😀", "name", "\"name\":", "id", "2024-", "-0", ":0", "T1", "@", "//", "::"
    };

    private final List<byte[]> tokens = new ArrayList<>();
    private int firstControl;
    private int lastControl;

    /** The control tokens and these pieces only. */
    public TestVocabulary(String... pieces) {
        for (int i = 0; i <= TURN; i++) {
            tokens.add(new byte[0]);
        }
        for (String piece : pieces) {
            tokens.add(piece.getBytes(StandardCharsets.UTF_8));
        }
    }

    TestVocabulary(Random random, int size) {
        for (int i = 0; i <= TURN; i++) {
            tokens.add(new byte[0]);
        }
        for (int b = 0; b < 256; b++) {
            tokens.add(new byte[] {(byte) b});
        }
        for (String piece : PIECES) {
            tokens.add(piece.getBytes(StandardCharsets.UTF_8));
        }
        String alphabet = "abcdefghijklmnopqrstuvwxyz0123456789 \"{}[]:,.-\\/éß日本語😀";
        int[] characters = alphabet.codePoints().toArray();
        while (tokens.size() < size) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(1, 9); i >= 0; i--) {
                text.appendCodePoint(characters[random.nextInt(characters.length)]);
            }
            byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
            int from = random.nextInt(bytes.length);
            tokens.add(Arrays.copyOfRange(bytes, from, random.nextInt(from, bytes.length) + 1));
        }
    }

    /**
     * More tokens.
     *
     * @param control whether they are control tokens
     * @return the first of them
     */
    int add(List<String> marks, boolean control) {
        int first = tokens.size();
        marks.forEach(mark -> tokens.add(mark.getBytes(StandardCharsets.UTF_8)));
        if (control) {
            firstControl = first;
            lastControl = tokens.size();
        }
        return first;
    }

    @Override
    public int vocabSize() {
        return tokens.size();
    }

    @Override
    public int[] encode(List<TextSpan> spans, boolean addSpecial) {
        throw new UnsupportedOperationException();
    }

    @Override
    public byte[] bytes(int token) {
        return tokens.get(token);
    }

    @Override
    public String spelling(int token) {
        return switch (token) {
            case BEGIN -> "<begin>";
            case END -> "<end>";
            case TURN -> "<turn>";
            default -> new String(tokens.get(token), StandardCharsets.UTF_8);
        };
    }

    @Override
    public int idOf(String spelling) {
        return -1;
    }

    @Override
    public boolean isControl(int token) {
        return token <= TURN || (token >= firstControl && token < lastControl);
    }

    @Override
    public boolean isEndOfGeneration(int token) {
        return token == END;
    }

    @Override
    public int bosToken() {
        return BEGIN;
    }

    @Override
    public int eosToken() {
        return END;
    }

    @Override
    public boolean addsBos() {
        return true;
    }
}
