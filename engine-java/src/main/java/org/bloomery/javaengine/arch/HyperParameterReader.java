package org.bloomery.javaengine.arch;

import java.util.ArrayList;
import java.util.List;
import org.bloomery.engine.format.Metadata;
import org.bloomery.engine.format.ModelFormatException;
import org.bloomery.engine.format.Quoted;
import org.bloomery.javaengine.layer.Rope;

/**
 * Reads hyper-parameters and checks each against its range and against the others. A wrong one is noted and replaced by
 * a harmless value, so that all problems come to light at once.
 */
final class HyperParameterReader {

    static final int MOST_LAYERS = 512;
    static final int MOST_EXPERTS = 1024;

    /** Widest vector; keeps every product of two lengths far from overflow. */
    private static final int MOST_WIDTH = 1 << 20;

    private static final int MOST_HEADS = 1 << 12;
    private static final int MOST_CONTEXT = 1 << 28;
    private static final int MOST_VOCABULARY = 1 << 24;

    private final Metadata metadata;
    private final String architecture;
    private final List<String> problems = new ArrayList<>();

    HyperParameterReader(Metadata metadata, String architecture) {
        this.metadata = metadata;
        this.architecture = architecture;
    }

    /**
     * Reads what decoders with rotary embedding over whole heads have in common.
     *
     * @param experts whether the architecture may have experts
     */
    HyperParameters decoder(boolean experts) {
        required("context_length", 1, MOST_CONTEXT);
        int blockCount = required("block_count", 1, MOST_LAYERS);
        int embeddingLength = required("embedding_length", 1, MOST_WIDTH);
        int feedForwardLength = required("feed_forward_length", 1, MOST_WIDTH);
        int headCount = required("attention.head_count", 1, MOST_HEADS);
        int kvHeadCount = optional("attention.head_count_kv", headCount, 1, MOST_HEADS);
        if (headCount % kvHeadCount != 0) {
            problem("attention.head_count_kv", kvHeadCount, "a divisor of attention.head_count, " + headCount);
        }
        int headDim = headDim(embeddingLength, headCount);
        float epsilon = (float) requiredReal("attention.layer_norm_rms_epsilon", Float.MIN_NORMAL, 1);
        float freqBase = (float) optionalReal("rope.freq_base", 10_000, Float.MIN_NORMAL, Float.MAX_VALUE);
        Rope.Scaling scaling = scaling(freqBase);
        int expertCount = experts ? optional("expert_count", 0, 0, MOST_EXPERTS) : 0;
        int expertUsedCount = 0;
        float expertWeightsScale = 1;
        if (expertCount > 0) {
            expertUsedCount = required("expert_used_count", 1, expertCount);
            double scale = optionalReal("expert_weights_scale", 0, 0, Float.MAX_VALUE);
            expertWeightsScale = scale == 0 ? 1 : (float) scale;
        } else if (experts) {
            int used = optional("expert_used_count", 0, 0, MOST_EXPERTS);
            if (used != 0) {
                problem("expert_used_count", used, "0, since expert_count is 0");
            }
        }
        return new HyperParameters(
                blockCount,
                embeddingLength,
                feedForwardLength,
                headCount,
                kvHeadCount,
                headDim,
                epsilon,
                freqBase,
                scaling,
                expertCount,
                expertUsedCount,
                expertWeightsScale,
                vocabSize());
    }

    /** @throws ModelFormatException naming every problem found */
    void refuseProblems() {
        if (!problems.isEmpty()) {
            throw new ModelFormatException("The hyper-parameters of this '" + architecture + "' model are not usable: "
                    + String.join("; ", problems) + ".");
        }
    }

    private int headDim(int embeddingLength, int headCount) {
        String name = "attention.key_length";
        int headDim;
        if (metadata.contains(key(name))) {
            headDim = required(name, 1, MOST_WIDTH);
        } else if (embeddingLength % headCount == 0) {
            headDim = embeddingLength / headCount;
        } else {
            problem("attention.head_count", headCount, "a divisor of embedding_length, " + embeddingLength);
            return 1;
        }
        if (headDim % 2 != 0) {
            problem(name, headDim, "even, since elements are rotated in pairs");
        }
        if ((long) headCount * headDim > MOST_WIDTH) {
            problem(name, headDim, "at most " + MOST_WIDTH / headCount + " for " + headCount + " heads");
            headDim = 1;
        }
        equal("attention.value_length", headDim);
        equal("rope.dimension_count", headDim);
        return headDim;
    }

    private void equal(String name, int headDim) {
        int value = optional(name, headDim, 0, MOST_WIDTH);
        if (value != headDim) {
            problem(name, value, headDim + ", the length of a head");
        }
    }

    private Rope.Scaling scaling(float freqBase) {
        double factor = optionalReal("rope.scaling.factor", 0, 0, 1 << 20);
        if (!metadata.contains(key("rope.scaling.factor"))) {
            factor = optionalReal("rope.scale_linear", 0, 0, 1 << 20);
        }
        if (factor == 0) {
            factor = 1;
        } else if (factor < 1e-6) {
            problem("rope.scaling.factor", factor, "0 or at least 0.000001");
        }
        float magnitude = (float) optionalReal("rope.scaling.attn_factor", 1, -1e6, 1e6);
        String type = text("rope.scaling.type", "linear");
        boolean yarn = type.equals("yarn");
        int original = 1;
        if (yarn) {
            int context = optional("context_length", 1, 1, MOST_CONTEXT);
            original = optional("rope.scaling.original_context_length", context, 1, MOST_CONTEXT);
            if (freqBase <= 1) {
                problem("rope.freq_base", freqBase, "above 1 for rope.scaling.type 'yarn'");
            }
        } else if (type.equals("none")) {
            factor = 1;
        } else if (!type.equals("linear")) {
            problem("rope.scaling.type", Quoted.of(type), "linear, yarn or none");
        }
        return new Rope.Scaling((float) factor, yarn, magnitude, original);
    }

    /** The number of tokens; a model without a vocabulary must say it. */
    private int vocabSize() {
        int stated = optional("vocab_size", 0, 0, MOST_VOCABULARY);
        String list = "tokenizer.ggml.tokens";
        int listed = 0;
        try {
            listed = metadata.strings(list, List.of()).size();
        } catch (ModelFormatException e) {
            problems.add(withoutStop(e));
        }
        if (listed == 0 && stated == 0) {
            if (!metadata.contains(key("vocab_size"))) {
                problems.add("neither '" + key("vocab_size") + "' nor '" + list + "' says how many tokens there are");
            } else {
                problem("vocab_size", stated, "at least 1 where '" + list + "' is absent");
            }
        } else if (listed != 0 && stated != 0 && listed != stated) {
            problem("vocab_size", stated, listed + ", the length of '" + list + "'");
        } else if (listed > MOST_VOCABULARY) {
            problems.add("'" + list + "' has " + listed + " tokens, expected at most " + MOST_VOCABULARY);
        }
        return Math.max(1, listed != 0 ? listed : stated);
    }

    private int required(String name, int least, int most) {
        try {
            return inRange(name, metadata.int32(key(name)), least, most);
        } catch (ModelFormatException e) {
            problems.add(withoutStop(e));
            return least;
        }
    }

    private int optional(String name, int fallback, int least, int most) {
        return metadata.contains(key(name)) ? required(name, least, most) : fallback;
    }

    private double requiredReal(String name, double least, double most) {
        try {
            double value = metadata.float64(key(name));
            if (value >= least && value <= most) {
                return value;
            }
            problem(name, value, least == Float.MIN_NORMAL ? "above 0 and at most " + most : least + " to " + most);
        } catch (ModelFormatException e) {
            problems.add(withoutStop(e));
        }
        return most;
    }

    private double optionalReal(String name, double fallback, double least, double most) {
        return metadata.contains(key(name)) ? requiredReal(name, least, most) : fallback;
    }

    private String text(String name, String fallback) {
        try {
            return metadata.string(key(name), fallback);
        } catch (ModelFormatException e) {
            problems.add(withoutStop(e));
            return fallback;
        }
    }

    private int inRange(String name, int value, int least, int most) {
        if (value < least || value > most) {
            problem(name, value, least + " to " + most);
            return least;
        }
        return value;
    }

    private void problem(String name, Object found, String expected) {
        problems.add("'" + key(name) + "' is " + found + ", expected " + expected);
    }

    private String key(String name) {
        return architecture + "." + name;
    }

    private static String withoutStop(ModelFormatException e) {
        String message = String.valueOf(e.getMessage());
        return message.endsWith(".") ? message.substring(0, message.length() - 1) : message;
    }
}
