package org.bloomery.spring.chat;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Who writes one answer. It is bound to the caller's thread while a request is submitted, and an interceptor that has
 * another model answer says so here before it hands out anything; who says it later takes it along. Safe for use by many
 * threads.
 */
public final class AnswerOrigin {

    private static final ScopedValue<AnswerOrigin> CURRENT = ScopedValue.newInstance();

    private final boolean streamed;
    private volatile @Nullable String overflow;

    AnswerOrigin(boolean streamed) {
        this.streamed = streamed;
    }

    /** That of the request being submitted on this thread, or one that nobody reads. */
    public static AnswerOrigin current() {
        return CURRENT.isBound() ? CURRENT.get() : new AnswerOrigin(false);
    }

    /** Whether somebody reads the answer while it is written. */
    public boolean streamed() {
        return streamed;
    }

    /** Says that the answer is another model's. */
    public void overflowTo(String model) {
        overflow = model;
    }

    /** The other model's name, or null where the engine answers. */
    public @Nullable String overflow() {
        return overflow;
    }

    <T> T during(Supplier<T> submission) {
        return ScopedValue.where(CURRENT, this).call(submission::get);
    }
}
