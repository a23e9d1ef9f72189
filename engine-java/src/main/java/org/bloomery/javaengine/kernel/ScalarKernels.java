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
}
