package org.bloomery.engine.backend;

import java.util.ArrayList;
import java.util.List;
import org.bloomery.engine.format.TensorType;

/** Makes a {@link TinyModel} of each architecture and of each trait that makes models differ. */
public final class TinyModels {

    private static final int VOCABULARY = 61;
    private static final int LAYERS = 2;
    private static final int HEADS = 4;
    private static final int KV_HEADS = 2;

    private TinyModels() {}

    /** One of each architecture and trait, as most tests want them. */
    public static List<TinyModel> all(long seed) {
        return List.of(
                llama(seed, TensorType.Q8_0),
                llama3(seed, TensorType.F32),
                mixtral(seed, TensorType.F32),
                qwen2(seed, TensorType.F32),
                qwen3(seed, TensorType.Q4_0));
    }

    /** Grouped queries, output of its own. */
    public static TinyModel llama(long seed, TensorType type) {
        TinyModel model = base("llama", "llama", seed, type, 16);
        model.tensor("output.weight", type, embedding(type), VOCABULARY);
        return denseFeedForward(model, type);
    }

    /** Llama with frequency factors and the output tied to the token vectors. */
    public static TinyModel llama3(long seed, TensorType type) {
        TinyModel model = denseFeedForward(base("llama 3", "llama", seed, type, 16), type);
        return model.tensor("rope_freqs.weight", TensorType.F32, headDim(type, 16) / 2);
    }

    /** Llama with a mixture of four experts, two used. */
    public static TinyModel mixtral(long seed, TensorType type) {
        TinyModel model = base("mixtral", "llama", seed, type, 16);
        long embedding = embedding(type);
        long inner = feedForward(type);
        model.key("llama.expert_count", 4).key("llama.expert_used_count", 2);
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            model.tensor(block + "ffn_gate_inp.weight", TensorType.F32, embedding, 4);
            model.tensor(block + "ffn_gate_exps.weight", type, embedding, inner, 4);
            model.tensor(block + "ffn_up_exps.weight", type, embedding, inner, 4);
            model.tensor(block + "ffn_down_exps.weight", type, inner, embedding, 4);
        }
        return model;
    }

    /** Biases on query, key and value. */
    public static TinyModel qwen2(long seed, TensorType type) {
        TinyModel model = denseFeedForward(base("qwen 2", "qwen2", seed, type, 16), type);
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            model.tensor(block + "attn_q.bias", TensorType.F32, HEADS * headDim(type, 16));
            model.tensor(block + "attn_k.bias", TensorType.F32, KV_HEADS * headDim(type, 16));
            model.tensor(block + "attn_v.bias", TensorType.F32, KV_HEADS * headDim(type, 16));
        }
        return model;
    }

    /** Norms on query and key heads, which are longer than the embedding divided by their number. */
    public static TinyModel qwen3(long seed, TensorType type) {
        TinyModel model = denseFeedForward(base("qwen 3", "qwen3", seed, type, 32), type);
        long headDim = headDim(type, 32);
        model.key("qwen3.attention.key_length", (int) headDim).key("qwen3.attention.value_length", (int) headDim);
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            model.tensor(block + "attn_q_norm.weight", TensorType.F32, headDim);
            model.tensor(block + "attn_k_norm.weight", TensorType.F32, headDim);
        }
        return model;
    }

    /**
     * Gives a model a vocabulary of its own size in SentencePiece's manner: unknown, start, end, then all bytes if there
     * is room, then short words.
     */
    public static TinyModel withVocabulary(TinyModel model) {
        int size = model.vocabSize();
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        float[] scores = new float[size];
        int[] types = new int[size];
        types[0] = 2;
        types[1] = 3;
        types[2] = 3;
        for (int b = 0; b < 256 && size >= 259; b++) {
            types[tokens.size()] = 6;
            tokens.add(String.format("<0x%02X>", b));
        }
        for (int i = tokens.size(); i < size; i++) {
            scores[i] = -i;
            types[i] = 1;
            tokens.add("\u2581w" + i);
        }
        return model.key("tokenizer.ggml.model", "llama")
                .key("tokenizer.ggml.tokens", tokens)
                .key("tokenizer.ggml.scores", scores)
                .key("tokenizer.ggml.token_type", types)
                .key("tokenizer.ggml.bos_token_id", 1)
                .key("tokenizer.ggml.eos_token_id", 2);
    }

    private static TinyModel base(String name, String architecture, long seed, TensorType type, int headDim) {
        long embedding = embedding(type);
        long query = HEADS * headDim(type, headDim);
        long keyValue = KV_HEADS * headDim(type, headDim);
        TinyModel model = new TinyModel(name + " " + type, seed);
        model.key("general.architecture", architecture)
                .key(architecture + ".vocab_size", VOCABULARY)
                .key(architecture + ".context_length", 512)
                .key(architecture + ".embedding_length", (int) embedding)
                .key(architecture + ".block_count", LAYERS)
                .key(architecture + ".feed_forward_length", (int) feedForward(type))
                .key(architecture + ".attention.head_count", HEADS)
                .key(architecture + ".attention.head_count_kv", KV_HEADS)
                .key(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f)
                .key(architecture + ".rope.freq_base", 10_000f)
                .key(architecture + ".rope.dimension_count", (int) headDim(type, headDim));
        model.tensor("token_embd.weight", type, embedding, VOCABULARY);
        model.tensor("output_norm.weight", TensorType.F32, embedding);
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            model.tensor(block + "attn_norm.weight", TensorType.F32, embedding);
            model.tensor(block + "attn_q.weight", type, embedding, query);
            model.tensor(block + "attn_k.weight", type, embedding, keyValue);
            model.tensor(block + "attn_v.weight", type, embedding, keyValue);
            model.tensor(block + "attn_output.weight", type, query, embedding);
            model.tensor(block + "ffn_norm.weight", TensorType.F32, embedding);
        }
        return model;
    }

    private static TinyModel denseFeedForward(TinyModel model, TensorType type) {
        long embedding = embedding(type);
        long inner = feedForward(type);
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            model.tensor(block + "ffn_gate.weight", type, embedding, inner);
            model.tensor(block + "ffn_up.weight", type, embedding, inner);
            model.tensor(block + "ffn_down.weight", type, inner, embedding);
        }
        return model;
    }

    /** Widths are multiples of the type's block; four heads share the narrow embedding, and the wide one too. */
    private static long embedding(TensorType type) {
        return Math.max(64, type.blockSize());
    }

    private static long feedForward(TensorType type) {
        return type.blockSize() == 256 ? 512 : 96;
    }

    private static long headDim(TensorType type, long narrow) {
        return type.blockSize() == 256 ? narrow * 4 : narrow;
    }
}
