package org.bloomery.javaengine.arch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.ModelFormatException;
import org.bloomery.engine.format.Quoted;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.javaengine.layer.Linear;
import org.bloomery.javaengine.layer.RmsNorm;
import org.bloomery.javaengine.tensor.WeightMatrix;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a model by name and shape. Asking for one notes a problem where it is missing or has another shape and
 * answers with the next best thing, so that building a model once brings every problem to light. Shapes are given in the
 * file's order: inputs first.
 */
final class Weights {

    /** Whether a matrix may have a factor, {@code NAME.scale}, and where llama.cpp applies it. */
    enum Scale {
        NONE,
        /** The file may have one, which is not used. */
        IGNORED,
        BEFORE_BIAS,
        AFTER_BIAS
    }

    private static final int MOST_PROBLEMS = 100;

    private final ModelFile model;
    private final String architecture;
    private final TensorBinding binding;
    private final LoadProgress progress;
    private final Set<String> known = new HashSet<>();
    private final Set<String> refused = new HashSet<>();
    private final List<String> problems = new ArrayList<>();
    private final List<String> unsupported = new ArrayList<>();
    private int bound;

    Weights(ModelFile model, String architecture, TensorBinding binding, LoadProgress progress) {
        this.model = model;
        this.architecture = architecture;
        this.binding = binding;
        this.progress = progress;
    }

    /** Whether the file has this tensor. */
    boolean has(String name) {
        return model.tensor(name) != null;
    }

    /** The tensor of this name and shape, which must be there. */
    WeightMatrix matrix(String name, int... shape) {
        if (!has(name) && refused.add(name)) {
            problems.add("Tensor '" + name + "' is missing; architecture '" + architecture + "' needs it with shape "
                    + Arrays.toString(shape));
        }
        TensorInfo tensor = find(name, shape);
        return tensor == null ? binding.absent() : bind(tensor);
    }

    /** Part of a matrix: one expert of a stack, or one of several that were fused. */
    WeightMatrix rows(WeightMatrix matrix, int from, int count) {
        return matrix == binding.absent() ? matrix : matrix.rowRange(from, count);
    }

    /** As {@link #matrix}, as floats. */
    float[] vector(String name, int length) {
        return floats(matrix(name, length), length);
    }

    /** The floats of a tensor that need not be there. */
    float @Nullable [] optionalVector(String name, int length) {
        TensorInfo tensor = find(name, length);
        return tensor == null ? null : floats(bind(tensor), length);
    }

    /** Divisors of rotation angles, where the file has them: numbers other than 0. */
    float @Nullable [] ropeFactors(String name, int length) {
        float[] factors = optionalVector(name, length);
        if (factors != null) {
            for (float factor : factors) {
                if (factor == 0 || !Float.isFinite(factor)) {
                    problems.add("Tensor '" + name + "' holds " + factor + "; architecture '" + architecture
                            + "' needs finite numbers other than 0");
                    break;
                }
            }
        }
        return factors;
    }

    RmsNorm norm(String name, int width, float epsilon) {
        return new RmsNorm(vector(name + ".weight", width), epsilon);
    }

    /** The product with {@code NAME.weight} and, where allowed and there, {@code NAME.bias} and {@code NAME.scale}. */
    Linear linear(String name, int inputs, int outputs, boolean bias, Scale scale) {
        return linear(matrix(name + ".weight", inputs, outputs), name, outputs, bias, scale);
    }

    /** As {@link #linear(String, int, int, boolean, Scale)}, with a matrix found already. */
    Linear linear(WeightMatrix matrix, String name, int outputs, boolean bias, Scale scale) {
        float[] offsets = bias ? optionalVector(name + ".bias", outputs) : null;
        float factor = scale == Scale.NONE ? 1 : scales(name, 1)[0];
        if (scale == Scale.IGNORED) {
            factor = 1;
        }
        if (scale == Scale.AFTER_BIAS && offsets != null) {
            for (int i = 0; i < offsets.length; i++) {
                offsets[i] *= factor;
            }
        }
        return new Linear(matrix, factor, offsets);
    }

    /** The factors {@code NAME.scale}, 1 where absent. */
    float[] scales(String name, int count) {
        // the scale of inputs serves integer arithmetic on types that are not read here
        ignore(name + ".input_scale");
        float[] found = optionalVector(name + ".scale", count);
        if (found == null) {
            found = new float[count];
            Arrays.fill(found, 1);
        }
        return found;
    }

    /** Lets the file have a tensor that is not used. */
    void ignore(String name) {
        known.add(name);
    }

    /**
     * Refuses the file if a tensor was missing, has the wrong shape or type, or was never asked for.
     *
     * @throws ModelFormatException naming all that are missing, misshapen or unknown
     * @throws UnsupportedModelException naming all whose type is not supported, if nothing else is wrong
     */
    void refuseProblems() {
        for (TensorInfo tensor : model.tensors()) {
            if (!known.contains(tensor.name())) {
                problems.add(
                        "Tensor " + Quoted.of(tensor.name()) + " is not known to architecture '" + architecture + "'");
            }
        }
        if (!problems.isEmpty()) {
            throw new ModelFormatException(listed(problems));
        }
        if (!unsupported.isEmpty()) {
            throw new UnsupportedModelException(listed(unsupported));
        }
    }

    private String listed(List<String> found) {
        int more = found.size() - MOST_PROBLEMS;
        String all = String.join(". ", found.subList(0, Math.min(found.size(), MOST_PROBLEMS)));
        return all + (more > 0 ? ". " + more + " more tensors are wrong" : "") + " (file "
                + model.path().getFileName() + ").";
    }

    private @Nullable TensorInfo find(String name, int... shape) {
        known.add(name);
        TensorInfo tensor = model.tensor(name);
        if (tensor == null) {
            return null;
        }
        if (!hasShape(tensor, shape)) {
            if (refused.add(name)) {
                problems.add("Tensor '" + name + "' has shape " + tensor.shape() + "; architecture '" + architecture
                        + "' needs " + Arrays.toString(shape));
            }
            return null;
        }
        if (!binding.types().contains(tensor.type())) {
            if (refused.add(name)) {
                unsupported.add("Tensor '" + name + "' has type " + tensor.type() + "; the Java backend reads "
                        + binding.types());
            }
            return null;
        }
        return tensor;
    }

    private WeightMatrix bind(TensorInfo tensor) {
        WeightMatrix matrix = binding.matrix().apply(tensor);
        bound++;
        progress.loaded(Math.min(1, (double) bound / model.tensors().size()));
        return matrix;
    }

    private float[] floats(WeightMatrix matrix, int length) {
        float[] floats = new float[length];
        if (matrix != binding.absent()) {
            matrix.dequantizeRow(0, floats, 0);
        }
        return floats;
    }

    private static boolean hasShape(TensorInfo tensor, int[] shape) {
        for (int i = 0; i < Math.max(shape.length, tensor.shape().size()); i++) {
            long found = i < tensor.shape().size() ? tensor.shape().get(i) : 1;
            if (found != (i < shape.length ? shape[i] : 1)) {
                return false;
            }
        }
        return true;
    }
}
