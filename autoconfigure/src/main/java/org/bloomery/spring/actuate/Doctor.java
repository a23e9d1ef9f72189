package org.bloomery.spring.actuate;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bloomery.engine.EngineStats;
import org.bloomery.engine.backend.AvailableMemory;
import org.bloomery.engine.backend.HostPressure;
import org.bloomery.engine.store.ModelDigest;
import org.bloomery.spring.security.ModelLocation;

/** Looks for what makes an engine slow or unsafe, and says what helps. */
final class Doctor {

    /**
     * Something that was found.
     *
     * @param finding what is the matter, in one sentence
     * @param remedy what to do
     */
    record Finding(String finding, String remedy) {}

    private Doctor() {}

    static List<Finding> findings(EngineStats stats, HostPressure pressure, Path model) {
        List<Finding> found = new ArrayList<>();
        String kernels = stats.backend().kernels();
        if (stats.backend().backend().equals("java") && !kernels.startsWith("machine")) {
            found.add(new Finding(
                    "Kernels are '" + kernels + "': " + stats.backend().kernelsReason(),
                    "Start the JVM with --enable-native-access=ALL-UNNAMED for machine code, and with --add-modules"
                            + " jdk.incubator.vector where machine code is not available."));
        }
        pressure.throttledPeriods().ifPresent(periods -> {
            if (periods > 0) {
                found.add(new Finding(
                        "The CPU quota has throttled this process in " + periods + " periods.",
                        "Raise the container's CPU limit, or set bloomery.engine.threads below it."));
            }
        });
        pressure.swappedBytes().ifPresent(bytes -> {
            if (bytes > 0) {
                found.add(new Finding(
                        (bytes >> 10) + " kB of this process are swapped out.",
                        "Give the machine more memory, or switch swap off for this process."));
            }
        });
        long available = AvailableMemory.now().bytes();
        long tenth = stats.backend().memory().total() / 10;
        if (available < tenth) {
            found.add(new Finding(
                    "Only " + (available >> 20)
                            + " MiB of memory are available, less than a tenth of what the model takes.",
                    "Raise the memory limit, or lower bloomery.engine.max-sequences or context-length."));
        }
        ModelLocation.complaint(ModelDigest.parts(model))
                .ifPresent(complaint -> found.add(new Finding(
                        complaint,
                        "Keep the model where only its owner may write (chmod go-w), or load it with"
                                + " bloomery.engine.load-mode=copy.")));
        return List.copyOf(found);
    }
}
