package org.bloomery.javaengine.kernel;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.javaengine.kernel.machine.MachineKernels;
import org.bloomery.javaengine.kernel.vector.VectorKernels;
import org.jspecify.annotations.Nullable;

/** Chooses the tier of kernels for this JVM, with the reason. */
public final class KernelLookup {

    private static final String MODULE = "jdk.incubator.vector";
    private static final String MISSING = "the module " + MODULE + " is not in this JVM: start it with --add-modules "
            + MODULE + ", or put that into JDK_JAVA_OPTIONS";

    private static final String NO_COMPILER =
            "this JVM's optimising compiler, which they need, is off: start it without"
                    + " -XX:TieredStopAtLevel and -Xint, which development tools set";
    private static final String NO_NATIVE_ACCESS = "native access is not enabled in this JVM: start it with"
            + " --enable-native-access=ALL-UNNAMED, or put that into JDK_JAVA_OPTIONS";

    /** HotSpot's compilation level of C2. */
    private static final int FULL_OPTIMISATION = 4;

    private KernelLookup() {}

    /** As {@link #choose(String, List)}, tried on every type. */
    public static Kernels choose(String tier) {
        return choose(tier, SelfTest.samples());
    }

    /**
     * The tier asked for. A tier other than scalar first computes a few products beside the scalar one; where they
     * differ, as a faulty compiler or processor would make them, {@code auto} takes the next tier and {@link
     * Kernels#reason} says so.
     *
     * @param tier {@code auto} for the fastest that works here, or {@code machine}, {@code vector} or {@code scalar}
     * @param samples what to try it on: rows of the model, in the model's own memory. Memory of another kind, mapped
     *     instead of allocated, would teach the compiler to tell both apart at each load, for as long as the JVM runs
     * @throws InvalidOptionException if there is no such tier, or it does not work in this JVM
     */
    public static Kernels choose(String tier, List<WeightSample> samples) {
        return switch (tier) {
            case "auto" -> automatic(samples);
            case "machine", "vector" -> forced(tier, samples);
            case "scalar" -> new ScalarKernels("Option 'kernels' asks for it.");
            default ->
                throw new InvalidOptionException(
                        "Option 'kernels' is '" + tier + "'; choose auto, machine, vector or scalar.");
        };
    }

    private static Kernels automatic(List<WeightSample> samples) {
        String problems = "";
        for (String tier : List.of("machine", "vector")) {
            Trial trial = attempt(
                    tier,
                    (tier.equals("machine")
                                    ? "The processor has the instructions"
                                    : "The module " + MODULE + " is there")
                            + ", and the products equal the scalar ones." + problems,
                    samples);
            if (trial.kernels != null) {
                return trial.kernels;
            }
            problems += " There are no " + tier + " kernels: " + trial.problem + ".";
        }
        return new ScalarKernels("It is slow, but runs everywhere." + problems);
    }

    private static Kernels forced(String tier, List<WeightSample> samples) {
        Trial trial = attempt(tier, "Option 'kernels' asks for it.", samples);
        if (trial.kernels == null) {
            throw new InvalidOptionException(
                    "Option 'kernels' is '" + tier + "', but " + trial.problem + "; or choose another tier, or auto.");
        }
        return trial.kernels;
    }

    /** Kernels that were tried and found sound, or why there are none. */
    private record Trial(@Nullable Kernels kernels, String problem) {}

    private static Trial attempt(String tier, String reason, List<WeightSample> samples) {
        Kernels kernels;
        if (tier.equals("machine")) {
            if (!KernelLookup.class.getModule().isNativeAccessEnabled()) {
                return new Trial(null, NO_NATIVE_ACCESS);
            }
            try {
                kernels = machine(reason);
            } catch (IllegalStateException e) {
                return new Trial(null, String.valueOf(e.getMessage()));
            }
        } else if (!hasVectorModule()) {
            return new Trial(null, MISSING);
        } else if (!compilesVectors()) {
            return new Trial(null, NO_COMPILER);
        } else {
            kernels = vector(reason);
        }
        return SelfTest.failure(kernels, samples)
                .map(failure -> new Trial(null, "they failed: " + failure))
                .orElse(new Trial(kernels, ""));
    }

    private static Kernels machine(String reason) {
        return MachineKernels.of(reason, new ScalarKernels(reason));
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
