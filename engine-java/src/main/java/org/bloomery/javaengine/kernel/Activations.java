package org.bloomery.javaengine.kernel;

/**
 * The right-hand side of a product: (tokens, columns) floats, row-major.
 *
 * @param values holds the floats; not written by kernels
 * @param offset index of the first float in {@code values}
 * @param tokens rows, at least 1
 * @param columns floats in a row
 * @param packed the same floats in the form a kernel asked for, or unused; see {@link ActivationForm}
 */
public record Activations(float[] values, int offset, int tokens, int columns, float[] packed) {}
