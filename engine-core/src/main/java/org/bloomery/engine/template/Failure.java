package org.bloomery.engine.template;

/** A template error on its way to {@link Template}, which adds the line. Its message holds no untrusted text. */
final class Failure extends RuntimeException {

    private final boolean refusal;

    Failure(String message) {
        this(message, false);
    }

    Failure(String message, boolean refusal) {
        super(message, null, false, false);
        this.refusal = refusal;
    }

    /** Whether the template called raise_exception. */
    boolean refusal() {
        return refusal;
    }
}
