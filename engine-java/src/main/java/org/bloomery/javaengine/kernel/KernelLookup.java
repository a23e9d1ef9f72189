package org.bloomery.javaengine.kernel;

import java.util.Optional;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.javaengine.kernel.vector.VectorKernels;

/** Chooses the tier of kernels for this JVM, with the reason. */
public final class KernelLookup {

    private static final String MODULE = "jdk.incubator.vector";
    private static final String MISSING = "the module " + MODULE + " is not in this JVM: start it with --add-modules "
            + MODULE + ", or put that into JDK_JAVA_OPTIONS";

    private KernelLookup() {}

    /**
     * The tier asked for. A tier other than scalar first computes a few products beside the scalar one; where they
     * differ, as a faulty compiler would make them, {@code auto} takes the scalar tier and {@link Kernels#reason} says
     * so.
     *
     * @param tier {@code auto} for the fastest that works here, or {@code vector} or {@code scalar}
     * @throws InvalidOptionException if there is no such tier, or it does not work in this JVM
     */
    public static Kernels choose(String tier) {
        return switch (tier) {
            case "auto" -> automatic();
            case "vector" -> forced();
            case "scalar" -> new ScalarKernels("Option kernels asks for it.");
            default ->
                throw new InvalidOptionException("Option kernels is '" + tier + "'; choose auto, vector or scalar.");
        };
    }

    private static Kernels automatic() {
        if (!hasVectorModule()) {
            return new ScalarKernels("It is slow, but " + MISSING + ".");
        }
        Kernels vector = vector("The module " + MODULE + " is there, and its products equal the scalar ones.");
        return SelfTest.failure(vector)
                .<Kernels>map(
                        failure -> new ScalarKernels("It is slow, but the vector kernels failed: " + failure + "."))
                .orElse(vector);
    }

    private static Kernels forced() {
        if (!hasVectorModule()) {
            throw new InvalidOptionException("Option kernels is 'vector', but " + MISSING + ".");
        }
        Kernels vector = vector("Option kernels asks for it.");
        Optional<String> failure = SelfTest.failure(vector);
        if (failure.isPresent()) {
            throw new InvalidOptionException(
                    "Option kernels is 'vector', but they failed: " + failure.get() + "; choose auto or scalar.");
        }
        return vector;
    }

    private static boolean hasVectorModule() {
        return ModuleLayer.boot().findModule(MODULE).isPresent();
    }

    /** In a method of its own, so that the class, and with it the module's, is loaded only here. */
    private static Kernels vector(String reason) {
        return new VectorKernels(reason);
    }
}
