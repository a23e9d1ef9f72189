package org.bloomery.engine.template;

/**
 * Something that is not there: prints nothing, is empty and false, and fails with its message when used otherwise.
 *
 * @param message why it is undefined, without untrusted text
 */
record Undefined(String message) implements Value {

    static Undefined variable(String name) {
        return new Undefined("'" + name + "' is undefined");
    }

    Failure failure() {
        return new Failure(message);
    }

    /** All are equal, as in Jinja. */
    @Override
    public boolean equals(@org.jspecify.annotations.Nullable Object other) {
        return other instanceof Undefined;
    }

    @Override
    public int hashCode() {
        return 0;
    }
}
