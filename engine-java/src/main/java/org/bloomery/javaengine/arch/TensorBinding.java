package org.bloomery.javaengine.arch;

import java.util.Set;
import java.util.function.Function;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.tensor.WeightMatrix;

/**
 * How the tensors of a file become matrices.
 *
 * @param types element types that can be computed with
 * @param matrix the matrix of a tensor of one of these types
 * @param absent stands for a matrix that cannot be had, until the model is refused; never multiplied
 */
public record TensorBinding(Set<TensorType> types, Function<TensorInfo, WeightMatrix> matrix, WeightMatrix absent) {}
