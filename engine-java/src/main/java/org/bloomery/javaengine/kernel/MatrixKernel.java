package org.bloomery.javaengine.kernel;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Products of the rows of a quantised matrix with activations, for one element type. Stateless. */
public interface MatrixKernel {

    /** Floats of scratch that one call needs. */
    int scratchLength(int columns, int tokens);

    /**
     * Computes {@code out[t][r] = Σ weights[r][c] · x[t][c]} for every token and the rows {@code from} to {@code to}.
     * Floats are added in an order of the kernel's choice; NaN and infinities come through as in any such sum.
     *
     * @param weights (at least {@code to}, columns) in the type's blocks, row-major, at the segment's start
     * @param x activations, packed in this kernel's {@link #form}
     * @param out (tokens, {@code rows}) row-major from {@code outOffset}; the other rows' values are left alone
     * @param rows floats from one token's results to the next's
     * @param scratch at least {@link #scratchLength} floats, overwritten; not shared by threads
     */
    void multiply(
            MemorySegment weights,
            int from,
            int to,
            Activations x,
            float[] out,
            int outOffset,
            int rows,
            float[] scratch);

    /** How this kernel reads activations; where the form rounds them, products are those of the rounded ones. */
    default ActivationForm form() {
        return ActivationForm.PLAIN;
    }

    /** The layout for matrices of so many columns that this kernel's products would rather read; empty if there is none. */
    default Optional<Interleaving> interleaving(int columns) {
        return Optional.empty();
    }

    /** The kernel for rows in that layout; ranges that it is given begin at a multiple of a group's rows. */
    default MatrixKernel interleaved() {
        throw new UnsupportedOperationException("This kernel reads rows one after the other only");
    }

    /** Writes the float values of one row of {@code columns} elements. */
    void dequantizeRow(MemorySegment weights, int row, int columns, float[] out, int outOffset);
}
