package org.bloomery.engine.template;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** Python's float. */
record Real(double value) implements Value {

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Value that && Numbers.equal(this, that);
    }

    /** Equal to the hash of an equal integer. */
    @Override
    public int hashCode() {
        return value == Math.rint(value) && !Double.isInfinite(value)
                ? new BigDecimal(value).toBigInteger().hashCode()
                : Double.hashCode(value);
    }
}
