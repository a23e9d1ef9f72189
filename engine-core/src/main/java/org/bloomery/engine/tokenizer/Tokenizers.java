package org.bloomery.engine.tokenizer;

import java.util.List;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.format.Metadata;
import org.bloomery.engine.format.ModelFormatException;

/** Builds the tokenizer that a model file describes in its {@code tokenizer.ggml.*} keys. */
public final class Tokenizers {

    private static final String KEY = Vocabulary.KEY;

    private Tokenizers() {}

    /**
     * Reads and checks the whole vocabulary. Where a key is absent the defaults of llama.cpp apply.
     *
     * @throws ModelFormatException where a key is missing, of the wrong type or length, or names what does not exist
     * @throws UnsupportedModelException where the tokenizer or its pre-tokenizer is not known here
     */
    public static Tokenizer from(Metadata metadata) {
        String model = metadata.string(KEY + "model");
        return switch (model) {
            case "gpt2" -> bytePair(metadata, preTokenizer(metadata), new Vocabulary.Defaults(11, 11, -1, -1));
            case "gemma4" -> bytePair(metadata, PreTokenizer.GEMMA4, new Vocabulary.Defaults(-1, -1, -1, -1));
            case "llama" -> sentencePiece(metadata);
            case "bert" -> wordPiece(metadata);
            case "t5" -> unigram(metadata);
            default ->
                throw new UnsupportedModelException("tokenizer '" + model
                        + "' is not supported; known are bert, gemma4, gpt2, llama and t5 ('" + KEY + "model')");
        };
    }

    private static PreTokenizer preTokenizer(Metadata metadata) {
        String name = metadata.string(KEY + "pre", "default");
        PreTokenizer found = PreTokenizer.named(name.isEmpty() ? "default" : name);
        if (found == null) {
            throw new UnsupportedModelException("pre-tokenizer '" + name + "' is not supported ('" + KEY
                    + "pre'); known are " + String.join(", ", PreTokenizer.names()));
        }
        return found;
    }

    private static Tokenizer bytePair(Metadata metadata, PreTokenizer pre, Vocabulary.Defaults defaults) {
        Vocabulary vocabulary = Vocabulary.read(metadata, defaults);
        // Kimi K2 files may come without merges; every other vocabulary is wrong without.
        List<String> merges = pre == PreTokenizer.KIMI_K2
                ? metadata.strings(KEY + "merges", List.of())
                : metadata.strings(KEY + "merges");
        TextEncoder encoder = pre.writesBytesAsCharacters()
                ? new BytePairEncoder(vocabulary, pre, merges)
                : SentencePieceEncoder.byMerges(vocabulary, pre, merges);
        boolean addsBos = metadata.bool(KEY + "add_bos_token", pre.addsBos()) || pre.addsBosAlways();
        return finish(metadata, vocabulary, encoder, addsBos, false);
    }

    private static Tokenizer sentencePiece(Metadata metadata) {
        Vocabulary vocabulary = Vocabulary.read(metadata, new Vocabulary.Defaults(1, 2, 0, -1));
        boolean prefixesBlank = metadata.bool(KEY + "add_space_prefix", true);
        TextEncoder encoder =
                SentencePieceEncoder.byScores(vocabulary, scores(metadata, vocabulary.size()), prefixesBlank);
        boolean addsBos = metadata.bool(KEY + "add_bos_token", true);
        return finish(metadata, vocabulary, encoder, addsBos, false);
    }

    private static Tokenizer wordPiece(Metadata metadata) {
        Vocabulary vocabulary = Vocabulary.read(metadata, new Vocabulary.Defaults(101, -1, 100, 102));
        boolean lowerCases = metadata.bool(KEY + "normalizer.lowercase", true);
        boolean stripsAccents = metadata.bool(KEY + "normalizer.strip_accents", lowerCases);
        TextEncoder encoder = new WordPieceEncoder(vocabulary, lowerCases, stripsAccents);
        return new VocabularyTokenizer(
                vocabulary,
                encoder,
                required(vocabulary.bos(), "bos_token_id"),
                required(vocabulary.separator(), "seperator_token_id"));
    }

    private static Tokenizer unigram(Metadata metadata) {
        Vocabulary vocabulary = Vocabulary.read(metadata, new Vocabulary.Defaults(-1, 1, 2, -1));
        TextEncoder encoder = new UnigramEncoder(
                vocabulary,
                scores(metadata, vocabulary.size()),
                metadata.bool(KEY + "add_space_prefix", false),
                metadata.bool(KEY + "remove_extra_whitespaces", false),
                CharacterMap.read(metadata));
        return finish(metadata, vocabulary, encoder, metadata.bool(KEY + "add_bos_token", false), true);
    }

    private static Tokenizer finish(
            Metadata metadata, Vocabulary vocabulary, TextEncoder encoder, boolean addsBos, boolean addsEosByDefault) {
        boolean addsEos = metadata.bool(KEY + "add_eos_token", addsEosByDefault);
        return new VocabularyTokenizer(
                vocabulary,
                encoder,
                addsBos ? required(vocabulary.bos(), "bos_token_id") : -1,
                addsEos ? required(vocabulary.eos(), "eos_token_id") : -1);
    }

    private static int required(int id, String key) {
        if (id < 0) {
            throw new ModelFormatException(
                    "'" + KEY + key + "' is missing; this vocabulary adds that token to every prompt");
        }
        return id;
    }

    /** The scores, floats or integers, one a token. */
    private static float[] scores(Metadata metadata, int size) {
        String key = KEY + "scores";
        float[] scores =
                metadata.value(key) instanceof List<?> list && list.stream().allMatch(Long.class::isInstance)
                        ? toFloats(metadata.int32s(key))
                        : metadata.float32s(key);
        if (scores.length != size) {
            throw new ModelFormatException(
                    "'" + key + "' has " + scores.length + " elements; '" + KEY + "tokens' has " + size);
        }
        for (int id = 0; id < size; id++) {
            if (Float.isNaN(scores[id])) {
                throw new ModelFormatException(
                        "'" + key + "' gives token " + id + " no number; scores must be numbers");
            }
        }
        return scores;
    }

    private static float[] toFloats(int[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = values[i];
        }
        return floats;
    }
}
