package org.bloomery.engine.audit;

import org.bloomery.engine.EngineException;
import org.jspecify.annotations.Nullable;

/** An audit record could not be kept, or an audit file cannot be used. */
public final class AuditException extends EngineException {

    public AuditException(String message) {
        super(message);
    }

    public AuditException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
