package org.bloomery.engine.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.GgufWriter;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;

/** A small vocabulary under construction, written and read back as a GGUF file. */
final class VocabularyFixture {

    static final int NORMAL = 1;
    static final int UNKNOWN = 2;
    static final int CONTROL = 3;
    static final int USER_DEFINED = 4;
    static final int BYTE = 6;

    private final Map<String, Object> values = new LinkedHashMap<>();
    private final List<String> tokens = new ArrayList<>();
    private final List<Integer> types = new ArrayList<>();
    private final List<Float> scores = new ArrayList<>();

    VocabularyFixture(String model) {
        set("model", model);
    }

    /** A GPT-2 style vocabulary of 256 bytes, merges, and {@code <|end|>}, {@code <|mid|>}, {@code <|x|>}. */
    static VocabularyFixture bytePairs(String pre) {
        VocabularyFixture fixture = new VocabularyFixture("gpt2").set("pre", pre);
        int next = 256;
        for (int value = 0; value < 256; value++) {
            boolean printable = (value >= '!' && value <= '~') || (value >= 0xA1 && value <= 0xFF && value != 0xAD);
            fixture.token(String.valueOf((char) (printable ? value : next++)), NORMAL, 0);
        }
        List<String> merges = List.of(
                "h e", "l l", "he ll", "hell o", "Ġ hello", "a a", "aa aa", "w o", "Ġ wo", "Ġ Ġ", "1 2", "12 3", "' s");
        merges.forEach(merge -> fixture.token(merge.replace(" ", ""), NORMAL, 0));
        fixture.token("<|im_start|>", CONTROL, 0);
        fixture.token("<|im_end|>", CONTROL, 0);
        fixture.token("<|im", CONTROL, 0);
        fixture.token("<tool>", USER_DEFINED, 0);
        return fixture.set("merges", merges)
                .set("bos_token_id", fixture.id("<|im_start|>"))
                .set("eos_token_id", fixture.id("<|im_end|>"));
    }

    /** A Llama 2 style vocabulary: {@code <unk> <s> </s>}, 256 bytes, a few pieces. */
    static VocabularyFixture sentencePiece() {
        VocabularyFixture fixture = new VocabularyFixture("llama");
        fixture.token("<unk>", UNKNOWN, 0).token("<s>", CONTROL, 0).token("</s>", CONTROL, 0);
        for (int value = 0; value < 256; value++) {
            fixture.token("<0x%02X>".formatted(value), BYTE, 0);
        }
        List<String> pieces = List.of("▁", "h", "e", "l", "o", "w", "a", "<", "/", "s", ">");
        for (int i = 0; i < pieces.size(); i++) {
            fixture.token(pieces.get(i), NORMAL, -100 - i);
        }
        List<String> merged =
                List.of("he", "ll", "hell", "hello", "▁hello", "aa", "aaaa", "▁wo", "wo", "▁▁", "<s", "</", "</s");
        for (int i = 0; i < merged.size(); i++) {
            fixture.token(merged.get(i), NORMAL, -i);
        }
        return fixture.token("<tool>", USER_DEFINED, 0)
                .set("bos_token_id", 1)
                .set("eos_token_id", 2)
                .set("unknown_token_id", 0);
    }

    /** A BERT style vocabulary. */
    static VocabularyFixture wordPiece() {
        VocabularyFixture fixture = new VocabularyFixture("bert");
        for (String special : List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")) {
            fixture.token(special, CONTROL, 0);
        }
        for (String piece : List.of(
                "▁hello", "▁hell", "▁world", "s", "ing", "o", "▁a", "a", "▁!", "▁[", "▁]", "▁<", "▁>", "▁/", "▁中",
                "▁cls", "▁cafe")) {
            fixture.token(piece, NORMAL, 0);
        }
        return fixture.token("<tool>", USER_DEFINED, 0)
                .set("bos_token_id", 2)
                .set("unknown_token_id", 1)
                .set("seperator_token_id", 3);
    }

    /** A T5 style vocabulary. */
    static VocabularyFixture unigrams() {
        VocabularyFixture fixture = new VocabularyFixture("t5");
        fixture.token("<pad>", CONTROL, 0).token("</s>", CONTROL, 0).token("<unk>", UNKNOWN, 0);
        List<String> pieces =
                List.of("▁", "h", "e", "l", "o", "he", "ll", "hello", "▁hello", "a", "aa", "<", "/", "s", ">");
        for (int i = 0; i < pieces.size(); i++) {
            fixture.token(pieces.get(i), NORMAL, -8 + 0.4f * pieces.get(i).length());
        }
        return fixture.token("<tool>", USER_DEFINED, 0)
                .set("eos_token_id", 1)
                .set("unknown_token_id", 2)
                .set("add_space_prefix", true)
                .set("remove_extra_whitespaces", true);
    }

    VocabularyFixture token(String spelling, int type, float score) {
        tokens.add(spelling);
        types.add(type);
        scores.add(score);
        set("tokens", List.copyOf(tokens));
        set("token_type", types.stream().mapToInt(Integer::intValue).toArray());
        float[] all = new float[scores.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = scores.get(i);
        }
        return set("scores", all);
    }

    int id(String spelling) {
        return tokens.indexOf(spelling);
    }

    int size() {
        return tokens.size();
    }

    /** Sets a key below {@code tokenizer.ggml}, or one that holds a dot as it is. */
    VocabularyFixture set(String key, Object value) {
        values.put(key.contains("general.") ? key : "tokenizer.ggml." + key, value);
        return this;
    }

    VocabularyFixture without(String key) {
        values.remove("tokenizer.ggml." + key);
        return this;
    }

    Tokenizer build() {
        try {
            Path file = Files.createTempFile("vocabulary", ".gguf");
            try {
                GgufWriter writer = new GgufWriter();
                values.forEach((key, value) -> put(writer, key, value));
                writer.write(file);
                try (ModelFile model = GgufReader.open(file, LoadMode.COPY)) {
                    return Tokenizers.from(model.metadata());
                }
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void put(GgufWriter writer, String key, Object value) {
        switch (value) {
            case String text -> writer.string(key, text);
            case Integer number -> writer.uint32(key, Integer.toUnsignedLong(number));
            case Boolean flag -> writer.bool(key, flag);
            case int[] numbers -> writer.int32s(key, numbers);
            case float[] numbers -> writer.float32s(key, numbers);
            case List<?> texts ->
                writer.strings(key, texts.stream().map(String.class::cast).toList());
            default -> throw new IllegalArgumentException("no fixture of " + value.getClass());
        }
    }
}
