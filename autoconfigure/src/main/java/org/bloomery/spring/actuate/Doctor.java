package org.bloomery.spring.actuate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.bloomery.engine.EngineStats;
import org.bloomery.engine.backend.AvailableMemory;
import org.bloomery.engine.backend.HostPressure;

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

    static List<Finding> findings(EngineStats stats, Path model) {
        List<Finding> found = new ArrayList<>();
        String kernels = stats.backend().kernels();
        if (stats.backend().backend().equals("java") && !kernels.startsWith("machine")) {
            found.add(new Finding(
                    "Kernels are '" + kernels + "': " + stats.backend().kernelsReason(),
                    "Start the JVM with --enable-native-access=ALL-UNNAMED for machine code, and with --add-modules"
                            + " jdk.incubator.vector where machine code is not available."));
        }
        HostPressure pressure = HostPressure.now();
        pressure.throttledPeriods().ifPresent(periods -> {
            if (periods > 0) {
                found.add(new Finding(
                        "The CPU quota has throttled this process in " + periods + " periods.",
                        "Raise the container's CPU limit, or set bloomery.engine.threads below it."));
            }
        });
        long swapped = swappedKilobytes();
        if (swapped > 0) {
            found.add(new Finding(
                    swapped + " kB of this process are swapped out.",
                    "Give the machine more memory, or switch swap off for this process."));
        }
        long available = AvailableMemory.now().bytes();
        long tenth = stats.backend().memory().total() / 10;
        if (available < tenth) {
            found.add(new Finding(
                    "Only " + (available >> 20)
                            + " MiB of memory are available, less than a tenth of what the model takes.",
                    "Raise the memory limit, or lower bloomery.engine.max-sequences or context-length."));
        }
        Path folder = model.toAbsolutePath().getParent();
        for (Path path : folder == null ? List.of(model) : List.of(model, folder)) {
            if (writableByOthers(path)) {
                found.add(new Finding(
                        "Others than its owner may write "
                                + (path.equals(folder) ? "the model's folder" : "the model file") + ".",
                        "Take away the permission (chmod o-w), or keep the model where only its owner may write."));
            }
        }
        return List.copyOf(found);
    }

    private static long swappedKilobytes() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmSwap:")) {
                    return Long.parseLong(line.replaceAll("[^0-9]", ""));
                }
            }
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
        return 0;
    }

    private static boolean writableByOthers(Path path) {
        try {
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(path);
            return permissions.contains(PosixFilePermission.OTHERS_WRITE);
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }
}
