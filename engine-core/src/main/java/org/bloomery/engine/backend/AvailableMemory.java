package org.bloomery.engine.backend;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Memory that this process can still take: the least of what the machine has left and what each control group above the
 * process leaves. Pages of files that the kernel can drop count as left.
 *
 * @param bytes never below 0
 * @param source where the number comes from, for messages
 */
public record AvailableMemory(long bytes, String source) {

    /** What this machine has left now. */
    public static AvailableMemory now() {
        return read(Path.of("/"));
    }

    /** What a machine whose files lie under {@code root} has left; asks the JVM where there is no {@code /proc}. */
    static AvailableMemory read(Path root) {
        List<AvailableMemory> found = new ArrayList<>();
        field(root.resolve("proc/meminfo"), "MemAvailable:")
                .ifPresent(kibibytes -> found.add(new AvailableMemory(kibibytes * 1024, "free memory of the machine")));
        if (found.isEmpty()) {
            found.add(ofJvm());
        }
        for (Path group : ControlGroups.folders(root, "memory")) {
            addGroup(group, "memory.max", "memory.current", "inactive_file", found);
            addGroup(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file", found);
        }
        AvailableMemory least = found.getFirst();
        for (AvailableMemory each : found) {
            least = each.bytes < least.bytes ? each : least;
        }
        return least;
    }

    private static AvailableMemory ofJvm() {
        var system = ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
        // only Windows counts memory that caches would give back as free
        boolean windows =
                System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows");
        return windows
                ? new AvailableMemory(system.getFreeMemorySize(), "free memory of the machine")
                : new AvailableMemory(system.getTotalMemorySize(), "memory of the machine");
    }

    /** Adds what a group leaves, by the names of one version's files. */
    private static void addGroup(
            Path group, String limitName, String usageName, String cacheName, List<AvailableMemory> found) {
        OptionalLong limit = number(group.resolve(limitName));
        OptionalLong usage = number(group.resolve(usageName));
        if (limit.isPresent() && usage.isPresent()) {
            long droppable = field(group.resolve("memory.stat"), cacheName).orElse(0L);
            long left = limit.getAsLong() - Math.max(0, usage.getAsLong() - droppable);
            found.add(new AvailableMemory(Math.max(0, left), "memory limit of the container (control group)"));
        }
    }

    private static Optional<Long> field(Path file, String name) {
        for (String line : ControlGroups.lines(file)) {
            String[] parts = line.trim().split("\\s+");
            if (parts.length >= 2 && parts[0].equals(name)) {
                return parse(parts[1]).stream().boxed().findFirst();
            }
        }
        return Optional.empty();
    }

    private static OptionalLong number(Path file) {
        List<String> lines = ControlGroups.lines(file);
        return lines.isEmpty() ? OptionalLong.empty() : parse(lines.getFirst().trim());
    }

    /** A number; empty for {@code max} and for what is no number or does not fit, which both mean no limit. */
    private static OptionalLong parse(String text) {
        try {
            return OptionalLong.of(Long.parseLong(text));
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }
}
