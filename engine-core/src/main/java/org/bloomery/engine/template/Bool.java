package org.bloomery.engine.template;

import java.math.BigInteger;

/** Python's True and False, which are also the integers 1 and 0. */
record Bool(boolean value) implements Value {

    static final Bool TRUE = new Bool(true);
    static final Bool FALSE = new Bool(false);

    static Bool of(boolean value) {
        return value ? TRUE : FALSE;
    }

    BigInteger number() {
        return value ? BigInteger.ONE : BigInteger.ZERO;
    }

    @Override
    public boolean equals(@org.jspecify.annotations.Nullable Object other) {
        return other instanceof Value that && Numbers.equal(this, that);
    }

    @Override
    public int hashCode() {
        return number().hashCode();
    }
}
