package org.bloomery.engine;

import org.jspecify.annotations.Nullable;

/**
 * What computed the answer has died while it was being written: a worker process that crashed or was killed. Nothing of
 * the request is left; the same request may be sent again and will be taken once the worker is back.
 */
public final class BackendLostException extends EngineException {

    public BackendLostException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
