package org.bloomery.spring.overflow;

import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.ContextLengthExceededException;
import org.bloomery.engine.EngineClosedException;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.EngineUnavailableException;
import org.jspecify.annotations.Nullable;

/** Why the engine does not answer a request that another model may answer. */
public enum OverflowReason {
    /** There is no room: the queue is full, or a circuit breaker, limiter or bulkhead refuses. */
    REFUSED("refused"),
    /** The engine is closed, or its backend died. */
    UNAVAILABLE("unavailable"),
    /** Prompt and answer do not fit the context. */
    TOO_LARGE("too-large");

    private final String label;

    OverflowReason(String label) {
        this.label = label;
    }

    /** As properties and meters have it. */
    public String label() {
        return label;
    }

    /** The reason of a failure, or null where another model could do no better or nobody asked it to. */
    static @Nullable OverflowReason of(Throwable failure) {
        return switch (failure) {
            case EngineOverloadedException e -> REFUSED;
            case EngineClosedException e -> UNAVAILABLE;
            case EngineUnavailableException e -> UNAVAILABLE;
            case BackendLostException e -> UNAVAILABLE;
            case ContextLengthExceededException e -> TOO_LARGE;
            default -> null;
        };
    }
}
