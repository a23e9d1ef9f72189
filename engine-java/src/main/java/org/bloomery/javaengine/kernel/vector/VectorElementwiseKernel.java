package org.bloomery.javaengine.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.MAX;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.bloomery.javaengine.kernel.ElementwiseKernel;
import org.bloomery.javaengine.kernel.Exponential;

/** A vector of exponentials at a time; what is left at the end goes through the same code under a mask. */
final class VectorElementwiseKernel implements ElementwiseKernel {

    @Override
    public void swiglu(float[] gate, float[] up, int from, int to) {
        int i = from;
        for (; i + Lanes.COUNT <= to; i += Lanes.COUNT) {
            silu(Lanes.floats(gate, i)).mul(Lanes.floats(up, i)).intoArray(gate, i);
        }
        if (i < to) {
            VectorMask<Float> rest = Lanes.FLOATS.indexInRange(i, to);
            silu(FloatVector.fromArray(Lanes.FLOATS, gate, i, rest))
                    .mul(FloatVector.fromArray(Lanes.FLOATS, up, i, rest))
                    .intoArray(gate, i, rest);
        }
    }

    @Override
    public float greatest(float[] x, int offset, int count) {
        FloatVector most = FloatVector.broadcast(Lanes.FLOATS, Float.NEGATIVE_INFINITY);
        int i = 0;
        for (; i + Lanes.COUNT <= count; i += Lanes.COUNT) {
            most = most.max(Lanes.floats(x, offset + i));
        }
        float greatest = most.reduceLanes(MAX);
        for (; i < count; i++) {
            greatest = Math.max(greatest, x[offset + i]);
        }
        return greatest;
    }

    @Override
    public float exponentials(float[] x, int offset, int count, float greatest) {
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        int i = 0;
        for (; i + Lanes.COUNT <= count; i += Lanes.COUNT) {
            FloatVector weights = exp(Lanes.floats(x, offset + i).sub(greatest));
            weights.intoArray(x, offset + i);
            sum = sum.add(weights);
        }
        if (i < count) {
            VectorMask<Float> rest = Lanes.FLOATS.indexInRange(i, count);
            FloatVector weights =
                    exp(FloatVector.fromArray(Lanes.FLOATS, x, offset + i, rest).sub(greatest));
            weights.intoArray(x, offset + i, rest);
            sum = sum.add(weights, rest);
        }
        return sum.reduceLanes(ADD);
    }

    private static FloatVector silu(FloatVector x) {
        return x.div(exp(x.neg()).add(1));
    }

    /** As {@link Exponential#of}, but finite above {@link Exponential#MOST}. */
    private static FloatVector exp(FloatVector x) {
        FloatVector bounded = x.max(Exponential.LEAST).min(Exponential.MOST);
        FloatVector shifted = bounded.fma(all(Exponential.LOG2_E), all(Exponential.ROUND));
        FloatVector whole = shifted.sub(Exponential.ROUND);
        FloatVector f = whole.fma(all(-Exponential.LN2_LOW), whole.fma(all(-Exponential.LN2_HIGH), bounded));
        FloatVector p = all(Exponential.C7)
                .fma(f, all(Exponential.C6))
                .fma(f, all(Exponential.C5))
                .fma(f, all(Exponential.C4))
                .fma(f, all(Exponential.C3))
                .fma(f, all(Exponential.C2));
        p = p.mul(f).fma(f, f.add(1));
        FloatVector power = shifted.reinterpretAsInts()
                .sub(Exponential.ROUND_BITS - 127)
                .lanewise(LSHL, 23)
                .reinterpretAsFloats();
        return p.mul(power).blend(0, x.compare(LT, Exponential.LEAST));
    }

    private static FloatVector all(float value) {
        return FloatVector.broadcast(Lanes.FLOATS, value);
    }
}
