package org.bloomery.javaengine.kernel.machine;

import org.bloomery.javaengine.kernel.machine.Register.General;
import org.jspecify.annotations.Nullable;

/**
 * A memory operand: {@code base + index * scale + displacement}.
 *
 * @param index any register but RSP, or null
 * @param scale 1, 2, 4 or 8
 * @param displacement bytes
 * @param broadcast whether one element is read and goes to every lane (EVEX's {@code {1toN}})
 */
record Memory(General base, @Nullable General index, int scale, int displacement, boolean broadcast) {

    static Memory at(General base, int displacement) {
        return new Memory(base, null, 1, displacement, false);
    }

    static Memory at(General base, General index, int scale, int displacement) {
        return new Memory(base, index, scale, displacement, false);
    }

    /** One element for every lane. */
    Memory toAll() {
        return new Memory(base, index, scale, displacement, true);
    }
}
