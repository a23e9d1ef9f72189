package org.bloomery.spring.chat;

import java.util.function.Supplier;
import org.bloomery.engine.Caller;

/**
 * On whose behalf the request is that this thread submits. An interceptor binds the caller around the rest of the way, which
 * stays on its thread, and the chat model gives it to the engine beside the request.
 */
public final class CallerScope {

    private static final ScopedValue<Caller> CURRENT = ScopedValue.newInstance();

    private CallerScope() {}

    /** The caller bound to this thread, or {@link Caller#ANONYMOUS}. */
    public static Caller current() {
        return CURRENT.orElse(Caller.ANONYMOUS);
    }

    /** Submits a request for this caller. */
    public static <T> T during(Caller caller, Supplier<T> submission) {
        return ScopedValue.where(CURRENT, caller).call(submission::get);
    }
}
