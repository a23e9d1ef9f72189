package org.bloomery.spring.autoconfigure;

import org.bloomery.engine.EngineState;
import org.springframework.boot.availability.ApplicationAvailability;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.context.ConfigurableApplicationContext;

/** Takes the application's readiness down while its engine cannot answer, and up again after. */
final class EngineReadiness {

    private final ConfigurableApplicationContext context;
    private final ApplicationAvailability availability;
    private boolean takenDown;

    EngineReadiness(ConfigurableApplicationContext context, ApplicationAvailability availability) {
        this.context = context;
        this.availability = availability;
    }

    /** Called by the engine at each change of its state. */
    synchronized void accept(EngineState state) {
        if (!context.isActive()) {
            // Not yet started: Boot says when it is
            return;
        }
        if (state == EngineState.READY) {
            if (takenDown) {
                takenDown = false;
                AvailabilityChangeEvent.publish(context, ReadinessState.ACCEPTING_TRAFFIC);
            }
        } else if (availability.getReadinessState() == ReadinessState.ACCEPTING_TRAFFIC) {
            takenDown = true;
            AvailabilityChangeEvent.publish(context, ReadinessState.REFUSING_TRAFFIC);
        }
    }
}
