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
}
