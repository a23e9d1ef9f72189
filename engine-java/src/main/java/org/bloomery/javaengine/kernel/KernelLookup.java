package org.bloomery.javaengine.kernel;

import org.bloomery.engine.InvalidOptionException;

/** Chooses the tier of kernels for this JVM, with the reason. */
public final class KernelLookup {

    private KernelLookup() {}

    /**
     * The tier asked for.
     *
     * @param tier {@code auto} for the fastest that works here, or the name of one
     * @throws InvalidOptionException if there is no such tier, or it cannot run in this JVM
     */
    public static Kernels choose(String tier) {
        return switch (tier) {
            case "auto" -> new ScalarKernels("No other tier is built in.");
            case "scalar" -> new ScalarKernels("The option kernels asks for it.");
            default ->
                throw new InvalidOptionException("Option kernels is '" + tier + "'; choose auto, vector or scalar.");
        };
    }
}
