package org.bloomery.engine;

import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Tells a listener of an engine's state, whichever threads change it: one call at a time, in order, each with what {@link
 * Engine#state} shows at that moment, the last one with what it shows from then on.
 */
final class StateTeller {

    private static final System.Logger LOG = System.getLogger(StateTeller.class.getName());

    private final Supplier<EngineState> state;
    /** Changes that the listener may not know yet. Who takes it from 0 tells, also for those that come meanwhile. */
    private final AtomicInteger changes = new AtomicInteger();

    private volatile Consumer<EngineState> listener = now -> {};
    /** Used by the thread that tells. */
    private @Nullable EngineState told;

    StateTeller(Supplier<EngineState> state) {
        this.state = state;
    }

    void listener(Consumer<EngineState> newListener) {
        listener = newListener;
    }

    /** The state may have changed. Never waits for another thread, since that one may be waiting for this one's end. */
    void changed() {
        if (changes.getAndIncrement() > 0) {
            return;
        }
        int seen = 1;
        do {
            EngineState now = state.get();
            if (now != told) {
                told = now;
                tell(now);
            }
            seen = changes.addAndGet(-seen);
        } while (seen > 0);
    }

    private void tell(EngineState now) {
        try {
            listener.accept(now);
        } catch (Throwable t) {
            // Errors too: a listener's missing class must not keep later states from it
            LOG.log(Level.WARNING, "A listener to the engine's state threw.", t);
        }
    }
}
