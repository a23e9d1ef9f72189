package org.bloomery.spring.overflow;

/** Hears of every request that the engine did not answer for a reason that overflows, once, when it is decided. */
@FunctionalInterface
public interface OverflowListener {

    /** How a request ended that the engine did not answer. */
    enum Outcome {
        /** The other model answered. */
        ANSWERED,
        /** The other model failed. */
        FAILED,
        /** The caller cancelled while the other model answered. */
        CANCELLED,
        /** The policy kept the request in the process. */
        DENIED,
        /** The request asks for something that no portable option can ask another model for. */
        UNSUPPORTED
    }

    /** Must not block or throw. */
    void overflowed(OverflowReason reason, Outcome outcome);
}
