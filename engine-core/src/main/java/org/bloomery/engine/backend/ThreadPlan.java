package org.bloomery.engine.backend;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import org.bloomery.engine.InvalidOptionException;

/**
 * How many threads compute, and why.
 *
 * @param threads compute threads, at least 1
 * @param reason a few words for the start-up report
 */
public record ThreadPlan(int threads, String reason) {

    private static final int MOST = 1024;

    /**
     * The plan for a requested number of threads. Zero asks for one on each processor that the process may run on and its
     * control groups pay for, rounded down: {@link Runtime#availableProcessors} rounds a quota up, and threads that wait for
     * each other then all wait for the one that is throttled.
     *
     * @throws InvalidOptionException if {@code requested} is below 0 or above 1024
     */
    public static ThreadPlan of(int requested) {
        return of(requested, Runtime.getRuntime().availableProcessors(), Path.of("/"));
    }

    /** The plan on a machine whose files lie under {@code root}. */
    static ThreadPlan of(int requested, int processors, Path root) {
        if (requested < 0 || requested > MOST) {
            throw new InvalidOptionException("Option 'threads' is " + requested + "; choose 1 to " + MOST
                    + ", or 0 for one thread a processor.");
        }
        OptionalDouble quota = quota(root);
        int paid = (int) Math.max(1, Math.min(processors, Math.floor(quota.orElse(processors))));
        if (requested == 0) {
            String reason = paid < processors
                    ? String.format(Locale.ROOT, "the CPU quota of %.2f processors, rounded down", quota.orElseThrow())
                    : "one a processor: affinity and CPU quota leave " + processors + " to this process";
            return new ThreadPlan(paid, reason);
        }
        String reason = requested > paid
                ? "set by option 'threads', though only " + paid + " processors are available: expect it to be slower"
                : "set by option 'threads', of " + paid + " processors";
        return new ThreadPlan(requested, reason);
    }

    /** Processors that the control groups above this process pay for; the least of all, empty where none has a limit. */
    private static OptionalDouble quota(Path root) {
        List<Double> quotas = new ArrayList<>();
        for (Path group : ControlGroups.folders(root, "cpu")) {
            List<String> limit = ControlGroups.lines(group.resolve("cpu.max"));
            if (!limit.isEmpty()) {
                String[] numbers = limit.getFirst().strip().split("\\s+");
                add(numbers[0], numbers.length > 1 ? numbers[1] : "100000", quotas);
            }
            List<String> quota = ControlGroups.lines(group.resolve("cpu.cfs_quota_us"));
            List<String> period = ControlGroups.lines(group.resolve("cpu.cfs_period_us"));
            if (!quota.isEmpty() && !period.isEmpty()) {
                add(quota.getFirst().strip(), period.getFirst().strip(), quotas);
            }
        }
        return quotas.stream().mapToDouble(Double::doubleValue).min();
    }

    /** {@code max} and -1 mean no limit, as does what is no number. */
    private static void add(String quota, String period, List<Double> quotas) {
        if (quota.matches("[0-9]{1,15}") && period.matches("[1-9][0-9]{0,14}")) {
            quotas.add(Long.parseLong(quota) / (double) Long.parseLong(period));
        }
    }
}
