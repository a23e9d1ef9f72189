package org.bloomery.engine.backend;

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
     * The plan for a requested number of threads, 0 for one a processor. {@link Runtime#availableProcessors} already
     * honours the process's CPU affinity, the container's CPU quota and {@code -XX:ActiveProcessorCount}.
     *
     * @throws InvalidOptionException if {@code requested} is below 0 or above 1024
     */
    public static ThreadPlan of(int requested) {
        if (requested < 0 || requested > MOST) {
            throw new InvalidOptionException("Option 'threads' is " + requested + "; choose 1 to " + MOST
                    + ", or 0 for one thread a processor.");
        }
        int available = Runtime.getRuntime().availableProcessors();
        if (requested == 0) {
            return new ThreadPlan(
                    available, "one a processor: affinity and CPU quota leave " + available + " to this process");
        }
        String reason = requested > available
                ? "set by option 'threads', though only " + available
                        + " processors are available: expect it to be slower"
                : "set by option 'threads', of " + available + " processors";
        return new ThreadPlan(requested, reason);
    }
}
