package org.bloomery.nativeengine;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.format.Metadata;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.ModelFormatException;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.format.TensorType;
import org.jspecify.annotations.Nullable;

/**
 * What a model must be like before native code sees its path: an architecture that generates text from tokens, types that
 * ggml multiplies, and hyper-parameters that agree with each other and with the tensors. llama.cpp indexes arrays of fixed
 * size with some of them and asserts others, and an assertion ends the process.
 */
final class ModelChecks {

    /** Decoder-only text models of llama.cpp v0.5.0 that take one token at one position and need no other model. */
    private static final Set<String> ARCHITECTURES = Set.of(
            "apertus",
            "arcee",
            "baichuan",
            "bailingmoe",
            "bailingmoe2",
            "bloom",
            "codeshell",
            "cohere2",
            "command-r",
            "deci",
            "deepseek",
            "deepseek2",
            "dots1",
            "ernie4_5",
            "ernie4_5-moe",
            "exaone",
            "exaone4",
            "falcon",
            "falcon-h1",
            "gemma",
            "gemma2",
            "gemma3",
            "glm4",
            "glm4moe",
            "gpt-oss",
            "gpt2",
            "gptneox",
            "granite",
            "granitehybrid",
            "granitemoe",
            "hunyuan-dense",
            "hunyuan-moe",
            "internlm2",
            "jais",
            "lfm2",
            "lfm2moe",
            "llama",
            "mamba",
            "mamba2",
            "minicpm",
            "minimax-m2",
            "mistral3",
            "mpt",
            "nemotron",
            "nemotron_h",
            "olmo",
            "olmo2",
            "olmoe",
            "orion",
            "phi2",
            "phi3",
            "phimoe",
            "plamo",
            "qwen",
            "qwen2",
            "qwen2moe",
            "qwen3",
            "qwen35",
            "qwen35moe",
            "qwen3moe",
            "qwen3next",
            "refact",
            "seed_oss",
            "smallthinker",
            "smollm3",
            "stablelm",
            "starcoder",
            "starcoder2",
            "xverse");

    /** Types of whole tensors that ggml's products read. */
    private static final Set<TensorType> TYPES = EnumSet.complementOf(EnumSet.of(
            TensorType.Q8_1, TensorType.Q8_K, TensorType.I8, TensorType.I16, TensorType.I64, TensorType.F64));

    /** {@code LLAMA_MAX_LAYERS} and {@code LLAMA_MAX_EXPERTS} of llama.cpp v0.5.0. */
    private static final int MOST_LAYERS = 512;

    private static final int MOST_EXPERTS = 512;
    private static final int MOST_WIDTH = 1 << 20;
    private static final int MOST_VOCABULARY = 1 << 22;

    private final ModelFile model;
    private final Metadata metadata;
    private final String architecture;

    private ModelChecks(ModelFile model, String architecture) {
        this.model = model;
        this.metadata = model.metadata();
        this.architecture = architecture;
    }

    /**
     * Facts about a model that has passed.
     *
     * @param layers blocks
     * @param vocabSize tokens
     * @param embedding width of the residual stream
     * @param cacheElements elements of keys and values of one position, by layer
     */
    record Facts(String architecture, int layers, int vocabSize, int embedding, int[] cacheElements) {}

    /**
     * Checks everything.
     *
     * @throws UnsupportedModelException if architecture or a type is unknown
     * @throws ModelFormatException naming the key or tensor that is wrong, what was found and what was expected
     */
    static Facts check(ModelFile model) {
        String architecture = model.metadata().string("general.architecture");
        if (!ARCHITECTURES.contains(architecture)) {
            throw new UnsupportedModelException("The model has architecture '" + architecture
                    + "'; the native backend runs " + String.join(", ", new java.util.TreeSet<>(ARCHITECTURES)) + ".");
        }
        return new ModelChecks(model, architecture).check();
    }

    private Facts check() {
        Set<TensorType> unknown = EnumSet.noneOf(TensorType.class);
        model.tensors().forEach(tensor -> {
            if (!TYPES.contains(tensor.type())) {
                unknown.add(tensor.type());
            }
        });
        if (!unknown.isEmpty()) {
            throw new UnsupportedModelException(
                    "The model has tensors of type " + unknown + "; llama.cpp multiplies with none of these.");
        }
        int layers = number("block_count", 1, MOST_LAYERS);
        int embedding = number("embedding_length", 1, MOST_WIDTH);
        number("context_length", 1, Integer.MAX_VALUE);
        int[] heads = perLayer("attention.head_count", layers, 0, 1 << 16, null);
        int[] kvHeads = perLayer("attention.head_count_kv", layers, 0, 1 << 16, heads);
        perLayer("feed_forward_length", layers, 0, 1 << 24, new int[layers]);
        int headDim = headDim(heads, embedding);
        int keyLength = optional("attention.key_length", headDim, 1, 1 << 14);
        int valueLength = optional("attention.value_length", headDim, 1, 1 << 14);
        int[] cache = new int[layers];
        for (int layer = 0; layer < layers; layer++) {
            if (kvHeads[layer] > 0 && heads[layer] % kvHeads[layer] != 0) {
                throw malformed(
                        "attention.head_count_kv",
                        kvHeads[layer] + " for layer " + layer,
                        "a divisor of its " + heads[layer] + " query heads");
            }
            cache[layer] = kvHeads[layer] * (keyLength + valueLength);
        }
        int rope = optional("rope.dimension_count", keyLength, 0, 1 << 14);
        if (rope > Math.max(keyLength, headDim) && !metadata.contains(key("attention.key_length_mla"))) {
            throw malformed("rope.dimension_count", String.valueOf(rope), "at most the head's " + keyLength);
        }
        if (rope % 2 != 0) {
            throw malformed("rope.dimension_count", String.valueOf(rope), "an even number");
        }
        int experts = optional("expert_count", 0, 0, MOST_EXPERTS);
        int used = optional("expert_used_count", 0, 0, MOST_EXPERTS);
        if (used > experts || (experts > 0 && used == 0)) {
            throw malformed("expert_used_count", String.valueOf(used), "1 to the " + experts + " experts");
        }
        optional("attention.sliding_window", 0, 0, Integer.MAX_VALUE);
        finite("attention.layer_norm_rms_epsilon");
        finite("attention.layer_norm_epsilon");
        finite("rope.freq_base");
        finite("rope.scaling.factor");
        return new Facts(architecture, layers, vocabulary(embedding), embedding, cache);
    }

    private int headDim(int[] heads, int embedding) {
        for (int count : heads) {
            if (count > 0) {
                if (embedding % count != 0 && !metadata.contains(key("attention.key_length"))) {
                    throw malformed(
                            "attention.head_count", String.valueOf(count), "a divisor of the embedding's " + embedding);
                }
                return Math.max(1, embedding / count);
            }
        }
        return embedding;
    }

    private int vocabulary(int embedding) {
        TensorInfo tokens = model.tensor("token_embd.weight");
        if (tokens == null) {
            throw new ModelFormatException("Tensor 'token_embd.weight' is missing (file " + file() + ").");
        }
        if (tokens.shape().size() > 2 || tokens.columns() != embedding || tokens.rows() > MOST_VOCABULARY) {
            throw new ModelFormatException("Tensor 'token_embd.weight' has shape " + tokens.shape() + "; expected ["
                    + embedding + ", vocabulary] with at most " + MOST_VOCABULARY + " tokens (file " + file() + ").");
        }
        int vocabSize = (int) tokens.rows();
        Object list = metadata.value("tokenizer.ggml.tokens");
        if (list instanceof List<?> spellings && spellings.size() != vocabSize) {
            throw new ModelFormatException("Key 'tokenizer.ggml.tokens' has " + spellings.size() + " tokens; expected "
                    + vocabSize + ", the rows of 'token_embd.weight' (file " + file() + ").");
        }
        return vocabSize;
    }

    private int number(String name, int least, int most) {
        int value = metadata.int32(key(name));
        return inRange(name, value, least, most);
    }

    private int optional(String name, int fallback, int least, int most) {
        return metadata.contains(key(name)) ? number(name, least, most) : fallback;
    }

    private int inRange(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw malformed(name, String.valueOf(value), least + " to " + most);
        }
        return value;
    }

    /** One number for all layers, or one for each. */
    private int[] perLayer(String name, int layers, int least, int most, int @Nullable [] fallback) {
        Object value = metadata.value(key(name));
        int[] result = new int[layers];
        if (value == null && fallback != null) {
            return fallback;
        }
        if (value instanceof List<?>) {
            int[] found = metadata.int32s(key(name));
            if (found.length < layers) {
                throw malformed(name, "a list of " + found.length, "one number for each of " + layers + " layers");
            }
            System.arraycopy(found, 0, result, 0, layers);
        } else {
            java.util.Arrays.fill(result, metadata.int32(key(name)));
        }
        for (int each : result) {
            inRange(name, each, least, most);
        }
        return result;
    }

    private void finite(String name) {
        if (metadata.contains(key(name))) {
            double value = metadata.float64(key(name));
            if (!(value >= 0 && value <= Float.MAX_VALUE)) {
                throw malformed(name, String.valueOf(value), "a number of 0 or more");
            }
        }
    }

    private String key(String name) {
        return architecture + "." + name;
    }

    private String file() {
        return String.valueOf(model.path().getFileName());
    }

    private ModelFormatException malformed(String name, String found, String expected) {
        return new ModelFormatException(
                "Key '" + key(name) + "' is " + found + "; expected " + expected + " (file " + file() + ").");
    }

    /** Why a model cannot be run, in one sentence; empty where it can. */
    static List<String> problems(ModelFile model) {
        List<String> problems = new ArrayList<>();
        try {
            check(model);
        } catch (EngineException e) {
            problems.add(String.valueOf(e.getMessage()));
        }
        return problems;
    }
}
