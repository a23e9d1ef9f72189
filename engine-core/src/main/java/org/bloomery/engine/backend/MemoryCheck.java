package org.bloomery.engine.backend;

import java.util.Locale;
import org.bloomery.engine.InsufficientMemoryException;

/**
 * Compares a memory plan with what is there, before anything is allocated: the whole plan with the memory of machine and
 * container, the workspace, which lies on the Java heap, with what the heap may still grow by.
 */
public final class MemoryCheck {

    private MemoryCheck() {}

    /**
     * Refuses a plan that does not fit.
     *
     * @param mapped whether the weights are mapped: they take memory while the model runs; copied ones have been paid for
     * @param heapLeft bytes that the Java heap can still hold
     * @throws InsufficientMemoryException with the plan, what there is, and which options to lower
     */
    public static void refuseTooLarge(
            MemoryPlan plan, boolean mapped, BackendOptions options, AvailableMemory available, long heapLeft) {
        long needed = plan.total() - (mapped ? 0 : plan.weights());
        if (needed > available.bytes()) {
            throw new InsufficientMemoryException("The model needs " + size(needed) + " but " + size(available.bytes())
                    + " are left (" + available.source() + "): "
                    + (mapped ? "weights " + size(plan.weights()) + " + " : "")
                    + (plan.repacked() > 0 ? "repacked weights " + size(plan.repacked()) + " + " : "") + "cache "
                    + size(plan.cache()) + " (" + options.maxSequences() + " sequences of " + options.contextLength()
                    + " tokens, " + options.cacheType() + ") + workspace " + size(plan.workspace()) + " (batches of "
                    + options.maxBatchTokens()
                    + " tokens); lower context-length, max-sequences or batch-tokens, set kv-cache-type to F16, or use a"
                    + " smaller model.");
        }
        if (plan.workspace() > heapLeft) {
            throw new InsufficientMemoryException("The workspace needs " + size(plan.workspace())
                    + " of Java heap (batches of " + options.maxBatchTokens() + " tokens) but " + size(heapLeft)
                    + " are left; raise -Xmx or lower batch-tokens.");
        }
    }

    /** Bytes that the heap of this JVM can still hold; garbage is counted as held only if there seems to be enough. */
    public static long heapLeft(long wanted) {
        long left = heapLeft();
        if (left < wanted) {
            System.gc();
            left = heapLeft();
        }
        return left;
    }

    private static long heapLeft() {
        Runtime runtime = Runtime.getRuntime();
        return runtime.maxMemory() - (runtime.totalMemory() - runtime.freeMemory());
    }

    private static String size(long bytes) {
        return bytes >= 1L << 30
                ? String.format(Locale.ROOT, "%.2f GiB", bytes / (double) (1L << 30))
                : String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1L << 20));
    }
}
