package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.bloomery.javaengine.kernel.ElementwiseKernel;

/** Whole vectors in machine code; what is left at the end goes another way. */
final class MachineElementwiseKernel implements ElementwiseKernel {

    private final ElementwiseLoops loops;
    private final ElementwiseKernel plain;

    /** @param plain the other way */
    MachineElementwiseKernel(ElementwiseLoops loops, ElementwiseKernel plain) {
        this.loops = loops;
        this.plain = plain;
    }

    @Override
    public void swiglu(float[] gate, float[] up, int from, int to) {
        int whole = whole(to - from, loops.lanes());
        if (whole > 0) {
            call(loops.swiglu(), gate, up, from, whole, loops.lanes(), 0);
        }
        plain.swiglu(gate, up, from + whole, to);
    }

    @Override
    public float greatest(float[] x, int offset, int count) {
        int whole = whole(count, ElementwiseLoops.GREATEST_LANES);
        if (whole == 0) {
            return plain.greatest(x, offset, count);
        }
        float most = call(loops.greatest(), x, x, offset, whole, ElementwiseLoops.GREATEST_LANES, 0);
        return whole == count ? most : Math.max(most, plain.greatest(x, offset + whole, count - whole));
    }

    @Override
    public float exponentials(float[] x, int offset, int count, float greatest) {
        int whole = whole(count, loops.lanes());
        float sum = whole == 0 ? 0 : call(loops.exponentials(), x, x, offset, whole, loops.lanes(), greatest);
        return sum + plain.exponentials(x, offset + whole, count - whole, greatest);
    }

    private static int whole(int count, int lanes) {
        return count / lanes * lanes;
    }

    private float call(MemorySegment code, float[] x, float[] other, int from, int count, int lanes, float number) {
        Objects.checkFromIndexSize(from, count, x.length);
        Objects.checkFromIndexSize(from, count, other.length);
        long offset = (long) from * Float.BYTES;
        return MachineCall.loop(
                code,
                MemorySegment.ofArray(x).asSlice(offset),
                MemorySegment.ofArray(other).asSlice(offset),
                loops.constants(),
                count / lanes,
                number);
    }
}
