package org.bloomery.engine.backend;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * How the machine holds this process up, its children included, one of which may be the worker that computes: since it
 * started, but for what says otherwise. Empty where the machine does not tell, which only Linux does.
 *
 * @param throttledPeriods times that a control group's CPU quota stopped the process
 * @param throttledNanos how long all of them took
 * @param majorFaults pages of memory that had to be read from disk, such as those of a mapped model that did not stay in
 *     memory
 * @param swappedBytes memory of the processes that lies on disk now
 */
public record HostPressure(
        OptionalLong throttledPeriods,
        OptionalLong throttledNanos,
        OptionalLong majorFaults,
        OptionalLong swappedBytes) {

    /**
     * Behind the name in {@code /proc/PID/stat}, which may hold anything: state is the third field, majflt the 12th, and the
     * 13th the same of children that have ended.
     */
    private static final int MAJOR_FAULTS = 12 - 3;

    /** Figures at this moment. */
    public static HostPressure now() {
        return read(
                Path.of("/"),
                ProcessHandle.current().children().map(ProcessHandle::pid).toList());
    }

    /** Figures of a machine whose files lie under {@code root}, and of a process with these children. */
    static HostPressure read(Path root, List<Long> children) {
        OptionalLong periods = OptionalLong.empty();
        OptionalLong nanos = OptionalLong.empty();
        // A group's quota stops the groups in it, so the group that was stopped most says how often this process was
        for (Path group : ControlGroups.folders(root, "cpu")) {
            List<String> lines = ControlGroups.lines(group.resolve("cpu.stat"));
            periods = larger(periods, field(lines, "nr_throttled", 1));
            nanos = larger(nanos, field(lines, "throttled_usec", 1_000));
            nanos = larger(nanos, field(lines, "throttled_time", 1)); // Version 1 of control groups
        }
        OptionalLong faults = majorFaults(ControlGroups.lines(root.resolve("proc/self/stat")));
        OptionalLong swapped = swapped(ControlGroups.lines(root.resolve("proc/self/status")));
        for (long child : children) {
            // One that has just ended tells nothing of its own, and its faults are among this process's
            Path folder = root.resolve("proc/" + child);
            faults = sum(faults, majorFaults(ControlGroups.lines(folder.resolve("stat"))));
            swapped = sum(swapped, swapped(ControlGroups.lines(folder.resolve("status"))));
        }
        return new HostPressure(periods, nanos, faults, swapped);
    }

    private static OptionalLong sum(OptionalLong own, OptionalLong child) {
        return own.isPresent() && child.isPresent() ? OptionalLong.of(own.getAsLong() + child.getAsLong()) : own;
    }

    private static OptionalLong larger(OptionalLong a, OptionalLong b) {
        return b.isPresent() && (a.isEmpty() || b.getAsLong() > a.getAsLong()) ? b : a;
    }

    private static OptionalLong field(List<String> lines, String name, long unit) {
        for (String line : lines) {
            if (line.startsWith(name + " ")) {
                return number(line.substring(name.length() + 1), unit);
            }
        }
        return OptionalLong.empty();
    }

    private static OptionalLong majorFaults(List<String> stat) {
        String line = stat.isEmpty() ? "" : stat.getFirst();
        String[] fields = line.substring(line.lastIndexOf(')') + 1).trim().split(" ");
        return fields.length > MAJOR_FAULTS + 1
                ? sum(number(fields[MAJOR_FAULTS], 1), number(fields[MAJOR_FAULTS + 1], 1))
                : OptionalLong.empty();
    }

    /** Of a line such as {@code VmSwap:   12 kB}. */
    private static OptionalLong swapped(List<String> status) {
        for (String line : status) {
            if (line.startsWith("VmSwap:") && line.endsWith(" kB")) {
                return number(line.substring("VmSwap:".length(), line.length() - " kB".length()), 1024);
            }
        }
        return OptionalLong.empty();
    }

    private static OptionalLong number(String text, long unit) {
        try {
            return OptionalLong.of(Long.parseLong(text.trim()) * unit);
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }
}
