package org.bloomery.engine.template;

import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/** An integer of up to {@link Fuel#MAX_INTEGER_BITS} bits. */
record Int(BigInteger value) implements Value {

    Int {
        if (value.bitLength() > Fuel.MAX_INTEGER_BITS) {
            throw new Failure("it computes an integer of " + value.bitLength() + " bits; at most "
                    + Fuel.MAX_INTEGER_BITS + " are allowed");
        }
    }

    static Int of(long value) {
        return new Int(BigInteger.valueOf(value));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Value that && Numbers.equal(this, that);
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }
}
