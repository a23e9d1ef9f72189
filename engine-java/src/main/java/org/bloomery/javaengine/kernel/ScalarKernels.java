package org.bloomery.javaengine.kernel;

import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.quant.QuantTypes;

/** The tier that runs on every JVM: plain loops. */
record ScalarKernels(String reason) implements Kernels {

    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public MatrixKernel matrix(TensorType type) {
        return new ScalarMatrixKernel(QuantTypes.of(type));
    }

    @Override
    public AttentionKernel attention() {
        return new ScalarAttentionKernel();
    }

    @Override
    public ElementwiseKernel elementwise() {
        return new ScalarElementwiseKernel();
    }

    @Override
    public int packedLength(int columns, int tokens) {
        return 0;
    }

    @Override
    public int packParts(int columns, int tokens) {
        return 0;
    }

    @Override
    public void pack(Activations x, int part) {
        throw new IllegalArgumentException("The scalar kernels read activations as they are");
    }
}
