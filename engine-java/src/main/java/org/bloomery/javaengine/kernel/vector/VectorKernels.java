package org.bloomery.javaengine.kernel.vector;

import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.AttentionKernel;
import org.bloomery.javaengine.kernel.ElementwiseKernel;
import org.bloomery.javaengine.kernel.Kernels;
import org.bloomery.javaengine.kernel.MatrixKernel;
import org.bloomery.javaengine.quant.QuantTypes;

/** The tier on the Vector API; made only where the module {@code jdk.incubator.vector} is in the boot layer. */
public record VectorKernels(String reason) implements Kernels {

    @Override
    public String name() {
        return "vector-" + Lanes.FLOATS.vectorBitSize();
    }

    @Override
    public MatrixKernel matrix(TensorType type) {
        return new VectorMatrixKernel(QuantTypes.of(type).type(), rows(type));
    }

    private static VectorRows rows(TensorType type) {
        return switch (type) {
            case F32 -> new F32Rows();
            case F16 -> new F16Rows();
            case BF16 -> new BF16Rows();
            case Q8_0 -> new Q8_0Rows();
            case Q4_0 -> new Q4_0Rows();
            case Q4_1 -> new Q4_1Rows();
            case Q5_0 -> new Q5_0Rows();
            case Q5_1 -> new Q5_1Rows();
            case Q4_K -> new Q4_KRows();
            case Q5_K -> new Q5_KRows();
            case Q6_K -> new Q6_KRows();
            default -> throw new IllegalStateException("No vector kernel reads " + type);
        };
    }

    @Override
    public AttentionKernel attention() {
        return new VectorAttentionKernel();
    }

    @Override
    public ElementwiseKernel elementwise() {
        return new VectorElementwiseKernel();
    }
}
