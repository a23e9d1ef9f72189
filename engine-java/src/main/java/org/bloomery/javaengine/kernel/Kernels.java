package org.bloomery.javaengine.kernel;

import org.bloomery.engine.format.TensorType;

/** A tier of kernels: one way of computing everything, chosen once a backend. Immutable and shared by threads. */
public interface Kernels {

    /** The tier's name, such as {@code scalar}. */
    String name();

    /** One sentence: why this tier was chosen. */
    String reason();

    /**
     * The kernel for matrices of this element type.
     *
     * @throws org.bloomery.engine.UnsupportedModelException if there is none
     */
    MatrixKernel matrix(TensorType type);

    /** The inner loops of attention. */
    AttentionKernel attention();

    /** The loops that need exponentials. */
    ElementwiseKernel elementwise();

    /** Floats in the packed form of (tokens, columns) activations; 0 where the kernels read them as they are. */
    int packedLength(int columns, int tokens);

    /** Parts in which activations are packed, each by one call to {@link #pack} on any thread. */
    int packParts(int columns, int tokens);

    /** Writes one part of the packed form of {@code x}, for the kernels of this tier, into its {@code packed}. */
    void pack(Activations x, int part);
}
