package org.bloomery.javaengine.kernel;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Optional;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.javaengine.kernel.vector.VectorKernels;

/** Chooses the tier of kernels for this JVM, with the reason. */
public final class KernelLookup {

    private static final String MODULE = "jdk.incubator.vector";
    private static final String MISSING = "the module " + MODULE + " is not in this JVM: start it with --add-modules "
            + MODULE + ", or put that into JDK_JAVA_OPTIONS";

    /** HotSpot's compilation level of C2. */
    private static final int FULL_OPTIMISATION = 4;

    private KernelLookup() {}

    /** As {@link #choose(String, List)}, tried on every type. */
    public static Kernels choose(String tier) {
        return choose(tier, SelfTest.samples());
    }

    /**
     * The tier asked for. A tier other than scalar first computes a few products beside the scalar one; where they
     * differ, as a faulty compiler would make them, {@code auto} takes the scalar tier and {@link Kernels#reason} says
     * so.
     *
     * @param tier {@code auto} for the fastest that works here, or {@code vector} or {@code scalar}
     * @param samples what to try it on: rows of the model, in the model's own memory. Memory of another kind, mapped
     *     instead of allocated, would teach the compiler to tell both apart at each load, for as long as the JVM runs
     * @throws InvalidOptionException if there is no such tier, or it does not work in this JVM
     */
    public static Kernels choose(String tier, List<WeightSample> samples) {
        return switch (tier) {
            case "auto" -> automatic(samples);
            case "vector" -> forced(samples);
            case "scalar" -> new ScalarKernels("Option 'kernels' asks for it.");
            default ->
                throw new InvalidOptionException("Option 'kernels' is '" + tier + "'; choose auto, vector or scalar.");
        };
    }

    private static Kernels automatic(List<WeightSample> samples) {
        if (!hasVectorModule()) {
            return new ScalarKernels("It is slow, but " + MISSING + ".");
        }
        if (!compilesVectors()) {
            return new ScalarKernels("It is slow, but this JVM's optimising compiler, which the vector kernels need, is"
                    + " off: start it without -XX:TieredStopAtLevel and -Xint, which development tools set.");
        }
        Kernels vector = vector("The module " + MODULE + " is there, and its products equal the scalar ones.");
        return SelfTest.failure(vector, samples)
                .<Kernels>map(
                        failure -> new ScalarKernels("It is slow, but the vector kernels failed: " + failure + "."))
                .orElse(vector);
    }

    private static Kernels forced(List<WeightSample> samples) {
        if (!hasVectorModule()) {
            throw new InvalidOptionException("Option 'kernels' is 'vector', but " + MISSING + ".");
        }
        Kernels vector = vector("Option 'kernels' asks for it.");
        Optional<String> failure = SelfTest.failure(vector, samples);
        if (failure.isPresent()) {
            throw new InvalidOptionException(
                    "Option 'kernels' is 'vector', but they failed: " + failure.get() + "; choose auto or scalar.");
        }
        return vector;
    }

    private static boolean hasVectorModule() {
        return ModuleLayer.boot().findModule(MODULE).isPresent();
    }

    /** Only C2 keeps vectors in registers; C1 and the interpreter make an object of each, slower than plain loops. */
    private static boolean compilesVectors() {
        if (System.getProperty("java.vm.info", "").contains("interpreted")) {
            return false;
        }
        HotSpotDiagnosticMXBean vm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        try {
            return vm == null
                    || Integer.parseInt(vm.getVMOption("TieredStopAtLevel").getValue()) >= FULL_OPTIMISATION;
        } catch (IllegalArgumentException e) {
            // A JVM that has no such option has no such tiers.
            return true;
        }
    }

    /** In a method of its own, so that the class, and with it the module's, is loaded only here. */
    private static Kernels vector(String reason) {
        return new VectorKernels(reason);
    }
}
