package org.bloomery.javaengine.kernel;

import java.lang.foreign.MemorySegment;
import org.bloomery.engine.format.TensorType;

/**
 * A few rows of a matrix, for a tier of kernels to be tried on.
 *
 * @param type element type
 * @param weights (rows, columns) in the type's blocks, row-major, at the segment's start
 * @param rows at least 1
 * @param columns a multiple of the type's block size
 */
public record WeightSample(TensorType type, MemorySegment weights, int rows, int columns) {}
