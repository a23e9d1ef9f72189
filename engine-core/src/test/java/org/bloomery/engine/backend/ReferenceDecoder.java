package org.bloomery.engine.backend;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bloomery.engine.format.Metadata;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorInfo;
import org.jspecify.annotations.Nullable;

/**
 * The forward pass of llama, qwen2 and qwen3 models in the plainest form: one token at a time, double precision, nested
 * loops, nothing shared with a backend. What backends compute is compared with it.
 */
public final class ReferenceDecoder {

    private final ModelFile model;
    private final Function<TensorInfo, float[]> floats;
    private final String architecture;
    private final int embedding;
    private final int heads;
    private final int kvHeads;
    private final int headDim;
    private final Map<String, float[]> read = new HashMap<>();
    private final List<List<double[]>> keys = new ArrayList<>();
    private final List<List<double[]>> values = new ArrayList<>();

    /** @param floats all elements of a tensor */
    public ReferenceDecoder(ModelFile model, Function<TensorInfo, float[]> floats) {
        this.model = model;
        this.floats = floats;
        architecture = model.metadata().string("general.architecture");
        embedding = number("embedding_length", 0);
        heads = number("attention.head_count", 0);
        kvHeads = number("attention.head_count_kv", heads);
        headDim = number("attention.key_length", embedding / heads);
        for (int layer = 0; layer < number("block_count", 0); layer++) {
            keys.add(new ArrayList<>());
            values.add(new ArrayList<>());
        }
    }

    /** Takes the next token; gives the logits after it. */
    public double[] next(int token) {
        double[] x = row(tensor("token_embd.weight"), token, embedding);
        for (int layer = 0; layer < keys.size(); layer++) {
            String block = "blk." + layer + ".";
            add(x, attention(block, layer, norm(x, tensor(block + "attn_norm.weight"))));
            double[] normed = norm(x, tensor(block + "ffn_norm.weight"));
            add(x, number("expert_count", 0) > 0 ? experts(block, normed) : feedForward(block, normed));
        }
        double[] last = norm(x, tensor("output_norm.weight"));
        float[] output = optional("output.weight");
        return multiply(output != null ? output : tensor("token_embd.weight"), last);
    }

    private double[] attention(String block, int layer, double[] x) {
        int position = keys.get(layer).size();
        double[] query = linear(block + "attn_q", x);
        double[] key = linear(block + "attn_k", x);
        if (architecture.equals("qwen3")) {
            normHeads(query, tensor(block + "attn_q_norm.weight"));
            normHeads(key, tensor(block + "attn_k_norm.weight"));
        }
        rotate(query, position);
        rotate(key, position);
        keys.get(layer).add(key);
        values.get(layer).add(linear(block + "attn_v", x));
        double[] out = new double[heads * headDim];
        for (int head = 0; head < heads; head++) {
            int shared = head / (heads / kvHeads) * headDim;
            double[] weights = new double[position + 1];
            double sum = 0;
            for (int p = 0; p <= position; p++) {
                double score = 0;
                for (int d = 0; d < headDim; d++) {
                    score += query[head * headDim + d] * keys.get(layer).get(p)[shared + d];
                }
                weights[p] = Math.exp(score / Math.sqrt(headDim));
                sum += weights[p];
            }
            for (int p = 0; p <= position; p++) {
                for (int d = 0; d < headDim; d++) {
                    out[head * headDim + d] +=
                            weights[p] / sum * values.get(layer).get(p)[shared + d];
                }
            }
        }
        return linear(block + "attn_output", out);
    }

    /** YaRN as in its paper: frequencies that turn less than 32 times in the original context blend to slower ones. */
    private void rotate(double[] x, int position) {
        Metadata metadata = model.metadata();
        double base = metadata.float64(architecture + ".rope.freq_base", 10_000);
        double factor = metadata.float64(architecture + ".rope.scaling.factor", 1);
        boolean yarn =
                metadata.string(architecture + ".rope.scaling.type", "linear").equals("yarn");
        int original = number("rope.scaling.original_context_length", number("context_length", 0));
        float[] divisors = optional("rope_freqs.weight");
        for (int pair = 0; pair < headDim / 2; pair++) {
            double angle = position * Math.pow(base, -2.0 * pair / headDim);
            angle /= divisors == null ? 1 : divisors[pair];
            double slow = 1;
            double magnitude = 1;
            if (yarn) {
                double low = Math.max(0, Math.floor(turning(original, 32, base)));
                double high = Math.min(headDim - 1, Math.ceil(turning(original, 1, base)));
                slow = Math.clamp((pair - low) / Math.max(0.001, high - low), 0.0, 1.0);
                magnitude = 1 + 0.1 * Math.log(factor);
            }
            angle = angle / factor * slow + angle * (1 - slow);
            for (int start = 0; start < x.length; start += headDim) {
                boolean adjacent = architecture.equals("llama");
                int first = start + (adjacent ? 2 * pair : pair);
                int second = adjacent ? first + 1 : first + headDim / 2;
                double a = x[first] * magnitude;
                double b = x[second] * magnitude;
                x[first] = a * Math.cos(angle) - b * Math.sin(angle);
                x[second] = a * Math.sin(angle) + b * Math.cos(angle);
            }
        }
    }

    private double turning(int context, double turns, double base) {
        return headDim * Math.log(context / (turns * 2 * Math.PI)) / (2 * Math.log(base));
    }

    private double[] feedForward(String block, double[] x) {
        return linear(block + "ffn_down", gated(linear(block + "ffn_gate", x), linear(block + "ffn_up", x)));
    }

    private double[] experts(String block, double[] x) {
        double[] scores = linear(block + "ffn_gate_inp", x);
        List<Integer> order = new ArrayList<>();
        for (int e = 0; e < scores.length; e++) {
            order.add(e);
        }
        order.sort((a, b) -> Double.compare(scores[b], scores[a]));
        List<Integer> chosen = order.subList(0, number("expert_used_count", 0));
        // softmax over all, then made to add up to 1, is softmax over the chosen
        double sum = chosen.stream().mapToDouble(e -> Math.exp(scores[e])).sum();
        double[] out = new double[embedding];
        int inner = number("feed_forward_length", 0);
        for (int e : chosen) {
            double[] gate = part(multiply(tensor(block + "ffn_gate_exps.weight"), x), e, inner);
            double[] up = part(multiply(tensor(block + "ffn_up_exps.weight"), x), e, inner);
            float[] down = tensor(block + "ffn_down_exps.weight");
            double[] result = part(multiply(down, gated(gate, up)), e, embedding);
            double scale = model.metadata().float64(architecture + ".expert_weights_scale", 1);
            for (int i = 0; i < embedding; i++) {
                out[i] += scale * Math.exp(scores[e]) / sum * result[i];
            }
        }
        return out;
    }

    private static double[] part(double[] all, int number, int length) {
        return Arrays.copyOfRange(all, number * length, (number + 1) * length);
    }

    private static double[] gated(double[] gate, double[] up) {
        double[] out = new double[gate.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
        }
        return out;
    }

    private void normHeads(double[] x, float[] weight) {
        for (int start = 0; start < x.length; start += headDim) {
            double[] head = norm(Arrays.copyOfRange(x, start, start + headDim), weight);
            System.arraycopy(head, 0, x, start, headDim);
        }
    }

    private double[] norm(double[] x, float[] weight) {
        double squares = 0;
        for (double value : x) {
            squares += value * value;
        }
        double epsilon = model.metadata().float64(architecture + ".attention.layer_norm_rms_epsilon");
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] = x[i] / Math.sqrt(squares / x.length + epsilon) * weight[i];
        }
        return out;
    }

    private double[] linear(String name, double[] x) {
        double[] out = multiply(tensor(name + ".weight"), x);
        float[] bias = optional(name + ".bias");
        for (int i = 0; bias != null && i < out.length; i++) {
            out[i] += bias[i];
        }
        return out;
    }

    private static double[] multiply(float[] weight, double[] x) {
        double[] out = new double[weight.length / x.length];
        for (int r = 0; r < out.length; r++) {
            for (int c = 0; c < x.length; c++) {
                out[r] += weight[r * x.length + c] * x[c];
            }
        }
        return out;
    }

    private static double[] row(float[] weight, int row, int length) {
        double[] out = new double[length];
        for (int i = 0; i < length; i++) {
            out[i] = weight[row * length + i];
        }
        return out;
    }

    private static void add(double[] x, double[] y) {
        for (int i = 0; i < x.length; i++) {
            x[i] += y[i];
        }
    }

    private float[] tensor(String name) {
        float[] found = optional(name);
        if (found == null) {
            throw new IllegalArgumentException("No tensor " + name);
        }
        return found;
    }

    private float @Nullable [] optional(String name) {
        TensorInfo info = model.tensor(name);
        return info == null ? null : read.computeIfAbsent(name, key -> floats.apply(info));
    }

    private int number(String key, int fallback) {
        return model.metadata().int32(architecture + "." + key, fallback);
    }
}
