package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.MemorySegment;
import org.bloomery.javaengine.kernel.ActivationForm;
import org.bloomery.javaengine.kernel.Activations;

/**
 * Activations packed in groups of up to {@value #GROUP} tokens, one group after the other; inside a group blocks of
 * {@value #BLOCK} columns follow each other, each with all tokens of the group.
 */
interface GroupedActivations extends ActivationForm {

    /** Tokens that one call of a kernel takes at most: the sums of 16 rows each have a register. */
    int GROUP = 16;

    /** Columns of a block. */
    int BLOCK = 32;

    /** Bytes that one token has in a block, a multiple of 4. */
    int tokenBytes();

    /** None if columns are no whole blocks: such activations are read as they are. */
    @Override
    default int length(int columns, int tokens) {
        return columns % BLOCK == 0
                ? Math.multiplyExact(tokens, Math.multiplyExact(columns / BLOCK, tokenBytes() / Float.BYTES))
                : 0;
    }

    /** A group each. */
    @Override
    default int parts(int columns, int tokens) {
        return Math.ceilDiv(tokens, GROUP);
    }

    /** The blocks of a group. */
    default MemorySegment group(Activations x, int group) {
        long bytes = (long) (x.columns() / BLOCK) * tokenBytes();
        return MemorySegment.ofArray(x.packed()).asSlice(group * GROUP * bytes, groupSize(group, x.tokens()) * bytes);
    }

    /** Tokens of a group. */
    static int groupSize(int group, int tokens) {
        return Math.min(GROUP, tokens - group * GROUP);
    }
}
