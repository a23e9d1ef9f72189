package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.MemorySegment;
import org.bloomery.javaengine.kernel.Activations;

/**
 * Activations as {@link Bf16Code} reads them: rounded to brain floats, to nearest and ties to even, as llama.cpp rounds
 * them for the same instruction; what is below the smallest normal number becomes 0. A block of a group has for each pair
 * of columns the pairs of all its tokens, side by side.
 */
final class Bf16Activations implements GroupedActivations {

    private static final int EXPONENT = 0x7F80_0000;
    private static final int SIGN = 0x8000_0000;
    private static final int QUIET = 0x0040_0000;

    private final LoadedCode packing;

    /** @param memory for the code that packs */
    Bf16Activations(ExecutableMemory memory) {
        packing = new LoadedCode(memory, GROUP, tokens -> new Bf16Code().pack(tokens));
    }

    @Override
    public int tokenBytes() {
        return BLOCK * Short.BYTES;
    }

    @Override
    public void pack(Activations x, int part) {
        int columns = x.columns();
        int size = GroupedActivations.groupSize(part, x.tokens());
        long tokenBytes = (long) columns * Float.BYTES;
        MemorySegment values = MemorySegment.ofArray(x.values())
                .asSlice((long) x.offset() * Float.BYTES + (long) part * GROUP * tokenBytes, size * tokenBytes);
        MemorySegment target = group(x, part);
        MachineCall.multiply(
                packing.get(size), values, tokenBytes, target, target, 0, columns / BLOCK, 1, (1L << size) - 1);
    }

    @Override
    public void round(float[] x, int offset, int columns, float[] out, int outOffset) {
        for (int i = 0; i < columns; i++) {
            out[outOffset + i] = columns % BLOCK == 0 ? round(x[offset + i]) : x[offset + i];
        }
    }

    private static float round(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return Float.intBitsToFloat(bits | QUIET);
        }
        if ((bits & EXPONENT) == 0) {
            return Float.intBitsToFloat(bits & SIGN);
        }
        return Float.intBitsToFloat((bits + 0x7FFF + (bits >>> 16 & 1)) & 0xFFFF_0000);
    }
}
