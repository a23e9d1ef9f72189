package org.bloomery.nativeengine;

import org.bloomery.engine.backend.Availability;
import org.bloomery.engine.backend.DeviceOptions;
import org.junit.jupiter.api.Assumptions;

/** The libraries that the tests run on: those of the natives artifact for this machine. */
final class Natives {

    private Natives() {}

    /** Skips a test where there are none, with the reason. */
    static void require() {
        Availability native_ = new NativeBackendProvider().probe(DeviceOptions.DEFAULT);
        Assumptions.assumeTrue(
                native_ instanceof Availability.Available, () -> "llama.cpp is not here: " + native_.reason());
    }
}
