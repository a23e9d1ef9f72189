package org.bloomery.javaengine.kernel.machine;

import org.bloomery.engine.format.TensorType;

/** What numbers go with the 32 unpacked codes {@code u} (unsigned bytes) of a row in one block. */
enum BlockForm {
    /** {@code value = scale * (u - 128)} */
    SYMMETRIC,
    /** {@code value = scale * u - second} */
    MINIMUM,
    /** {@code value = scale * (u - 128)} for the first 16 columns, {@code second * (u - 128)} for the others. */
    PAIR;

    static BlockForm of(TensorType type) {
        return switch (type) {
            case Q8_0, Q4_0, Q5_0 -> SYMMETRIC;
            case Q4_1, Q5_1, Q4_K, Q5_K -> MINIMUM;
            case Q6_K -> PAIR;
            default -> throw new IllegalArgumentException("Type " + type + " has no integer kernel");
        };
    }
}
