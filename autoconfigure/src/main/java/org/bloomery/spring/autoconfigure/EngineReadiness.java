package org.bloomery.spring.autoconfigure;

import java.util.function.Supplier;
import org.bloomery.engine.EngineState;
import org.bloomery.spring.health.EngineWatchdog;
import org.springframework.boot.availability.ApplicationAvailability;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;

/** Takes the application's readiness down while its engine cannot answer, and up again after. */
final class EngineReadiness implements ApplicationListener<AvailabilityChangeEvent<ReadinessState>> {

    private final ConfigurableApplicationContext context;
    private final ApplicationAvailability availability;
    private final Supplier<EngineState> engine;
    private boolean takenDown;
    private boolean stalled;

    EngineReadiness(
            ConfigurableApplicationContext context,
            ApplicationAvailability availability,
            Supplier<EngineState> engine) {
        this.context = context;
        this.availability = availability;
        this.engine = engine;
    }

    /** Called by the engine at each change of its state. */
    synchronized void accept(EngineState state) {
        update(state == EngineState.READY && !stalled);
    }

    /** Called by the watchdog at each change of what it finds. */
    synchronized void accept(EngineWatchdog.State state) {
        stalled = state != EngineWatchdog.State.HEALTHY;
        update(engine.get() == EngineState.READY && !stalled);
    }

    private void update(boolean ready) {
        if (!context.isActive()) {
            // Not yet started: Boot says when it is
            return;
        }
        if (ready) {
            if (takenDown) {
                takenDown = false;
                AvailabilityChangeEvent.publish(context, ReadinessState.ACCEPTING_TRAFFIC);
            }
        } else if (availability.getReadinessState() == ReadinessState.ACCEPTING_TRAFFIC) {
            takenDown = true;
            AvailabilityChangeEvent.publish(context, ReadinessState.REFUSING_TRAFFIC);
        }
    }

    /** Boot takes readiness up once the application has started, whether or not the model is loaded by then. */
    @Override
    public synchronized void onApplicationEvent(AvailabilityChangeEvent<ReadinessState> event) {
        if (event.getState() == ReadinessState.ACCEPTING_TRAFFIC && (engine.get() != EngineState.READY || stalled)) {
            takenDown = true;
            AvailabilityChangeEvent.publish(context, ReadinessState.REFUSING_TRAFFIC);
        }
    }
}
